"""Write the parts of a split, and the record from which the split can be repeated."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from plexus.dataset import splitting
from plexus.dataset.entries import Dataset, Entry, choose_written_names, read
from plexus.dataset.looking import FEW, find_near_pairs
from plexus.dataset.writing import Writer
from plexus.evaluation.formats import format_counts
from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables import Table
from plexus.tables.labels import fold_label
from plexus.whole_file import write_text

_MOST = 8  # classes in a line


@dataclass(frozen=True)
class SplitPlan:
    """A plan of a split: the share of each part, and the column that groups or orders rows, if there is one.

    `time_format` is the format of strptime in which the times are, None for ISO 8601 and numbers.
    """

    seed: int
    shares: Mapping[str, float]
    group: str | None
    time: str | None
    format: str
    time_format: str | None = None

    def list_paths(self, folder: Path) -> list[Path]:
        """Return the files that are written: the parts, then the record."""
        return [*(folder / f"{part}.{self.format}" for part in self.shares), folder / "split.json"]


@dataclass(frozen=True)
class Split:
    """A split that was written.

    `text` and `label` are the columns as the parts have them, `blank` the number of rows without a text, `leaks` of
    texts that another part has too; the writer counts the cells that were changed.
    """

    text: str
    label: str | None
    parts: Mapping[str, Sequence[Entry]]
    blank: int
    leaks: int
    writer: Writer


def compute_shares(test: float, validation: float | None) -> dict[str, float]:
    """Return part → share, in the order of time. Raises InvalidData if nothing is left to train on."""
    rest = 1 - test - (validation or 0)
    if rest < 1e-9:
        raise InvalidData(f"--test {test} and --validation {validation}: expected a sum below 1")
    return {"train": rest, **({"validation": validation} if validation else {}), "test": test}


def write(table: Table, text: str, label: str | None, plan: SplitPlan, folder: Path) -> Split:
    """Split the table's rows with a text, write the parts and split.json into the folder, and return the split.

    Existing files are replaced. Raises InvalidData as `read`, `split_by_class` and `split_by_time` do.
    """
    dataset = read(table, text, label, plan.group or plan.time)
    kept = [entry for entry in dataset.entries if entry.has_text]
    if plan.time is not None:
        placed = splitting.split_by_time(kept, plan.shares, plan.time_format)
    else:
        groups = splitting.group_entries(kept, by_extra=plan.group is not None)
        placed = splitting.split_by_class(groups, plan.shares, plan.seed)
    parts = {part: [entry for entry in kept if placed[entry.row] == part] for part in plan.shares}
    writer = Writer(table, choose_written_names(dataset))
    for part, path in zip(plan.shares, plan.list_paths(folder), strict=False):
        writer.write(path, plan.format, partial(_keep, placed, part))
    rest = [entry for part, entries in parts.items() if part != "test" for entry in entries]
    leaks = len(find_near_pairs(parts["test"], rest)) if plan.time is not None or plan.group is not None else 0
    record = _create_record(table, dataset, plan, parts, leaks)
    names = writer.columns
    write_text(folder / "split.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return Split(names[text], names[label] if label else None, parts, len(dataset.entries) - len(kept), leaks, writer)


def _keep(placed: Mapping[int, str], part: str, row: int) -> Mapping[str, object] | None:
    """Return no changes of a row of the part, None for the row of another one."""
    return {} if placed.get(row) == part else None


def describe(split: Split, folder: Path, plan: SplitPlan) -> str:
    """Return a line for each file that was written, with its rows of each class, and one about shared texts.

    Classes are those of all parts, the most frequent first, at most eight of them on a line.
    """
    classes = Counter(fold_label(entry.label) for entries in split.parts.values() for entry in entries)
    names = {
        fold_label(entry.label): entry.label.strip() for entries in split.parts.values() for entry in reversed(entries)
    }
    lines = []
    for path, (_, entries) in zip(plan.list_paths(folder), split.parts.items(), strict=False):
        counts = Counter(fold_label(entry.label) for entry in entries)
        listed = format_counts([(names[name], counts[name]) for name, _ in classes.most_common() if names[name]], _MOST)
        lines.append(f"wrote {path}: {pluralize(len(entries), 'row')}" + (f" ({listed})" if listed else ""))
    lines.append(f"wrote {folder / 'split.json'}")
    tested = Counter(fold_label(entry.label) for entry in split.parts["test"])
    few = [f"{names[name]} ({tested[name]})" for name in classes if names[name] and tested[name] < FEW]
    if few:
        listed = ", ".join(few[:_MOST]) + (f", {len(few) - _MOST} more" if len(few) > _MOST else "")
        lines.append(f"classes of fewer than {FEW} texts in test, whose figures will be noise: {listed}")
    if split.blank:
        lines.append(f"{pluralize(split.blank, 'row')} without a text left out")
    if plan.time is None and plan.group is None:
        lines.append("no text is in two parts, not even almost")
    elif split.leaks:
        *others, test, _ = plan.list_paths(folder)
        words = ["plexus", "data", "clean", test, *(word for path in others for word in ("--without", path))]
        words += ["--text", split.text] if split.text != "text" else []
        words += ["--label", split.label] if split.label not in (None, "label") else []
        command = shlex.join(map(str, [*words, "--output", test.with_name(f"fresh.{plan.format}")]))
        lines.append(f"{pluralize(split.leaks, 'text')} of test also in another part, or almost. next: {command}")
    else:
        lines.append("no text of test is in another part, not even almost")
    return "\n".join(lines)


def _create_record(
    table: Table, dataset: Dataset, plan: SplitPlan, parts: Mapping[str, Sequence[Entry]], leaks: int
) -> dict[str, object]:
    return {
        "file": table.name,
        "sha256": table.hash_content(),
        "text": dataset.text,
        "label": dataset.label,
        **asdict(plan),
        "together": f"periods of {plan.time}"
        if plan.time
        else f"rows of one {plan.group}"
        if plan.group
        else "near-duplicates",
        "leaks": leaks,
        "parts": {
            part: {
                "rows": [entry.row for entry in entries],
                "labels": dict(Counter(entry.label.strip() for entry in entries).most_common()),
            }
            for part, entries in parts.items()
        },
    }
