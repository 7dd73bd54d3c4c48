"""Scores that are trained: features, models as files, training."""
