"""Scoring files of texts: in constant memory, and so that a run that was stopped goes on where it was."""
