"""An evaluation for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from plexus.evaluation.formats import NOTHING, between, chance, interval, named, one_line, points, seconds, share, width
from plexus.evaluation.paired import Comparison
from plexus.evaluation.report import Evaluation

LONGEST = 100
LONGEST_LABEL = 30
#: With more classes the matrix would be wider than a terminal: the most frequent mistakes stand in its place.
MOST_CLASSES = 10
SHOWN = 10
MOST_ROWS = 40


def tables(
    found: Evaluation, other: Evaluation | None = None, compared: Comparison | None = None, *, show_text: bool = False
) -> str:
    """Figures, classes, confusion, thresholds, mistakes and failures as text; ends with a line break."""
    parts = [_head(found), _figures([found, *([other] if other else [])])]
    if compared is not None and other is not None:
        parts.append(_compared(found, other, compared))
    parts += [_classes(found), _confusion(found), _thresholds(found), _mistakes(found, show_text), _failures(found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns side by side, the first `left` aligned left, the others right."""
    lines = [[one_line(str(cell), LONGEST_LABEL) for cell in row] for row in (head, *rows)]
    widths = [max(width(line[place]) for line in lines) for place in range(len(head))]

    def padded(cell: str, place: int) -> str:
        space = " " * (widths[place] - width(cell))
        return cell + space if place < left else space + cell

    return "\n".join("  ".join(padded(cell, place) for place, cell in enumerate(line)).rstrip() for line in lines)


def _head(found: Evaluation) -> str:
    subject = found.subject
    said = f"{subject.score} ({subject.class_name}) on {found.texts} texts of {subject.data}"
    if found.failed or found.skipped:
        said += f": {found.confusion.total} have a value, {found.skipped} skipped, {found.failed} failed"
    return said


def _figures(all_found: Sequence[Evaluation]) -> str:
    head = ["figure", *(text for name in named(all_found) for text in (name, "95 %"))]
    rows = []
    for name in ("accuracy", "ac1", "kappa", "macro_f1"):
        figures = [getattr(each, name) for each in all_found]
        called = {"ac1": "AC1", "macro_f1": "macro F1"}.get(name, name)
        rows.append([called, *(part for one in figures for part in (share(one.value), interval(one)))])
    rows.append(["calibration error", *(part for one in all_found for part in (share(one.calibration_error), ""))])
    rows.append(["a text takes", *(part for one in all_found for part in (seconds(one.times.mean), ""))])
    if any(each.spending.usage.calls for each in all_found):
        for called, costs in (
            ("models cost, USD", [each.spending.cost for each in all_found]),
            ("for a text, USD", [each.spending.mean for each in all_found]),
        ):
            rows.append([called, *(part for cost in costs for part in (NOTHING if cost is None else str(cost), ""))])
    return grid(head, rows)


def _compared(found: Evaluation, other: Evaluation, compared: Comparison) -> str:
    first, second = named([found, other])
    verdict = "a real difference, most likely" if compared.p_value < 0.05 else "it may be luck"
    return (
        f"{second} against {first}: {points(compared.difference)} points of accuracy "
        f"(95 %: {points(compared.low)} to {points(compared.high)});\n"
        f"right alone on {compared.only_second}, wrong alone on {compared.only_first} of {compared.total} texts; "
        f"McNemar's p {chance(compared.p_value)}: {verdict}"
    )


def _classes(found: Evaluation) -> str:
    classes = sorted(found.confusion.classes, key=lambda each: -(each.support + each.predicted))[:MOST_ROWS]
    shown = {each.label for each in classes}
    more = len(found.confusion.labels) - len(shown)
    rows = [
        [
            each.label,
            str(each.support),
            str(each.predicted),
            share(each.precision),
            between(each.precision_interval),
            share(each.recall),
            between(each.recall_interval),
            share(each.f1),
        ]
        for each in found.confusion.classes
        if each.label in shown
    ]
    precision, recall, f1 = map(share, found.macro)
    rows.append(["macro average", "", "", precision, "", recall, "", f1])
    told = f"\n{more} rarer classes are in the page and in the JSON" if more else ""
    return grid(["class", "texts", "values", "precision", "95 %", "recall", "95 %", "F1"], rows) + told


def _confusion(found: Evaluation) -> str:
    table = found.confusion
    if len(table.labels) <= MOST_CLASSES:
        rows = [[label, *map(str, counts)] for label, counts in zip(table.labels, table.counts, strict=True)]
        return grid(["label \\ value", *table.labels], rows)
    confused = table.confused[:SHOWN]
    if not confused:
        return ""
    rows = [[label, value, str(count)] for label, value, count in confused]
    return "most frequent mistakes (all are in the page and in the JSON):\n" + grid(
        ["label", "value", "texts"], rows, left=2
    )


def _thresholds(found: Evaluation) -> str:
    if not found.round_thresholds:
        return ""
    rows = [[share(each.confidence, 2), share(each.coverage), share(each.accuracy)] for each in found.round_thresholds]
    return "if only values of at least this confidence were used:\n" + grid(
        ["confidence", "texts with a value", "accuracy"], rows, left=0
    )


def _mistakes(found: Evaluation, show_text: bool) -> str:
    if not found.mistakes:
        return ""
    title = "most confident mistakes:\n" if found.sure else "first mistakes (no value has a confidence):\n"
    head = ["row", "label", "value", "confidence"]
    rows = [[str(each.row), each.label, str(each.value), share(each.confidence, 2)] for each in found.mistakes]
    if not show_text:
        return title + grid(head, rows)
    texts = ["text", *(one_line(each.text, LONGEST) for each in found.mistakes)]
    return title + "\n".join(f"{line}  {text}" for line, text in zip(grid(head, rows).splitlines(), texts, strict=True))


def _failures(found: Evaluation) -> str:
    if not found.errors:
        return ""
    kinds = ", ".join(f"{number} {kind}" for kind, number in found.failures.items())
    more = "" if found.failed == len(found.errors) else f"; the first {len(found.errors)}"
    return f"failed ({kinds}{more}):\n" + "\n".join(
        f"  row {each.row}: {one_line(str(each.error), 2 * LONGEST)}" for each in found.errors
    )
