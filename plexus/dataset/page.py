"""Render a table's description as one self-contained HTML page: no link, no script, light, dark and print styles."""

from __future__ import annotations

from plexus.dataset.looking import Look
from plexus.evaluation import plots
from plexus.evaluation.page import create_environment

MOST_LABELS = 60


def render(look: Look, notice: str) -> str:
    """Return the page as HTML; `notice` is the format that was detected. The page contains no text of the table.

    The page loads nothing, and needs no network.
    """
    template = create_environment().get_template("look.html.j2")
    bars = [(f"{low:,} to {high:,}" if high > low else f"{low:,}", count) for low, high, count in look.histogram]
    return template.render(
        look=look,
        notice=notice,
        histogram=bars,
        lengths=plots.plot_bars("Number of texts by their length in characters", bars),
        labels=look.labels[:MOST_LABELS],
        total=sum(count.texts for count in look.labels),
        most=max((count.texts for count in look.labels), default=1),
    )
