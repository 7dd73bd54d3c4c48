"""The cache between builds: its folder and locks, verified inputs, sealed folders, temporary workspaces."""
