"""Estimate the monthly cost of a stage from its settings, a dated price table and the usage of one job."""
