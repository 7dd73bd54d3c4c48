"""Archives of every pinned input: an OCI image layout in a folder, or the same blobs in a registry."""
