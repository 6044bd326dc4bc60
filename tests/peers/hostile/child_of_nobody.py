#!/usr/bin/env python3
"""Starts a daemon: another session, and its parent has ended."""

import os

from contract import announce, become_a_stranger, listen, serve, stay

if os.fork() == 0:
    become_a_stranger()
    stay()
os.wait()
listener = listen()
announce(listener)
serve(listener)
