"""Print an evaluation as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from plexus.evaluation.formats import (
    NOTHING,
    format_interval,
    format_p_value,
    format_points,
    format_range,
    format_seconds,
    format_share,
    measure_width,
    name_evaluations,
    shorten,
)
from plexus.evaluation.ordinal import Ordinal
from plexus.evaluation.proportions import Comparison
from plexus.evaluation.report import Evaluation
from plexus.problems import pluralize

LONGEST = 100
LONGEST_LABEL = 30
#: With more classes the matrix would be wider than a terminal: the most frequent mistakes replace it.
MOST_CLASSES = 10
MOST_CONFUSIONS = 10
MOST_ROWS = 40


def render(
    evaluation: Evaluation,
    other: Evaluation | None = None,
    comparison: Comparison | None = None,
    *,
    show_text: bool = False,
) -> str:
    """Return figures, classes, confusion, thresholds, mistakes and failures as text that ends with a line break.

    With `other`, figures are beside those of the other score; with its `comparison` too, the test between the two
    follows them. Texts appear only with `show_text`.
    """
    parts = [_render_head(evaluation), _render_figures([evaluation, *([other] if other else [])])]
    if comparison is not None and other is not None:
        parts.append(_render_comparison(evaluation, other, comparison))
    parts += [
        _render_classes(evaluation),
        _render_confusion(evaluation),
        _render_thresholds(evaluation),
        _render_mistakes(evaluation, show_text),
        _render_failures(evaluation),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table; the first `left` columns are aligned left, the others right.

    Every row has as many cells as `head`. Cells are cut to LONGEST_LABEL columns; wide characters count as two.
    Without a newline at the end.
    """
    lines = [[shorten(str(cell), LONGEST_LABEL) for cell in row] for row in (head, *rows)]
    widths = [max(measure_width(line[place]) for line in lines) for place in range(len(head))]

    def pad(cell: str, place: int) -> str:
        space = " " * (widths[place] - measure_width(cell))
        return cell + space if place < left else space + cell

    return "\n".join("  ".join(pad(cell, place) for place, cell in enumerate(line)).rstrip() for line in lines)


def _render_head(evaluation: Evaluation) -> str:
    subject = evaluation.subject
    head = f"{subject.score} ({subject.class_name}) on {pluralize(evaluation.texts, 'text')} of {subject.data}"
    decided, right = evaluation.confusion.total, evaluation.confusion.right
    valued = decided + evaluation.abstained
    if evaluation.failed or evaluation.skipped:
        head += f": {valued} have a value, {evaluation.skipped} skipped, {evaluation.failed} failed"
    if evaluation.abstained:
        head += f"\ndecided {decided} of {valued}, right {right} of {decided}; {evaluation.abstained} abstained"
    return head


def _render_figures(evaluations: Sequence[Evaluation]) -> str:
    head = ["figure", *(text for name in name_evaluations(evaluations) for text in (name, "95 %"))]
    rows = []
    doubted = ("coverage", "accuracy_of_all") if any(each.abstained for each in evaluations) else ()
    for name in ("accuracy", *doubted, "ac1", "kappa", "macro_f1"):
        figures = [getattr(each, name) for each in evaluations]
        title = {"ac1": "AC1", "macro_f1": "macro F1"}.get(name, name.replace("_", " "))
        parts = [part for figure in figures for part in (format_share(figure.value), format_interval(figure))]
        rows.append([title, *parts])
    if all(each.ordered for each in evaluations):
        rows += _list_ordered_rows([each.ordered for each in evaluations if each.ordered])
    rows.append(
        ["calibration error", *(part for each in evaluations for part in (format_share(each.calibration_error), ""))]
    )
    rows.append(["time per text", *(part for each in evaluations for part in (format_seconds(each.times.mean), ""))])
    if any(each.spending.usage.calls for each in evaluations):
        for title, costs in (
            ("model cost, USD", [each.spending.cost for each in evaluations]),
            ("cost per text, USD", [each.spending.mean for each in evaluations]),
        ):
            rows.append([title, *(part for cost in costs for part in (NOTHING if cost is None else str(cost), ""))])
    return render_grid(head, rows)


def _list_ordered_rows(found: Sequence[Ordinal]) -> list[list[str]]:
    """Return the rows of labels that are numbers: how far off the values are, in the labels' units."""
    within = (
        part for each in found for part in (format_share(each.within_one), format_range(each.within_one_interval))
    )
    return [
        ["mean absolute error", *(part for each in found for part in (f"{each.mean_error:.3f}", ""))],
        ["at most one off", *within],
        ["weighted kappa", *(part for each in found for part in (format_share(each.weighted_kappa), ""))],
    ]


def _render_comparison(evaluation: Evaluation, other: Evaluation, comparison: Comparison) -> str:
    first, second = name_evaluations([evaluation, other])
    verdict = "a real difference, most likely" if comparison.is_real else "it may be luck"
    return (
        f"{second} against {first}: {format_points(comparison.difference)} points of accuracy "
        f"(95 %: {format_points(comparison.low)} to {format_points(comparison.high)});\n"
        f"right alone on {comparison.only_second}, wrong alone on {comparison.only_first} of {comparison.total} texts; "
        f"McNemar's p {format_p_value(comparison.p_value)}: {verdict}"
    )


def _render_classes(evaluation: Evaluation) -> str:
    classes = sorted(evaluation.confusion.classes, key=lambda each: -(each.support + each.predicted))[:MOST_ROWS]
    labels = {each.label for each in classes}
    more = len(evaluation.confusion.labels) - len(labels)
    rows = [
        [
            each.label,
            str(each.support),
            str(each.predicted),
            format_share(each.precision),
            format_range(each.precision_interval),
            format_share(each.recall),
            format_range(each.recall_interval),
            format_share(each.f1),
        ]
        for each in evaluation.confusion.classes
        if each.label in labels
    ]
    precision, recall, f1 = map(format_share, evaluation.macro)
    rows.append(["macro average", "", "", precision, "", recall, "", f1])
    note = f"\n{more} rarer classes are in the page and in the JSON" if more else ""
    return render_grid(["class", "texts", "values", "precision", "95 %", "recall", "95 %", "F1"], rows) + note


def _render_confusion(evaluation: Evaluation) -> str:
    table = evaluation.confusion
    if len(table.labels) <= MOST_CLASSES:
        rows = [[label, *map(str, counts)] for label, counts in zip(table.labels, table.counts, strict=True)]
        return render_grid(["label \\ value", *table.labels], rows)
    confused = table.confused[:MOST_CONFUSIONS]
    if not confused:
        return ""
    rows = [[label, value, str(count)] for label, value, count in confused]
    return "most frequent mistakes (all are in the page and in the JSON):\n" + render_grid(
        ["label", "value", "texts"], rows, left=2
    )


def _render_thresholds(evaluation: Evaluation) -> str:
    if not evaluation.round_thresholds:
        return ""
    rows = [
        [format_share(each.confidence, 2), format_share(each.coverage), format_share(each.accuracy)]
        for each in evaluation.round_thresholds
    ]
    return "if only values of at least this confidence were used:\n" + render_grid(
        ["confidence", "texts with a value", "accuracy"], rows, left=0
    )


def _render_mistakes(evaluation: Evaluation, show_text: bool) -> str:
    if not evaluation.mistakes:
        return ""
    title = "most confident mistakes:\n" if evaluation.sure else "first mistakes (no value has a confidence):\n"
    head = ["row", "label", "value", "confidence"]
    rows = [
        [str(each.row), each.label, str(each.value), format_share(each.confidence, 2)] for each in evaluation.mistakes
    ]
    if not show_text:
        return title + render_grid(head, rows)
    texts = ["text", *(shorten(each.text, LONGEST) for each in evaluation.mistakes)]
    return title + "\n".join(
        f"{line}  {text}" for line, text in zip(render_grid(head, rows).splitlines(), texts, strict=True)
    )


def _render_failures(evaluation: Evaluation) -> str:
    if not evaluation.errors:
        return ""
    kinds = ", ".join(f"{number} {kind}" for kind, number in evaluation.failures.items())
    more = "" if evaluation.failed == len(evaluation.errors) else f"; the first {len(evaluation.errors)}"
    return f"failed ({kinds}{more}):\n" + "\n".join(
        f"  row {each.row}: {shorten(str(each.error), 2 * LONGEST)}" for each in evaluation.errors
    )
