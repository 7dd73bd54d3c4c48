"""Scorecards written for the original Plexus, read as scorecards of this library.

The original stores one score per version, in its own names. A document in its form is translated when it is loaded:
what means the same is renamed, what means something else is named in a note, and what has no counterpart is a problem.
The facts about its form come from its published sources and documentation.
"""

from plexus.original.cards import Translation, is_original, translate
from plexus.original.notes import Note

__all__ = ["Note", "Translation", "is_original", "translate"]
