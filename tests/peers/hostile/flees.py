#!/usr/bin/env python3
"""A daemon that is a new process all the time: each one starts the next and ends."""

import os
import time

from contract import announce, become_a_stranger, listen, serve

if os.fork() == 0:
    until = time.monotonic() + 60  # in case that nobody catches it
    while time.monotonic() < until:
        become_a_stranger()
os.wait()
listener = listen()
announce(listener)
serve(listener)
