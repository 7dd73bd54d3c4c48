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
_FILTERS = ("share", "interval", "between", "points", "chance", "seconds")


def render(
    found: Evaluation,
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
    both = figures(found, other) if other is not None else []
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            found=found,
            other=other,
            compared=compared,
            both=both,
            names=formats.distinct_names([found, *([other] if other else [])]),
            show_text=show_text,
            contents=contents(found, compared),
            order=(placed := explorer.order(found.confusion, ROOMY)),
            rows=rows(found, placed) if len(found.confusion.labels) <= MOST_CLASSES else [],
            kinds=explorer.KINDS[: None if other else 4],
            data=explorer.data(found, other, show_text=show_text),
            script=(script := (TEMPLATES / "explorer.js").read_text(encoding="utf-8")),
            script_hash=explorer.policy(script),
            dense=len(found.confusion.labels) > ROOMY,
            vast=len(found.confusion.labels) > MOST_CLASSES,
            plotted=(plotted := sorted(found.curves, key=lambda curve: -curve.support)[: curves.MOST_CLASSES]),
            most_curves=curves.MOST_CLASSES,
            ranking=[draw_curves(curve, other) for curve in plotted],
            runs=(tried := runs.of([found, *([other] if other else [])], earlier)),
            in_dollars=(in_dollars := any(run.cost for run in tried)),
            beaten=[first_better(run, tried, in_dollars=in_dollars) for run in tried],
            quality=plots.quality(tried, in_dollars=in_dollars),
            longest=LONGEST,
            most_confused=MOST_CONFUSED,
            methods=METHODS,
            reliability=plots.reliability(found.bins),
            curve=plots.curve(found.thresholds),
            forest=plots.forest(both),
        )
    )


def environment() -> jinja2.Environment:
    """Return the templates' environment, which escapes every value and fails on an unknown one."""
    templates = pages.create_environment(TEMPLATES)
    templates.filters |= {name: getattr(formats, name) for name in _FILTERS}
    templates.filters["classname"] = lambda place, of: of.confusion.labels[place]
    return templates


def contents(found: Evaluation, compared: Comparison | None) -> list[tuple[str, str]]:
    """Return (anchor, title) of the page's sections."""
    return [
        *([("comparison", "Comparison")] if compared is not None else []),
        ("confusion", "Confusion matrix"),
        ("classes", "Classes"),
        *([("texts", "Every text")] if found.texts else []),
        ("confidence", "Confidence"),
        ("ranking", "Thresholds"),
        ("cost", "Time and cost"),
        ("mistakes", "Mistakes"),
        *([("errors", "Failures")] if found.errors else []),
        ("how", "Methods"),
    ]


def draw_curves(curve: curves.Curve, other: Evaluation | None) -> tuple[str, str, str]:
    """Return a class, its ROC curve (empty with more than two classes), and its precision-recall curve."""
    second = next((each for each in other.curves if each.label == curve.label), None) if other else None
    return curve.label, plots.roc(curve, second) if curve.area else "", plots.precision_recall(curve, second)


def first_better(run: runs.Run, tried: Sequence[runs.Run], *, in_dollars: bool) -> int | None:
    """Return the number, from 1, of the first run that is both better and cheaper; None if there is none."""
    beating = (place for place, each in enumerate(tried, 1) if run.is_beaten_by(each, in_dollars=in_dollars))
    return next(beating, None)


def figures(found: Evaluation, other: Evaluation) -> list[tuple[str, Figure, Figure]]:
    """Return the main figures as (name, first, second)."""
    return [
        ("accuracy", found.accuracy, other.accuracy),
        ("AC1", found.ac1, other.ac1),
        ("kappa", found.kappa, other.kappa),
        ("macro F1", found.macro_f1, other.macro_f1),
    ]


def rows(found: Evaluation, order: Sequence[int]) -> list[list[tuple[int, int, bool]]]:
    """Return the confusion matrix's cells: count, percentage of the row's texts, whether on the diagonal."""
    counts = found.confusion.counts
    return [
        [
            (counts[row][column], round(100 * counts[row][column] / max(1, sum(counts[row]))), row == column)
            for column in order
        ]
        for row in order
    ]
