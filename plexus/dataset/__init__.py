"""Labelled texts before training: look at tables of them, clean, split, sample and convert them."""
