"""How well a score does on labelled texts: figures, their intervals, and the pages that show them.

Plain functions over pairs of labels; nothing here loads a scorecard or asks a model.
"""
