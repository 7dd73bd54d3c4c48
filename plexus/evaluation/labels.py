"""The classes that a score can give, and labels spelt as the score spells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.exceptions import InvalidData
from plexus.problems import nearest
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard


@dataclass(frozen=True)
class Labelled:
    """A text with the value that a person gave it; `row` is its number in the file, from 1."""

    row: int
    text: str
    label: str


def declared(scorecard: Scorecard, score: Score, context: Context) -> tuple[str, ...]:
    """Every value that the score can give, where its configuration or its model says so; else empty."""
    configuration = score.configuration
    rule = configuration.validation.value if configuration.validation else None
    if rule is not None and rule.valid_classes:
        return tuple(rule.valid_classes)
    values = getattr(configuration, "values", None)
    if values:
        return tuple(dict.fromkeys(values))
    if hasattr(configuration, "artifact"):
        model = getattr(scorecard.scorer(score, context), "model", None)
        least = (configuration.uncertain,) if configuration.minimum_confidence is not None else ()
        return (*getattr(model, "classes", ()), *least)
    if configuration.class_name == "LangGraphScore":
        from plexus.graph.classes import values_of

        return values_of(configuration)
    return ()


def spelling(names: Iterable[str]) -> dict[str, str]:
    """Folded name → the first of the names that folds to it."""
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(fold(name), name)
    return spelt


def normal(texts: Sequence[Labelled], values: Sequence[str], name: str) -> list[Labelled]:
    """The texts with each label spelt as the score spells it (case and spaces folded).

    Where the score does not say what it can give (no `values`), labels that differ in case or spaces are one, spelt as
    the first of them. Raises InvalidData that names every label that the score cannot give.
    """
    spelt = spelling(values or (each.label for each in texts))
    unknown: dict[str, list[int]] = {}
    for each in texts:
        if fold(each.label) not in spelt:
            unknown.setdefault(each.label, []).append(each.row)
    if unknown:
        raise InvalidData(_told(unknown, values, name))
    return [Labelled(each.row, each.text, spelt[fold(each.label)]) for each in texts]


def _told(unknown: Mapping[str, list[int]], values: Sequence[str], name: str) -> str:
    told = "".join(
        f"\n  {label!r}: {len(rows)} row{'s' * (len(rows) > 1)}, first in row {rows[0]}{nearest(label, values)}"
        for label, rows in sorted(unknown.items())
    )
    known = ", ".join(repr(value) for value in values)
    return f"labels that {name!r} can never give:{told}\n  it gives {known}; correct the labels or leave the rows out"
