#!/usr/bin/env python3
"""Listens on another port than it says."""

from contract import announce_and_close, listen, serve

promised, listener = listen(), listen()
announce_and_close(promised)
serve(listener)
