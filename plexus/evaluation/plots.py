"""The page's plots as SVG; the page sets their colours, and its tables repeat their numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from plexus.evaluation.calibration import Bin, Threshold
from plexus.evaluation.curves import Curve, Point
from plexus.evaluation.formats import shorten
from plexus.evaluation.report import Figure
from plexus.evaluation.runs import Run

WIDTH, HEIGHT = 440, 330
EDGES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95)  # possible lower ends of a plot of confidences
_NAME = 24  # characters of the name of a bar: two of them fit below the plot
_HALF_DIGIT = 4.2  # half of a digit's width, at most
FEW = 15  # with fewer points, each is marked


@dataclass(frozen=True)
class Frame:
    """A plot's area in the SVG's units, and the values at its edges; y grows upwards from 0 to 1."""

    left: float = 52
    right: float = WIDTH - 22  # half of the last value below the axis fits beside it
    top: float = 12
    bottom: float = HEIGHT - 44
    low: float = 0.0
    high: float = 1.0

    def x(self, value: float) -> float:
        """Return the horizontal position of a value."""
        return self.left + (self.right - self.left) * (value - self.low) / (self.high - self.low)

    def y(self, share: float) -> float:
        """Return the vertical position of a share; 0 is at the bottom."""
        return self.bottom - (self.bottom - self.top) * share


def plot_reliability(bins: Sequence[Bin]) -> str:
    """Plot mean confidence against accuracy with its interval for each bin; a line spans the bin's confidences."""
    frame = Frame()
    marks = [_render_line("ideal", frame.x(0), frame.y(0), frame.x(1), frame.y(1))]
    marks.append(_render_path("series", [(frame.x(bucket.confidence), frame.y(bucket.accuracy)) for bucket in bins]))
    for bucket in bins:
        x, y = frame.x(bucket.confidence), frame.y(bucket.accuracy)
        title = f"{bucket.count} texts: confidence {bucket.confidence:.3f}, right {bucket.accuracy:.3f}"
        marks += [
            _render_line("span", frame.x(bucket.low), y, frame.x(bucket.high), y),
            _render_line("reach", x, frame.y(bucket.accuracy_low), x, frame.y(bucket.accuracy_high)),
            _render_dot("dot", x, y, title),
        ]
    return _render_plot(
        "Reliability: confidence against the share of right values", frame, "confidence", "right", marks
    )


def plot_thresholds(thresholds: Sequence[Threshold]) -> str:
    """Plot accuracy and coverage over the confidence threshold."""
    lowest = min((point.confidence for point in thresholds), default=0.0)
    frame = Frame(low=max(point for point in EDGES if point <= lowest))
    ordered = sorted(thresholds, key=lambda point: point.confidence)
    marks = []
    for name, series in (("accuracy", ""), ("coverage", " second")):
        points = [(frame.x(point.confidence), frame.y(getattr(point, name))) for point in ordered]
        marks.append(_render_path(f"series{series}", points))
        if len(points) < FEW:
            for point, (x, y) in zip(ordered, points, strict=True):
                title = f"confidence at least {point.confidence:.3f}: {name} {getattr(point, name):.3f}"
                marks.append(_render_dot(f"dot{series}", x, y, title))
    return _render_plot("Threshold: what a least confidence would buy", frame, "least confidence", "share", marks)


def plot_roc(first: Curve, second: Curve | None = None) -> str:
    """Plot the recall of a class over the share of the other classes' texts that get it too."""
    frame = Frame()
    start = [(frame.x(0), frame.y(0))]
    marks = [_render_line("ideal", frame.x(0), frame.y(0), frame.x(1), frame.y(1))]
    for ranked, series in ((second, " second"), (first, "")):
        if ranked is not None:
            points = [(frame.x(point.false_positives), frame.y(point.recall)) for point in ranked.points]
            marks.append(_render_path(f"series{series}", start + points))
    for point in first.marked:
        title = (
            f"{_format_threshold(point)}: recall {point.recall:.3f}, share of the others {point.false_positives:.3f}"
        )
        marks.append(_render_dot("dot", frame.x(point.false_positives), frame.y(point.recall), title))
    return _render_plot(f"ROC curve of {first.label}", frame, "share of the other texts", "recall", marks)


def plot_precision_recall(first: Curve, second: Curve | None = None) -> str:
    """Plot the precision of a class over its recall."""
    frame = Frame()
    marks = []
    for ranked, series in ((second, " second"), (first, "")):
        if ranked is not None and ranked.points:
            points = [(frame.x(point.recall), frame.y(point.precision)) for point in ranked.points]
            marks.append(_render_path(f"series{series}", points))
            if len(points) < FEW and not series:
                marks += [
                    _render_dot("dot", x, y, _format_threshold(point))
                    for point, (x, y) in zip(ranked.points, points, strict=True)
                ]
    for point in first.marked if len(first.points) >= FEW else ():
        title = f"{_format_threshold(point)}: precision {point.precision:.3f}, recall {point.recall:.3f}"
        marks.append(_render_dot("dot", frame.x(point.recall), frame.y(point.precision), title))
    return _render_plot(f"Precision and recall of {first.label}", frame, "recall", "precision", marks)


def _format_threshold(point: Point) -> str:
    return f"confidence at least {point.threshold:.2f}"


def plot_quality(runs: Sequence[Run], *, in_dollars: bool) -> str:
    """Plot accuracy with its interval over what a text takes: US dollars, or seconds. Unknown prices are left out.

    Runs are numbered from 1 in their order, as in the page's table; the first is drawn apart from the others.
    """
    known = [(run, run.price(in_dollars=in_dollars)) for run in runs]
    priced = [(run, price) for run, price in known if price is not None and run.accuracy.value is not None]
    most = max((price for _, price in priced), default=0.0)
    unit, factor = ("US dollars", 1.0) if in_dollars else _choose_unit(most)
    priced = [(run, price * factor) for run, price in priced]
    frame = Frame(high=_round_up(most * factor * 1.05))
    marks: list[str] = []
    taken: list[tuple[float, float]] = []
    for place, (run, price) in enumerate(priced):
        series, x = "" if place == 0 else " second", frame.x(price)
        taken.append(_place_label(frame, x, frame.y(run.accuracy.value or 0.0) - 8, taken))
        name = "name" if taken[-1][0] > x else "name end"
        marks += [
            *_draw_interval(frame, run.accuracy, series, x),
            _render_text(name, *taken[-1], str(runs.index(run) + 1)),
        ]
    return _render_plot(f"Accuracy over {unit} for a text", frame, f"{unit} for a text", "accuracy", marks)


def _choose_unit(seconds: float) -> tuple[str, float]:
    """Return the unit in which a duration has few digits, and how many of it a second has."""
    if seconds >= 1 or not seconds:
        return "seconds", 1.0
    return ("milliseconds", 1e3) if seconds >= 1e-3 else ("microseconds", 1e6)


def _place_label(frame: Frame, x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a place for the number of a point: on its right if possible, and away from other points' numbers."""
    places = (
        (x + side, y + 16 * step) for step in itertools.count() for side in ((8, -8) if x < frame.right - 24 else (-8,))
    )
    return next(place for place in places if all(abs(place[0] - u) >= 16 or abs(place[1] - v) >= 16 for u, v in taken))


def _round_up(value: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, … and 0.5, 0.2, … that is at least a value; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value)


def _draw_interval(frame: Frame, figure: Figure, series: str, x: float) -> Iterator[str]:
    if figure.low is not None and figure.high is not None:
        yield _render_line(f"reach{series}", x, frame.y(figure.low), x, frame.y(figure.high))
    yield _render_dot(f"dot{series}", x, frame.y(figure.value or 0.0), f"{figure.value or 0.0:.3f}")


def plot_bars(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """Plot a bar for each (name, count), from the left; the first and the last name are below."""
    frame = Frame(left=56)
    most = max((count for _, count in counts), default=1)
    width = (frame.right - frame.left) / max(1, len(counts))
    marks = [_render_line("grid", frame.left, frame.y(share), frame.right, frame.y(share)) for share in (0.0, 0.5, 1.0)]
    marks += [
        _render_text("tick end", frame.left - 6, frame.y(share) + 4, f"{most * share:,.0f}") for share in (0.0, 1.0)
    ]
    for place, (name, count) in enumerate(counts):
        top, caption = frame.y(count / most), f"<title>{escape(name)}: {count:,}</title>"
        marks.append(
            f'<rect class="column" x="{frame.left + place * width + 1:.1f}" y="{top:.1f}" '
            f'width="{max(1, width - 2):.1f}" height="{frame.bottom - top:.1f}">{caption}</rect>'
        )
    if counts:
        marks.append(_render_text("tick", frame.left, HEIGHT - 20, shorten(counts[0][0], _NAME)))
    if len(counts) > 1:
        marks.append(_render_text("tick end", frame.right, HEIGHT - 20, shorten(counts[-1][0], _NAME)))
    return _render_svg(title, HEIGHT, marks)


def plot_forest(both: Sequence[tuple[str, Figure, Figure]]) -> str:
    """Plot a row for each figure: the two values with their intervals."""
    row, top = 44, 10
    bottom = top + row * len(both)
    frame = Frame(74, WIDTH - 22, top, bottom, *_find_tenths([figure for _, *pair in both for figure in pair]))
    marks = []
    for place, (name, *pair) in enumerate(both):
        middle = top + row * (place + 0.5)
        marks.append(_render_text("name end", frame.left - 10, middle + 4, name))
        for metric, series, offset in zip(pair, ("", " second"), (-7, 7), strict=True):
            marks += _draw_range(frame, metric, series, middle + offset)
    parts = [*_draw_vertical_grid(frame), *marks]
    return _render_svg("Figures of both with their intervals", bottom + 28, parts)


def _find_tenths(figures: Sequence[Figure]) -> tuple[float, float]:
    """Return the tenths that enclose all figures and their intervals."""
    ends = [end for figure in figures for end in (figure.value, figure.low, figure.high) if end is not None] or [
        0.0,
        1.0,
    ]
    low, high = math.floor(min(ends) * 10), math.ceil(max(ends) * 10)
    return low / 10, max(high, low + 1) / 10


def _draw_range(frame: Frame, figure: Figure, series: str, y: float) -> Iterator[str]:
    if figure.value is None:
        return
    if figure.low is not None and figure.high is not None:
        yield _render_line(f"reach{series}", frame.x(figure.low), y, frame.x(figure.high), y)
    yield _render_dot(f"dot{series}", frame.x(figure.value), y, f"{figure.value:.3f}")


def _render_plot(title: str, frame: Frame, below: str, beside: str, marks: Sequence[str]) -> str:
    parts = list(_draw_vertical_grid(frame, frame.bottom))
    for place in range(6):
        y = frame.y(place / 5)
        parts.append(_render_line("grid", frame.left, y, frame.right, y))
        parts.append(_render_text("tick end", frame.left - 6, y + 4, f"{place / 5:.1f}"))
    middle = (frame.top + frame.bottom) / 2
    parts.append(_render_text("axis middle", (frame.left + frame.right) / 2, HEIGHT - 6, below))
    parts.append(
        f'<text class="axis middle" x="12" y="{middle:.1f}" transform="rotate(-90 12 {middle:.1f})">{beside}</text>'
    )
    return _render_svg(title, HEIGHT, [*parts, *marks])


def _draw_vertical_grid(frame: Frame, floor: float | None = None) -> Iterator[str]:
    """Yield vertical grid lines at round values, each with its value below."""
    bottom = frame.bottom if floor is None else floor
    step = _round_up((frame.high - frame.low) / 5 - 1e-12)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    for place in range(math.ceil(frame.low / step - 1e-9), math.floor(frame.high / step + 1e-9) + 1):
        x = frame.x(place * step)
        yield _render_line("grid", x, frame.top, x, bottom)
        value = f"{place * step:.{digits}f}".replace("-", "\u2212")
        if x + _HALF_DIGIT * len(value) > WIDTH:  # more than the margin beside the plot has room for
            yield _render_text("tick end", WIDTH - 1, bottom + 20, value)
        else:
            yield _render_text("tick middle", x, bottom + 20, value)


def _render_svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg class="plot" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
    return "".join([head, *parts, "</svg>"])


def _render_line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _render_path(name: str, points: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _render_dot(name: str, x: float, y: float, title: str) -> str:
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{escape(title)}</title></circle>'


def _render_text(name: str, x: float, y: float, title: str) -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}">{escape(title)}</text>'
