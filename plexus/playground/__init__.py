"""A page on this machine to try a scorecard: a text in, every value, its reasons and the graph's path out."""
