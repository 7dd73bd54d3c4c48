"""What is pinned: every locked package, its advisories, and the image's bill of materials as SPDX."""
