#!/usr/bin/env python3
"""As killed_by_a_signal, but before anybody could connect."""

import os
import signal
import sys

print("now I follow a null pointer", file=sys.stderr, flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
