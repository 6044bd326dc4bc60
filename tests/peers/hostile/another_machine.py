#!/usr/bin/env python3
"""Says that it listens on another machine (192.0.2.0/24 is for documentation, RFC 5737)."""

from contract import say, stay

say("listening on 192.0.2.1:8888")
stay()
