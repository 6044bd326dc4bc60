#!/usr/bin/env python3
"""Says that it listens where nobody does."""

from contract import announce_and_close, listen, stay

announce_and_close(listen())
stay()
