#!/usr/bin/env python3
"""A daemon whose first thread has ended, so that it looks dead, while another one lives on."""

import ctypes
import os
import threading

from contract import announce, become_a_stranger, listen, serve, stay

if os.fork() == 0:
    become_a_stranger()
    threading.Thread(target=stay).start()
    ctypes.CDLL(None).pthread_exit(None)
os.wait()
listener = listen()
announce(listener)
serve(listener)
