"""An evaluation as one self-contained HTML page: no script, no address, readable in light, in dark and on paper."""

from __future__ import annotations

from pathlib import Path

from plexus.evaluation import plots
from plexus.evaluation.paired import Comparison
from plexus.evaluation.report import Evaluation, Figure

TEMPLATE = "page.html.j2"
SHOWN_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


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
        thresholds=at_thresholds(found),
        reliability=plots.reliability(found.bins),
        curve=plots.curve(found.thresholds),
    )


def share(value: float | None, digits: int = 3) -> str:
    """A figure between -1 and 1, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def interval(figure: Figure) -> str:
    """`0.764 to 0.935`, or nothing."""
    return "" if figure.low is None or figure.high is None else f"{share(figure.low)} to {share(figure.high)}"


def seconds(value: float) -> str:
    """A time for people."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"


def rows(found: Evaluation) -> list[list[tuple[int, int, bool]]]:
    """The confusion matrix's cells: count, its share of the row's texts in percent, whether it is the diagonal."""
    return [
        [(count, round(100 * count / max(1, sum(counts))), row == column) for column, count in enumerate(counts)]
        for row, counts in enumerate(found.confusion.counts)
    ]


def at_thresholds(found: Evaluation) -> list[tuple[float, float, float | None]]:
    """(threshold, coverage, accuracy) at round thresholds; no accuracy where no value is as sure."""
    total = found.confusion.total
    made = []
    for least in SHOWN_THRESHOLDS:
        kept = [each for each in found.judged if each.value is not None and (each.confidence or 0.0) >= least]
        right = sum(each.right for each in kept)
        made.append((least, len(kept) / total if total else 0.0, right / len(kept) if kept else None))
    return made
