"""Decide whether the words of a turn can be attributed to its speaker, or may contain another speaker's label.

`speakers` finds labels by rules for labels. Here it is the other way round: before a colon, only evident prose passes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plexus.processors.speaker_words import GLUE, NUMBERS
from plexus.processors.speakers import Label, Names, is_common
from plexus.text import fold

_COLON = re.compile(r"[:：]")
_FACE = re.compile(r"[:：][-’']?[)(\]\[DPpOo/|*3](?!\w)")
_WORDS = re.compile(r"[\w'’-]+")
_SEPARATED = re.compile(r"(?<![\w'’-])([^\W\d_][\w'’.]{0,39})[ \t]?(?:[-–—|>]|\t)[ \t]")
# `Agent; Hello.` and `AGENT   Hello.` on a line of their own
_MARKED = re.compile(
    r"(?m)^[ \t]*([^\W\d_][\w'’.-]{0,39}(?:[ \t][^\W\d_][\w'’.-]{0,39})?)[ \t]*(?:([;=»~|∶→›⟩])|…|[ \t]{2}(?=[ \t]*\S))"
)
_REACH = 100
# `--- Transferred to billing ---`, `[Agent has joined the chat]`: what programs write between the turns
_NOTICE = re.compile(
    r"(?m)^[ \t]*(?:[-–—=*_~#]{2,}[ \t]+\S.*[ \t][-–—=*_~#]{2,}|(?:\[|<{1,2})[^\[\]<>\n]*\b"
    r"(?:joined|left the|transferred|ended|on hold|(?:is|are) typing|disconnected|connected)\b"
    r"[^\[\]<>\n]*(?:\]|>{1,2}))[ \t]*$"
)


def find_doubtful(text: str, turns: Sequence[tuple[Label, int]], labels: Sequence[Label], names: Names) -> int | None:
    """Return the place of a mark within the turns that may end the label of another speaker; None if there is none.

    `turns` are labels with the ends of their turns, `labels` all labels of the text. In a transcript of lines, words
    within a line that are no label by its rules are prose. Where labels are within lines, a phrase before a colon is
    prose only if its last word is none for a name, or follows a word that ends no sentence, such as `the`.
    """
    is_inline = any(text[_find_line(text, each.start) : each.start].strip() for each in labels if each.is_certain)
    for label, end in turns:
        if (at := _find_marked(text, label, end, names)) is not None:
            return at
        for match in _COLON.finditer(text, label.end, end):
            at = match.start()
            if _is_time_or_address(text, at) or _is_prose(text[max(label.end, at - _REACH) : at], names):
                continue
            line = _find_line(text, at)
            if is_inline or (line > label.end and len(_WORDS.findall(text[line:at])) <= 6):
                return at
        is_separated = not _COLON.search(text, label.start, label.end)
        for match in _SEPARATED.finditer(text, label.end, end):
            before = _WORDS.findall(text[max(label.end, match.start() - _REACH) : match.start()])
            follows = bool(before) and fold(before[-1]) in GLUE
            is_name = names.is_known(match[1]) or (is_separated and match[1][0].isupper() and not is_common(match[1]))
            if is_name and not follows:
                return match.end() - 1
    return None


def _find_marked(text: str, label: Label, end: int, names: Names) -> int | None:
    """Return the place of words behind a notice, or of a mark that may set a name apart at the start of a line."""
    for match in _NOTICE.finditer(text, label.end, end):
        if text[match.end() : end].strip():  # whose words follow is not known
            return match.start()
    for match in _MARKED.finditer(text, label.end, end):
        if names.is_other(match[1]) or (match[2] and match[1][0].isupper() and not is_common(match[1])):
            return match.end() - 1
    return None


def drop_notices(words: str) -> str:
    """Return the words of a turn without the lines that the program of the transcript wrote."""
    return _NOTICE.sub("", words).strip()


def _find_line(text: str, at: int) -> int:
    """Return where the line of a place begins, or a place within it that is far enough before."""
    begin = max(0, at - 2 * _REACH)
    return text.rfind("\n", begin, at) + 1 or begin


def _is_time_or_address(text: str, at: int) -> bool:
    around = text[max(0, at - 1)], text[at + 1 : at + 2]
    return (around[0].isdigit() and around[1].isdigit()) or around[1] == "/" or _FACE.match(text, at) is not None


def _is_prose(head: str, names: Names) -> bool:
    """Return whether the words before a colon are evidently no name."""
    head = head.rpartition("\n")[2].rstrip(" \t*_")
    words = _WORDS.findall(head[-_REACH:])
    if not words or not head.endswith(words[-1]):
        return False
    last = words[-1]
    if len(words) <= 3 and head.lstrip().startswith(words[0]) and names.is_other(words[0]):
        return False  # `Agent note: …`
    if fold(last) in names.words or is_common(last):
        return True
    before = fold(words[-2]) if len(words) > 1 and head[: -len(last)].rstrip(" \t").endswith(words[-2]) else ""
    return last.islower() and (before in GLUE or before in NUMBERS)
