"""Which class a model's reply names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


def parse_label(reply: str, classes: Sequence[str], *, from_start: bool = False) -> str | None:
    """The class that stands last in the reply (first, with `from_start`), None when there is none.

    Case and punctuation are folded, only whole words count, and where two classes overlap the longer one counts:
    `Not applicable.` names "Not Applicable", never "Applicable".
    """
    spans = _spans(reply, classes)
    inside = [
        span
        for span in spans
        if not any(other[0] <= span[0] and span[1] <= other[1] and other[:2] != span[:2] for other in spans)
    ]
    if not inside:
        return None
    return (min if from_start else max)(inside)[2]


def _spans(reply: str, classes: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, end word, class) for each occurrence; classes without any word are looked for as they are."""
    words = _words(reply)
    spans = []
    for label in classes:
        wanted = _words(label)
        if not wanted:
            spans += _symbols(reply, label)
            continue
        size = len(wanted)
        spans += [(at, at + size, label) for at in range(len(words) - size + 1) if words[at : at + size] == wanted]
    return spans


def _symbols(reply: str, label: str) -> list[tuple[int, int, str]]:
    """A class such as `+`: counted at the word that follows it, so that it compares with the others."""
    if not label.strip():
        return []
    found = [len(_words(reply[: match.start()])) for match in re.finditer(re.escape(label), reply)]
    return [(before, before, label) for before in found]


def _words(text: str) -> list[str]:
    """Words with case folded, an accent being a part of its letter; an underscore separates, as a space does."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold().replace("_", " "))
