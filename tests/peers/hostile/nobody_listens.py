#!/usr/bin/env python3
"""Says that it listens where nobody does."""

from contract import announce, refuse, stay

promised = refuse()
announce(promised)
stay()
