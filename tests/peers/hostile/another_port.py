#!/usr/bin/env python3
"""Listens on another port than it says."""

from contract import announce, listen, refuse, serve

promised, listener = refuse(), listen()
announce(promised)
serve(listener)
