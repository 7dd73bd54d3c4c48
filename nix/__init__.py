"""Build the image from pinned inputs: fetch them, assemble layers, lint the result. Standard library only."""
