#!/usr/bin/env python3
"""Is ready, and then writes to both streams for ever instead of answering."""

import sys
import threading

from contract import announce, listen


def write(stream):
    while True:
        stream.write("and so on and so on and so on\n" * 1000)


listener = listen()
announce(listener)
threading.Thread(target=write, args=[sys.stderr]).start()
write(sys.stdout)
