#!/usr/bin/env python3
"""Answers when nobody waits any more."""

import time

from contract import announce, listen, serve

listener = listen()
announce(listener)
time.sleep(60)
serve(listener)
