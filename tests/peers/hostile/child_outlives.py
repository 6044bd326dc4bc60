#!/usr/bin/env python3
"""Starts a child that lives on when its parent is killed."""

import os

from contract import announce, listen, serve, stay

if os.fork() == 0:
    stay()
listener = listen()
announce(listener)
serve(listener)
