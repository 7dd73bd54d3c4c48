"""An evaluation as one self-contained HTML page: no script, no address, readable in light, in dark and on paper."""

from __future__ import annotations

from pathlib import Path

from plexus.evaluation import formats, plots
from plexus.evaluation.paired import Comparison
from plexus.evaluation.report import METHODS, Evaluation, Figure

TEMPLATES = Path(__file__).with_name("templates")
#: With more classes the matrix has numbers for its columns' names and no percentages.
ROOMY = 7
#: With more still it has a cell for each pair of thousands: the most frequent mistakes stand in its place.
MOST_CLASSES = 60
LONGEST = 300
MOST_CONFUSED = 10
_FILTERS = ("share", "interval", "between", "points", "chance", "seconds")


def render(
    found: Evaluation, *, other: Evaluation | None = None, compared: Comparison | None = None, show_text: bool = False
) -> str:
    """The page; `other` and `compared` add a second configuration on the same texts, `show_text` quotes texts."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(formats, name) for name in _FILTERS}
    both = figures(found, other) if other is not None else []
    return environment.get_template("page.html.j2").render(
        found=found,
        other=other,
        compared=compared,
        both=both,
        names=formats.named([found, *([other] if other else [])]),
        show_text=show_text,
        contents=contents(found, compared),
        rows=rows(found) if len(found.confusion.labels) <= MOST_CLASSES else [],
        dense=len(found.confusion.labels) > ROOMY,
        vast=len(found.confusion.labels) > MOST_CLASSES,
        longest=LONGEST,
        most_confused=MOST_CONFUSED,
        methods=METHODS,
        reliability=plots.reliability(found.bins),
        curve=plots.curve(found.thresholds),
        forest=plots.forest(both),
    )


def contents(found: Evaluation, compared: Comparison | None) -> list[tuple[str, str]]:
    """(anchor, title) of the page's sections."""
    return [
        *([("comparison", "Comparison")] if compared is not None else []),
        ("confusion", "What is taken for what"),
        ("classes", "Classes"),
        ("confidence", "Confidence"),
        ("cost", "Time and cost"),
        ("mistakes", "Mistakes"),
        *([("errors", "Failures")] if found.errors else []),
        ("how", "How the figures are made"),
    ]


def figures(found: Evaluation, other: Evaluation) -> list[tuple[str, Figure, Figure]]:
    """(name, first's, second's) of the main figures."""
    return [
        ("accuracy", found.accuracy, other.accuracy),
        ("AC1", found.ac1, other.ac1),
        ("kappa", found.kappa, other.kappa),
        ("macro F1", found.macro_f1, other.macro_f1),
    ]


def rows(found: Evaluation) -> list[list[tuple[int, int, bool]]]:
    """The confusion matrix's cells: count, its share of the row's texts in percent, whether it is the diagonal."""
    return [
        [(count, round(100 * count / max(1, sum(counts))), row == column) for column, count in enumerate(counts)]
        for row, counts in enumerate(found.confusion.counts)
    ]
