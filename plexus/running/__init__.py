"""Scoring files of texts in constant memory; a run that was stopped resumes where it stopped."""
