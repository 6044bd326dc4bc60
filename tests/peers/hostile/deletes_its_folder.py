#!/usr/bin/env python3
"""Deletes the folder that it works in."""

import os
import shutil
import sys
import tempfile

from contract import announce, listen, serve

here = os.path.realpath(os.getcwd())
if not here.startswith(os.path.realpath(tempfile.gettempdir()) + os.sep):
    sys.exit(f"{here} is no folder of mine")
shutil.rmtree(here)
listener = listen()
announce(listener)
serve(listener)
