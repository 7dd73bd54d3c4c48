"""Evaluate a score on labelled texts: figures, their intervals, and the pages that show them.

Plain functions over pairs of labels; only `labels` and `predictions` use scorecards.
"""
