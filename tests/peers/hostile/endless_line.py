#!/usr/bin/env python3
"""Writes one line that never ends, and is never ready."""

import sys

while True:
    sys.stdout.write("listening on " * 1000)
