"""The restricted language of scorecards: expressions and templates that read values, compute, and do nothing else."""
