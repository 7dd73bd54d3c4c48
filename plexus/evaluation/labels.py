"""The classes that a score can give, and labels spelt as the score spells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus import data
from plexus.checks import values
from plexus.exceptions import InvalidData
from plexus.problems import nearest
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard


@dataclass(frozen=True)
class Labelled:
    """A text with the value that a person gave it; `row` counts rows from 1, `metadata` is the other columns."""

    row: int
    text: str
    label: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path, text: str, label: str, limit: int | None = None) -> list[Labelled]:
    """The file's labelled texts, or the first `limit` of them. Raises InvalidData that names those without one."""
    made = []
    for number, (one, given, row) in enumerate(data.labelled_rows(path, text, label, limit), start=1):
        metadata = {str(name): value for name, value in row.items() if name not in (text, label)}
        made.append(Labelled(number, one, given, metadata))
    return made


def declared(scorecard: Scorecard, score: Score, context: Context) -> tuple[str, ...]:
    """Every value that the score can give, where its configuration or its model says so; else empty."""
    configuration = score.configuration
    known = values.declared(configuration)
    if known is not None:
        return tuple(known)
    if hasattr(configuration, "artifact"):
        model = getattr(scorecard.scorer(score, context), "model", None)
        least = (configuration.uncertain,) if configuration.minimum_confidence is not None else ()
        return (*getattr(model, "classes", ()), *least)
    return ()


def spelling(names: Iterable[str]) -> dict[str, str]:
    """Folded name → the first of the names that folds to it."""
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(fold(name), name)
    return spelt


def normal(texts: Sequence[Labelled], known: Sequence[str], name: str) -> list[Labelled]:
    """The texts with each label spelt as the score spells it (case and spaces folded).

    Where nothing is `known` of what the score can give, labels that differ in case or spaces are one, spelt as the
    first of them. Raises InvalidData that names every label that the score cannot give.
    """
    spelt = spelling(known or (each.label for each in texts))
    unknown: dict[str, list[int]] = {}
    for each in texts:
        if fold(each.label) not in spelt:
            unknown.setdefault(each.label, []).append(each.row)
    if unknown:
        raise InvalidData(_told(unknown, known, name))
    return [replace(each, label=spelt[fold(each.label)]) for each in texts]


def _told(unknown: Mapping[str, list[int]], known: Sequence[str], name: str) -> str:
    told = "".join(
        f"\n  {label!r}: {len(rows)} row{'s' * (len(rows) > 1)}, first in row {rows[0]}{nearest(label, known)}"
        for label, rows in sorted(unknown.items())
    )
    given = ", ".join(repr(value) for value in known)
    return f"labels that {name!r} can never give:{told}\n  it gives {given}; correct the labels or leave the rows out"
