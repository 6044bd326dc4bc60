#!/usr/bin/env python3
"""Stops the test that has started it for a while, so that it looks as if the machine had been paused,
and then does not answer: such a failure is to be nobody's."""

import os
import signal
import time

from contract import announce, listen

listener = listen()
announce(listener)
while True:
    connection, _ = listener.accept()
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(2)
    os.kill(os.getppid(), signal.SIGCONT)
    connection.close()
