"""The commands that operate Score Processor: one module for each verb, `python -m scripts.<verb>`."""
