"""Scoring in processes that can be killed: no thread, lock or memory of one job outlives it in another."""
