#!/usr/bin/env python3
"""Ignores every signal that can be ignored."""

import signal

from contract import announce, listen, serve

for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
listener = listen()
announce(listener)
serve(listener)
