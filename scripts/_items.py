"""Items from a file: CSV or JSONL, one text each, every problem of the file told at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._errors import OperationFailed


@dataclass(frozen=True)
class Item:
    """One text to score; `fields` are the file's other columns, labels for example."""

    id: str
    text: str
    fields: dict[str, str] = field(default_factory=dict)


def read_items(path: Path, text_column: str = "text", id_column: str = "id") -> list[Item]:
    """Return the items of a file; OperationFailed names every line that is not one.

    A row without an id gets the file's name and its line number for one.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OperationFailed(f"cannot read {path}: {error.strerror}", "name a CSV or JSONL file: FILE=…") from None
    except UnicodeDecodeError as error:
        raise OperationFailed(f"{path} is not UTF-8: byte {error.start}", "save it as UTF-8") from None
    problems: list[str] = []
    items = []
    for line, row in _rows(path, content, problems):
        text = row.pop(text_column, None)
        if not isinstance(text, str) or not text.strip():
            problems.append(f"{path}:{line}: no {text_column}")
            continue
        identity = str(row.pop(id_column, None) or f"{path.stem}-{line}")
        items.append(Item(identity, text, {name: str(value) for name, value in row.items() if value is not None}))
    problems += [f"{path}: the id {twice} stands {count} times" for twice, count in _repeated(items).items()]
    if problems or not items:
        listed = "".join(f"\n  - {problem}" for problem in problems[:20]) or f"\n  - {path}: no rows"
        more = f"\n  - and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise OperationFailed(f"{path} cannot be read as items:{listed}{more}", "correct the lines; nothing was sent")
    return items


def _rows(path: Path, content: str, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.suffix != ".jsonl":
        reader = csv.DictReader(io.StringIO(content))
        for row in reader:
            yield reader.line_num, {name: value for name, value in row.items() if name}
        return
    for number, text in enumerate(content.splitlines(), 1):
        try:
            row = json.loads(text)
        except ValueError as error:
            problems.append(f"{path}:{number}: not JSON: {error}")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(f"{path}:{number}: a JSON object is expected")


def _repeated(items: list[Item]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.id] = counts.get(item.id, 0) + 1
    return {name: count for name, count in counts.items() if count > 1}
