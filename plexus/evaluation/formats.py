"""Figures as people read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from plexus.evaluation.report import Evaluation, Figure

NOTHING = "–"


def share(value: float | None, digits: int = 3) -> str:
    """A figure between -1 and 1, or a dash where it is undefined."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def interval(figure: Figure) -> str:
    """`0.764 to 0.935`, or nothing."""
    return "" if figure.low is None or figure.high is None else between((figure.low, figure.high))


def between(ends: tuple[float, float] | None) -> str:
    """The same for two ends."""
    return "" if ends is None else f"{share(ends[0])} to {share(ends[1])}"


def points(value: float) -> str:
    """A difference of shares in points of a hundred, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "\u2212")


def chance(value: float) -> str:
    """A p-value."""
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}"


def seconds(value: float) -> str:
    """A time for people."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"


def one_line(text: str, longest: int) -> str:
    """A text that cannot move a terminal's cursor or colours: white space made one, control characters shown, cut."""
    told = "".join(each if each.isprintable() else "�" for each in " ".join(text.split()))
    return told if len(told) <= longest else told[: longest - 1] + "…"


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(unicodedata.combining(each) > 0 for each in text)


def named(all_found: Sequence[Evaluation]) -> list[str]:
    """What tells the evaluations apart: their scorecards' files, or their scores where the file is the same."""
    cards = [each.subject.card for each in all_found]
    return cards if len(set(cards)) == len(cards) else [each.subject.score for each in all_found]
