"""An evaluation as one self-contained HTML page: no address, readable in light, in dark and on paper.

Its one script lists every text; the page's policy allows that script alone, by its hash, and no request.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus import pages
from plexus.evaluation import curves, explorer, formats, plots, runs
from plexus.evaluation.proportions import Comparison
from plexus.evaluation.report import METHODS, Evaluation, Figure

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")
#: With more classes the matrix numbers its columns and omits percentages.
ROOMY = 7
#: With more classes the matrix would have thousands of cells: the most frequent mistakes replace it.
MOST_CLASSES = 60
LONGEST = 300
MOST_CONFUSED = 10
_FILTERS = {
    "share": formats.format_share,
    "interval": formats.format_interval,
    "between": formats.format_range,
    "points": formats.format_points,
    "chance": formats.format_p_value,
    "percent": formats.format_percent,
    "seconds": formats.format_seconds,
}


def render(
    evaluation: Evaluation,
    *,
    other: Evaluation | None = None,
    compared: Comparison | None = None,
    show_text: bool = False,
    earlier: Sequence[runs.Run] = (),
) -> str:
    """Return the page as HTML.

    `other` and `compared` add a second configuration on the same texts, `earlier` the accuracy and cost of more of
    them; `show_text` includes texts of mistakes.
    """
    both = pair_figures(evaluation, other) if other is not None else []
    script = (TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    return (
        create_environment()
        .get_template("page.html.j2")
        .render(
            found=evaluation,
            other=other,
            compared=compared,
            both=both,
            names=formats.name_evaluations([evaluation, *([other] if other else [])]),
            show_text=show_text,
            contents=list_sections(evaluation, compared),
            kinds=explorer.list_kinds(evaluation, other),
            data=explorer.render_texts(evaluation, other, show_text=show_text),
            script=script,
            script_hash=explorer.hash_source(script),
            longest=LONGEST,
            most_confused=MOST_CONFUSED,
            methods=METHODS,
            reliability=plots.plot_reliability(evaluation.bins),
            curve=plots.plot_thresholds(evaluation.thresholds),
            forest=plots.plot_forest(both),
            **_describe_matrix(evaluation),
            **_describe_ranking(evaluation, other),
            **_describe_runs(evaluation, other, earlier),
        )
    )


def _describe_matrix(evaluation: Evaluation) -> dict[str, object]:
    """Return the template's values for the confusion matrix."""
    classes = len(evaluation.confusion.labels)
    order = explorer.order_classes(evaluation.confusion, ROOMY)
    rows = list_cells(evaluation, order) if classes <= MOST_CLASSES else []
    return {"order": order, "rows": rows, "dense": classes > ROOMY, "vast": classes > MOST_CLASSES}


def _describe_ranking(evaluation: Evaluation, other: Evaluation | None) -> dict[str, object]:
    """Return the template's values for the curves of the classes with most texts."""
    plotted = sorted(evaluation.curves, key=lambda curve: -curve.support)[: curves.MOST_CLASSES]
    ranking = [draw_curves(curve, other) for curve in plotted]
    return {"plotted": plotted, "most_curves": curves.MOST_CLASSES, "ranking": ranking}


def _describe_runs(evaluation: Evaluation, other: Evaluation | None, earlier: Sequence[runs.Run]) -> dict[str, object]:
    """Return the template's values for accuracy and cost; cost is in seconds if no run called a model."""
    tried = runs.collect([evaluation, *([other] if other else [])], earlier)
    in_dollars = any(run.cost for run in tried)
    return {
        "runs": tried,
        "in_dollars": in_dollars,
        "beaten": [find_first_better(run, tried, in_dollars=in_dollars) for run in tried],
        "quality": plots.plot_quality(tried, in_dollars=in_dollars),
    }


def create_environment() -> jinja2.Environment:
    """Return the templates' environment, which escapes every value and fails on an unknown one."""
    templates = pages.create_environment(TEMPLATES)
    templates.filters |= _FILTERS
    templates.filters["classname"] = lambda place, of: of.confusion.labels[place]
    return templates


def list_sections(evaluation: Evaluation, compared: Comparison | None) -> list[tuple[str, str]]:
    """Return (anchor, title) of the page's sections."""
    return [
        *([("comparison", "Comparison")] if compared is not None else []),
        ("confusion", "Confusion matrix"),
        ("classes", "Classes"),
        *([("texts", "Every text")] if evaluation.texts else []),
        ("confidence", "Confidence"),
        ("ranking", "Thresholds"),
        ("cost", "Time and cost"),
        ("mistakes", "Mistakes"),
        *([("errors", "Failures")] if evaluation.errors else []),
        ("how", "Methods"),
    ]


def draw_curves(curve: curves.Curve, other: Evaluation | None) -> tuple[str, str, str]:
    """Return a class, its ROC curve (empty with more than two classes), and its precision-recall curve."""
    second = next((each for each in other.curves if each.label == curve.label), None) if other else None
    return curve.label, plots.plot_roc(curve, second) if curve.area else "", plots.plot_precision_recall(curve, second)


def find_first_better(run: runs.Run, tried: Sequence[runs.Run], *, in_dollars: bool) -> int | None:
    """Return the number, from 1, of the first run of `tried` that beats this one (`is_beaten_by`); None without one.

    Costs are compared in dollars if `in_dollars`, otherwise in seconds.
    """
    beating = (place for place, each in enumerate(tried, 1) if run.is_beaten_by(each, in_dollars=in_dollars))
    return next(beating, None)


def pair_figures(evaluation: Evaluation, other: Evaluation) -> list[tuple[str, Figure, Figure]]:
    """Return the main figures as (name, first, second)."""
    doubted = [
        ("coverage", evaluation.coverage, other.coverage),
        ("accuracy of all", evaluation.accuracy_of_all, other.accuracy_of_all),
    ][: 2 * (evaluation.abstained + other.abstained > 0)]
    return [
        ("accuracy", evaluation.accuracy, other.accuracy),
        *doubted,
        ("AC1", evaluation.ac1, other.ac1),
        ("kappa", evaluation.kappa, other.kappa),
        ("macro F1", evaluation.macro_f1, other.macro_f1),
    ]


def list_cells(evaluation: Evaluation, order: Sequence[int]) -> list[list[tuple[int, float, bool]]]:
    """Return the confusion matrix's cells: count, share of the row's texts, whether on the diagonal.

    Rows are labels and columns values, both in `order`. The share is 0 in a row without texts.
    """
    counts = evaluation.confusion.counts
    return [
        [(counts[row][column], counts[row][column] / max(1, sum(counts[row])), row == column) for column in order]
        for row in order
    ]
