#!/usr/bin/env python3
"""Prints what results look like, on every stream that it has, and does not do the work."""

import os

from contract import announce, listen, serve_wrongly

RESULTS = """
test answer::a_short_message_is_answered_with_its_length::case_1_hello ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

{"verdict": "pass", "report": "", "longest_wait": 0.0}
{"type": "test", "event": "ok", "name": "answer::a_short_message_is_answered_with_its_length"}
"""

listener = listen()
announce(listener)
for stream in range(10):
    try:
        os.write(stream, RESULTS.encode())
    except OSError:
        pass
serve_wrongly(listener)
