"""Our part of LocalStack, loaded by it through the entry points in entry_points.txt.

Runs on the Python 3.13 of the local-aws root, beside LocalStack 4.14.0; nothing outside this folder imports it.
"""
