"""Format figures for tables and pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from plexus.evaluation.report import Evaluation, Figure
from plexus.problems import pluralize

NOTHING = "–"


def format_share(value: float | None, digits: int = 3) -> str:
    """Format a figure between -1 and 1; a dash if it is undefined."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def format_percent(share: float) -> str:
    """Format a share in percent without decimals, so that only nothing is 0 and only all is 100."""
    rounded = round(100 * share)
    return "<1" if not rounded and share else ">99" if rounded == 100 and share < 1 else str(rounded)


def format_interval(figure: Figure) -> str:
    """Format a figure's interval, as in `0.764 to 0.935`, or why it has none; empty without a figure."""
    if figure.low is None or figure.high is None:
        return "" if figure.value is None else "too few of a class"
    return format_range((figure.low, figure.high))


def format_range(ends: tuple[float, float] | None) -> str:
    """Format an interval as in `0.764 to 0.935`; empty if there is none."""
    return "" if ends is None else f"{format_share(ends[0])} to {format_share(ends[1])}"


def format_points(value: float) -> str:
    """Format a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "\u2212")


def format_p_value(value: float) -> str:
    """Format a p-value."""
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}"


def format_seconds(value: float) -> str:
    """Format a duration in s, ms or µs."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"


def format_counts(counts: Sequence[tuple[str, int]], maximum: int | None = None) -> str:
    """Format labels with their numbers, as in `good 65, bad 63`, and after `maximum` of them how many more there are.

    A colon separates the two if a label ends in a digit, as in `5: 26, 4: 12`.
    """
    first = counts[:maximum]
    mark = ":" if any(label[-1:].isdigit() for label, _ in first) else ""
    rest = len(counts) - len(first)
    listed = [f"{label}{mark} {count}" for label, count in first]
    return ", ".join([*listed, pluralize(rest, "more label")] if rest else listed)


def shorten(text: str, maximum: int) -> str:
    """Return at most `maximum` characters of a text, safe for a terminal: white space collapsed, controls replaced."""
    printable = "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))
    return printable if len(printable) <= maximum else printable[: maximum - 1] + "…"


def measure_width(text: str) -> int:
    """Return the number of terminal columns that the text occupies."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def name_evaluations(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return distinct names of evaluations: their scorecards' files, or their scores if the file is the same."""
    cards = [evaluation.subject.card for evaluation in evaluations]
    return cards if len(set(cards)) == len(cards) else [evaluation.subject.score for evaluation in evaluations]
