"""An evaluation as a table: a row for each text, with its label, its value, and whether it is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.tables import output

if TYPE_CHECKING:
    from plexus.evaluation.report import Evaluation

_COLUMNS: dict[str, type] = {"row": int, "label": str, "value": str, "verdict": str, "confidence": float, "error": str}
_TEXTS: dict[str, type] = {"explanation": str, "text": str}


def write(path: Path, form: str, evaluation: Evaluation, other: Evaluation | None, *, show_text: bool) -> None:
    """Write the verdict on every text, in the order of the data; `form` is one of `output.FORMATS`.

    The verdict is right, wrong, skipped or failed. With a second evaluation of the same texts its value and verdict
    are columns too, and with `show_text` texts and the explanations that quote them.
    """
    columns = {**_COLUMNS, **({"other value": str, "other verdict": str} if other else {})}
    columns |= _TEXTS if show_text else {}
    cells = ({name: row[name] for name in columns} for row in _list_rows(evaluation, other))
    output.write_file(path, form, columns, cells, map(json.dumps, cells))


def _list_rows(evaluation: Evaluation, other: Evaluation | None) -> Iterator[dict[str, object]]:
    others = {entry.row: entry for entry in other.predictions} if other else {}
    for entry in evaluation.predictions:
        second = others.get(entry.row)
        yield {
            "row": entry.row,
            "label": entry.label,
            "value": entry.value,
            "verdict": entry.verdict,
            "confidence": entry.confidence,
            "error": entry.error,
            "other value": None if second is None else second.value,
            "other verdict": None if second is None else second.verdict,
            "explanation": entry.explanation,
            "text": entry.text,
        }
