"""Compare versions of Debian packages, as Debian Policy 5.6.12 defines their order."""

import re
from functools import cmp_to_key
from itertools import zip_longest

PARTS = re.compile(r"(\D*)(\d*)")


def compare(first: str, second: str) -> int:
    """Return a negative number, zero or a positive one, as `first` is older than `second`, equal or newer."""
    entry, other = split(first), split(second)
    if entry[0] != other[0]:
        return entry[0] - other[0]
    return compare_part(entry[1], other[1]) or compare_part(entry[2], other[2])


def split(version: str) -> tuple[int, str, str]:
    """Split a version into epoch, upstream version and Debian revision; an absent revision is `0`."""
    epoch, mark, rest = version.partition(":")
    if not mark:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (int(epoch) if epoch.isdigit() else 0, upstream if dash else rest, revision if dash else "0")


def compare_part(first: str, second: str) -> int:
    """Compare texts and numbers alternately, from the left.

    Negative, zero or positive, as `first` is older, equal or newer.
    """
    for (text, number), (other_text, other_number) in zip_longest(
        PARTS.findall(first), PARTS.findall(second), fillvalue=("", "")
    ):
        if by_text := compare_text(text, other_text):
            return by_text
        if by_number := int(number or 0) - int(other_number or 0):
            return by_number
    return 0


def compare_text(first: str, second: str) -> int:
    """Compare texts without digits: `~` sorts before the end, letters before all other characters."""
    for entry, other in zip_longest(first, second, fillvalue=""):
        if by_character := rank_character(entry) - rank_character(other):
            return by_character
    return 0


def rank_character(character: str) -> int:
    """Return the rank of a character in Debian's order; an empty text is the end of a version."""
    if not character:
        return 0
    return -1 if character == "~" else ord(character) + (0 if character.isalpha() else 256)


order = cmp_to_key(compare)
"""The sort key of a version."""
