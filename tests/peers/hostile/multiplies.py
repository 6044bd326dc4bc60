#!/usr/bin/env python3
"""Starts a stranger every 20 milliseconds, and each stranger another one from time to time."""

import os
import time

from contract import announce, become_a_stranger, listen, serve


# If nobody ends this, it ends by itself before it is a trouble.
END = time.monotonic() + 10


def multiply(pause):
    while time.monotonic() < END:
        if os.fork() == 0:
            become_a_stranger()
            multiply(2)
        os.wait()
        time.sleep(pause)


if os.fork() == 0:
    multiply(0.02)
listener = listen()
announce(listener)
serve(listener)
