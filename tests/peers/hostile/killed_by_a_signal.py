#!/usr/bin/env python3
"""Reads memory that is not there, or so it seems."""

import os
import signal
import sys

from contract import announce, listen

listener = listen()
announce(listener)
listener.accept()
print("now I follow a null pointer", file=sys.stderr, flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
