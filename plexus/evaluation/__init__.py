"""How well a score does on labelled texts: figures, their intervals, and the pages that show them.

Plain functions over pairs of labels; only `labels` and `judging` know scorecards and run them.
"""
