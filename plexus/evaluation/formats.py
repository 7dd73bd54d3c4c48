"""Format figures for tables and pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from plexus.evaluation.report import Evaluation, Figure

NOTHING = "–"


def share(value: float | None, digits: int = 3) -> str:
    """Format a figure between -1 and 1; a dash if it is undefined."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def interval(figure: Figure) -> str:
    """Format a figure's interval, as in `0.764 to 0.935`; empty if it has none."""
    return "" if figure.low is None or figure.high is None else between((figure.low, figure.high))


def between(ends: tuple[float, float] | None) -> str:
    """Format an interval, given by its ends."""
    return "" if ends is None else f"{share(ends[0])} to {share(ends[1])}"


def points(value: float) -> str:
    """Format a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "\u2212")


def chance(value: float) -> str:
    """Format a p-value."""
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}"


def seconds(value: float) -> str:
    """Format a duration in s, ms or µs."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"


def one_line(text: str, longest: int) -> str:
    """Return a text safe for a terminal: white space collapsed, control characters replaced, truncated."""
    printable = "".join(each if each.isprintable() else "�" for each in " ".join(text.split()))
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"


def width(text: str) -> int:
    """Return the number of terminal columns that the text occupies."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(unicodedata.combining(each) > 0 for each in text)


def distinct_names(all_found: Sequence[Evaluation]) -> list[str]:
    """Return distinct names of evaluations: their scorecards' files, or their scores if the file is the same."""
    cards = [each.subject.card for each in all_found]
    return cards if len(set(cards)) == len(cards) else [each.subject.score for each in all_found]
