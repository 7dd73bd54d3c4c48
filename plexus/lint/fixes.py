"""Correct what is mechanical in a scorecard's YAML text: misspelt names with one close spelling, and missing quotes.

Each correction changes one key or value in place, and leaves comments and layout as they are.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plexus import document
from plexus.exceptions import InvalidScorecard
from plexus.lint.linter import lint
from plexus.problems import KeyPath, Position, Problem
from plexus.yaml_edit import find_offset, read_scalar

_GUESS = re.compile(r"; did you mean '([^']+)'\?")
_QUOTED = re.compile(r"'([^']+)'")
_QUOTES = "; put it in quotes"
# Below it, a guess is for the author to judge: `Refund Late` is not surely `Refund Early`.
_LEAST_SIMILARITY = 0.8
_PASSES = 10


@dataclass(frozen=True)
class Fix:
    """A correction: the key or value that begins at `position` is written `new` instead of `old`."""

    position: Position
    old: str
    new: str


def fix(text: str, *, name: str = "scorecard.yaml", folder: Path | None = None) -> tuple[str, list[Fix]]:
    """Return the corrected text and the corrections, in the order in which they were made.

    A correction may reveal the next problem, so the text is checked again until nothing is left to correct. Raises
    InvalidScorecard if the text is not YAML.
    """
    fixes: list[Fix] = []
    for _ in range(_PASSES):
        created = list(_list_fixes(text, lint(text, name=name, folder=folder)))
        edited = text
        # From the end, so that earlier places stay where they are.
        for entry in sorted(set(created), key=lambda fix: fix.position, reverse=True):
            candidate = _apply(edited, entry)
            if candidate is not None:
                edited = candidate
                fixes.append(entry)
        if edited == text:
            break
        text = edited
    return text, fixes


def _list_fixes(text: str, problems: Sequence[Problem]) -> Iterator[Fix]:
    parsed = document.parse(text, "scorecard")
    for problem in problems:
        guess = _GUESS.search(problem.message)
        if guess is not None:
            wrong = _QUOTED.findall(problem.message[: guess.start()])
            yield from _find_misspelling(parsed, problem.path, wrong, guess[1])
        elif problem.message.endswith(_QUOTES) and problem.path in parsed.scalars:
            written = parsed.scalars[problem.path]
            yield Fix(parsed.positions[problem.path], written, json.dumps(written, ensure_ascii=False))


def _find_misspelling(parsed: document.Document, path: KeyPath, wrong: Sequence[str], right: str) -> Iterator[Fix]:
    """Yield the correction of the key, the value or the member of a list that is one of the wrong words."""
    if path and path[-1] in wrong and path in parsed.keys:
        yield from _correct(parsed.keys[path], str(path[-1]), right)
        return
    # The value itself, a member of it (a class, an entry of a list), or the entry of a list that its path names.
    for place, written in parsed.scalars.items():
        is_value, is_inside, is_beside = place == path, place[:-1] == path, place[:-1] == path[:-1]
        owner, dot, last = written.rpartition(".")
        if written in wrong and (is_value or is_inside or (is_beside and written == path[-1])):
            yield from _correct(parsed.positions[place], written, right)
        elif is_value and dot and last in wrong:
            yield from _correct(parsed.positions[place], written, f"{owner}.{right}")


def _correct(position: Position, old: str, new: str) -> Iterator[Fix]:
    folded = [" ".join(sorted(re.split(r"[\s_-]+", name.casefold()))) for name in (old, new)]
    if difflib.SequenceMatcher(None, folded[0], folded[1]).ratio() >= _LEAST_SIMILARITY:
        yield Fix(position, old, new)


def _apply(text: str, correction: Fix) -> str | None:
    """Return the text with the correction, None if the YAML around it does not allow it."""
    start = find_offset(text, correction.position)
    written = read_scalar(text, start)
    quote = written[0] if written[0] in "'\"" else ""
    # A key in a line ends at its colon.
    old = f"{quote}{correction.old}{quote}"
    if not written.startswith(old):
        return None
    edited = f"{text[:start]}{quote}{correction.new}{quote}{text[start + len(old) :]}"
    try:
        before, after = (len(document.parse(each, "scorecard").positions) for each in (text, edited))
    except InvalidScorecard:
        return None
    return edited if before == after else None
