"""Print a table's description on a terminal."""

from __future__ import annotations

from plexus.dataset.looking import Look
from plexus.evaluation.formats import shorten
from plexus.evaluation.tables import render_grid
from plexus.problems import pluralize

_MOST = 30  # labels
_LONGEST = 40  # characters of a column's name


def describe(look: Look, notice: str) -> str:
    """Return the lines that `plexus data look` prints; `notice` is the format that was detected.

    Every line ends with a newline. Control characters of the table are escaped.
    """
    dataset = look.dataset
    lines = [
        f"{dataset.name}: {pluralize(len(dataset.entries), 'row')}" + (f"; {notice}" if notice else ""),
        f"columns: {', '.join(shorten(name, _LONGEST) for name in dataset.columns)}",
        f"texts: column {shorten(dataset.text, _LONGEST)!r}"
        + (
            f"; characters: {look.lengths[0]} to {look.lengths[-1]}, median {look.length(0.5)}, "
            f"95 % at most {look.length(0.95)}"
            if look.lengths
            else ""
        ),
    ]
    if look.languages:
        lines.append(f"languages, a guess: {', '.join(f'{name} {count}' for name, count in look.languages.items())}")
    lines.append(
        f"labels: column {shorten(dataset.label, _LONGEST)!r}" if dataset.label is not None else "labels: none"
    )
    if look.labels:
        total = sum(count.texts for count in look.labels)
        rows = [
            [count.label, str(count.texts), f"{count.texts / total:.1%}", str(len(count.spellings))]
            for count in look.labels[:_MOST]
        ]
        lines += ["", render_grid(["label", "rows", "share", "spellings"], rows)]
        if len(look.labels) > _MOST:
            lines.append(f"{len(look.labels) - _MOST} rarer labels are in the page and in the JSON")
    lines.append("")
    if not look.findings:
        lines.append("no faults found")
    for finding in look.findings:
        lines += [f"{finding.kind}: {finding.message}", f"  next: {finding.remedy}"]
    # Labels and names come from the file: a terminal must not execute them.
    return "".join(f"{_printable(line)}\n" for block in lines for line in block.split("\n"))


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
