#!/usr/bin/env python3
"""Kills the test that has started it, and leaves a stranger behind."""

import os
import signal

from contract import announce, become_a_stranger, listen, serve, stay

test = os.getppid()
if os.fork() == 0:
    become_a_stranger()
    stay()
os.wait()
listener = listen()
announce(listener)
os.kill(test, signal.SIGKILL)
serve(listener)
