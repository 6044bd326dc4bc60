#!/usr/bin/env python3
"""Starts a child that leaves the process group."""

import os

from contract import announce, listen, serve, stay

if os.fork() == 0:
    os.setsid()
    stay()
listener = listen()
announce(listener)
serve(listener)
