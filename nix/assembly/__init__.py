"""Assemble the image: its layers, the folder that a build writes, and how two images differ."""
