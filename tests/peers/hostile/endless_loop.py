#!/usr/bin/env python3
"""Accepts nobody, and keeps a processor busy for ever."""

from contract import announce, listen

listener = listen()
announce(listener)
while True:
    pass
