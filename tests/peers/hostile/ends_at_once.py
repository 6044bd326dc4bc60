#!/usr/bin/env python3
"""Ends at once, content with itself."""
