#!/usr/bin/env python3
"""As child_of_nobody, and does not answer either."""

import os

from contract import announce, become_a_stranger, listen, stay

if os.fork() == 0:
    become_a_stranger()
    stay()
os.wait()
listener = listen()
announce(listener)
stay()
