"""LocalStack plugins, loaded through the entry points in entry_points.txt.

They run on the sysroot's Python 3.13, inside LocalStack 4.14.0. Nothing outside this folder imports them.
"""
