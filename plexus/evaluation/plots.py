"""The page's plots as SVG; their colours come from the page, their numbers stand in its tables too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from plexus.evaluation.calibration import Bin, Threshold
from plexus.evaluation.report import Figure

WIDTH, HEIGHT = 440, 330
COUNTS = 50  # the height of the bars that count texts
EDGES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95)  # where a plot of confidences may begin
FEW = 15  # with fewer points than these, each is marked


@dataclass(frozen=True)
class Frame:
    """A plot's area in the SVG's units, and the values at its edges; y grows upwards from 0 to 1."""

    left: float = 46
    right: float = WIDTH - 16
    top: float = 12
    bottom: float = HEIGHT - 40
    low: float = 0.0
    high: float = 1.0

    def x(self, value: float) -> float:
        """Where a value lies from left to right."""
        return self.left + (self.right - self.left) * (value - self.low) / (self.high - self.low)

    def y(self, share: float) -> float:
        """Where a share lies, 0 at the bottom."""
        return self.bottom - (self.bottom - self.top) * share


def reliability(bins: Sequence[Bin]) -> str:
    """Mean confidence against accuracy with its interval for each bin; under them, how many texts the bins have."""
    frame = Frame(bottom=HEIGHT - 40 - COUNTS - 12)
    floor = HEIGHT - 40
    most = max((each.count for each in bins), default=1)
    marks = [_line("ideal", frame.x(0), frame.y(0), frame.x(1), frame.y(1))]
    for each in bins:
        x, wide = frame.x(each.confidence), frame.x(each.high) - frame.x(each.low) - 4
        high = max(1.0, COUNTS * each.count / most)
        told = f"{each.count} texts: confidence {each.confidence:.3f}, right {each.accuracy:.3f}"
        marks += [
            f'<rect class="count" x="{frame.x(each.low) + 2:.1f}" y="{floor - high:.1f}" width="{wide:.1f}" '
            f'height="{high:.1f}"><title>{each.count} texts</title></rect>',
            _line("reach", x, frame.y(each.accuracy_low), x, frame.y(each.accuracy_high)),
            _dot("dot", x, frame.y(each.accuracy), told),
        ]
    marks.insert(1, _path("series", [(frame.x(each.confidence), frame.y(each.accuracy)) for each in bins]))
    marks.append(_text("tick end", frame.left - 6, floor - COUNTS + 8, str(most)))
    marks.append(_text("tick end", frame.left - 6, floor, "0"))
    marks.append(_line("grid", frame.left, floor, frame.right, floor))
    return _plot("Reliability: confidence against the share of right values", frame, "confidence", "right", marks)


def curve(found: Sequence[Threshold]) -> str:
    """Accuracy and coverage over the threshold that a value's confidence has to reach."""
    lowest = min((each.confidence for each in found), default=0.0)
    frame = Frame(low=max(each for each in EDGES if each <= lowest))
    ordered = sorted(found, key=lambda each: each.confidence)
    marks = []
    for name, series in (("accuracy", ""), ("coverage", " second")):
        points = [(frame.x(each.confidence), frame.y(getattr(each, name))) for each in ordered]
        marks.append(_path(f"series{series}", points))
        if len(points) < FEW:
            for each, (x, y) in zip(ordered, points, strict=True):
                told = f"confidence at least {each.confidence:.3f}: {name} {getattr(each, name):.3f}"
                marks.append(_dot(f"dot{series}", x, y, told))
    return _plot("Threshold: what a least confidence would buy", frame, "least confidence", "share", marks)


def forest(both: Sequence[tuple[str, Figure, Figure]]) -> str:
    """A row for each figure: the two values, each with its interval."""
    row, top = 44, 10
    bottom = top + row * len(both)
    frame = Frame(74, WIDTH - 16, top, bottom, *_tenths([each for _, *pair in both for each in pair]))
    marks = []
    for place, (name, *pair) in enumerate(both):
        middle = top + row * (place + 0.5)
        marks.append(_text("name end", frame.left - 10, middle + 4, name))
        for one, series, offset in zip(pair, ("", " second"), (-7, 7), strict=True):
            marks += _ranged(frame, one, series, middle + offset)
    parts = [*_vertical(frame), *marks]
    return _svg("Figures of both with their intervals", bottom + 26, parts)


def _tenths(figures: Sequence[Figure]) -> tuple[float, float]:
    """The tenths around all figures and their intervals."""
    ends = [end for each in figures for end in (each.value, each.low, each.high) if end is not None] or [0.0, 1.0]
    low, high = math.floor(min(ends) * 10), math.ceil(max(ends) * 10)
    return low / 10, max(high, low + 1) / 10


def _ranged(frame: Frame, one: Figure, series: str, y: float) -> Iterator[str]:
    if one.value is None:
        return
    if one.low is not None and one.high is not None:
        yield _line(f"reach{series}", frame.x(one.low), y, frame.x(one.high), y)
    yield _dot(f"dot{series}", frame.x(one.value), y, f"{one.value:.3f}")


def _plot(title: str, frame: Frame, below: str, beside: str, marks: Sequence[str]) -> str:
    parts = list(_vertical(frame, HEIGHT - 40))
    for place in range(6):
        y = frame.y(place / 5)
        parts.append(_line("grid", frame.left, y, frame.right, y))
        parts.append(_text("tick end", frame.left - 6, y + 4, f"{place / 5:.1f}"))
    middle = (frame.top + frame.bottom) / 2
    parts.append(_text("axis middle", (frame.left + frame.right) / 2, HEIGHT - 6, below))
    parts.append(
        f'<text class="axis middle" x="12" y="{middle:.1f}" transform="rotate(-90 12 {middle:.1f})">{beside}</text>'
    )
    return _svg(title, HEIGHT, [*parts, *marks])


def _vertical(frame: Frame, floor: float | None = None) -> Iterator[str]:
    """Grid lines over the values, each with its number under it."""
    bottom = frame.bottom if floor is None else floor
    for place in range(6):
        value = frame.low + (frame.high - frame.low) * place / 5
        x = frame.x(value)
        yield _line("grid", x, frame.top, x, bottom)
        yield _text(f"tick {'end' if place == 5 else 'middle'}", x, bottom + 16, f"{value:.2f}".replace("-", "\u2212"))


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg class="plot" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
    return "".join([head, *parts, "</svg>"])


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _path(name: str, points: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _dot(name: str, x: float, y: float, told: str) -> str:
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{escape(told)}</title></circle>'


def _text(name: str, x: float, y: float, told: str) -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}">{escape(told)}</text>'
