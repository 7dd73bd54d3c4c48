"""An evaluation as one self-contained HTML page: no script, no address, readable in light, in dark and on paper."""

from __future__ import annotations

from pathlib import Path

from plexus.evaluation import plots
from plexus.evaluation.formats import interval, seconds, share
from plexus.evaluation.paired import Comparison
from plexus.evaluation.report import Evaluation

TEMPLATE = "page.html.j2"


def render(
    found: Evaluation, *, other: Evaluation | None = None, compared: Comparison | None = None, show_text: bool = False
) -> str:
    """The page; `other` and `compared` add a second configuration on the same texts, `show_text` quotes texts."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": share, "interval": interval, "seconds": seconds}
    return environment.get_template(TEMPLATE).render(
        found=found,
        other=other,
        compared=compared,
        show_text=show_text,
        rows=rows(found),
        reliability=plots.reliability(found.bins),
        curve=plots.curve(found.thresholds),
    )


def rows(found: Evaluation) -> list[list[tuple[int, int, bool]]]:
    """The confusion matrix's cells: count, its share of the row's texts in percent, whether it is the diagonal."""
    return [
        [(count, round(100 * count / max(1, sum(counts))), row == column) for column, count in enumerate(counts)]
        for row, counts in enumerate(found.confusion.counts)
    ]
