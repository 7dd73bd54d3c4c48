"""Resolve the pins anew, write the locks, and show what moved."""
