"""An evaluation for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from plexus.evaluation.page import interval, seconds, share
from plexus.evaluation.paired import Comparison
from plexus.evaluation.report import Evaluation

LONGEST = 100
MISTAKES = "most confident mistakes:\n"


def tables(
    found: Evaluation, other: Evaluation | None = None, compared: Comparison | None = None, *, show_text: bool = False
) -> str:
    """Figures, classes, confusion, mistakes and failures as text; ends with a line break."""
    parts = [_head(found), _figures([found, *([other] if other else [])])]
    if compared is not None and other is not None:
        parts.append(_compared(found, other, compared))
    parts += [_classes(found), _confusion(found), _mistakes(found, show_text), _failures(found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns side by side, the first `left` aligned left, the others right."""
    lines = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _head(found: Evaluation) -> str:
    subject = found.subject
    said = f"{subject.score} ({subject.class_name}) on {found.texts} texts of {subject.data}"
    if found.failed or found.skipped:
        said += f": {found.confusion.total} have a value, {found.skipped} skipped, {found.failed} failed"
    return said


def _figures(all_found: Sequence[Evaluation]) -> str:
    names = ("accuracy", "ac1", "kappa", "macro_f1")
    head = ["figure", *(text for each in all_found for text in (each.subject.card, "95 %"))]
    rows = []
    for name in names:
        figures = [getattr(each, name) for each in all_found]
        rows.append([name.replace("_", " "), *(part for one in figures for part in (share(one.value), interval(one)))])
    rows.append(["calibration error", *(part for one in all_found for part in (share(one.calibration_error), ""))])
    rows.append(["a text takes", *(part for one in all_found for part in (seconds(one.times.mean), ""))])
    if any(each.spending.usage.calls for each in all_found):
        costs = [each.spending.cost for each in all_found]
        rows.append(
            ["models cost, USD", *(part for cost in costs for part in ("–" if cost is None else str(cost), ""))]
        )
    return grid(head, rows)


def _compared(found: Evaluation, other: Evaluation, compared: Comparison) -> str:
    verdict = "a real difference, most likely" if compared.p_value < 0.05 else "it may be luck"
    return (
        f"{other.subject.card} against {found.subject.card}: {100 * compared.difference:+.1f} points of accuracy; "
        f"right alone on {compared.only_second}, wrong alone on {compared.only_first} of {compared.total} texts; "
        f"McNemar p = {compared.p_value:.4f}: {verdict}"
    )


def _classes(found: Evaluation) -> str:
    rows = [
        [each.label, str(each.support), str(each.predicted), share(each.precision), share(each.recall), share(each.f1)]
        for each in found.confusion.classes
    ]
    rows.append(["macro average", "", "", *map(share, found.macro)])
    return grid(["class", "texts", "values", "precision", "recall", "F1"], rows)


def _confusion(found: Evaluation) -> str:
    table = found.confusion
    rows = [[label, *map(str, counts)] for label, counts in zip(table.labels, table.counts, strict=True)]
    return grid(["label \\ value", *table.labels], rows)


def _mistakes(found: Evaluation, show_text: bool) -> str:
    if not found.mistakes:
        return ""
    head = ["row", "label", "value", "confidence"]
    rows = [[str(each.row), each.label, str(each.value), share(each.confidence, 2)] for each in found.mistakes]
    if not show_text:
        return MISTAKES + grid(head, rows)
    texts = [" ".join(each.text.split()) for each in found.mistakes]
    short = [text if len(text) <= LONGEST else text[: LONGEST - 1] + "…" for text in texts]
    return MISTAKES + "\n".join(
        f"{line}  {text}" for line, text in zip(grid(head, rows).splitlines(), ["text", *short], strict=True)
    )


def _failures(found: Evaluation) -> str:
    if not found.errors:
        return ""
    more = "" if found.failed == len(found.errors) else f" (the first {len(found.errors)} of {found.failed})"
    return f"failed{more}:\n" + "\n".join(f"  row {each.row}: {each.error}" for each in found.errors)
