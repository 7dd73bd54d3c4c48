"""Images that people build, with what Lambda does with each: the corpus of the linter."""
