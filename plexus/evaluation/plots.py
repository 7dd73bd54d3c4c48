"""The page's two plots as SVG; their colours come from the page, their numbers stand in its tables too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plexus.evaluation.calibration import Bin, Threshold

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 40


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high`."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies, 0 at `low` and 1 at `high`."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0


UNIT = Axis(0.0, 1.0)


def reliability(bins: Sequence[Bin]) -> str:
    """Mean confidence against accuracy for each bin; a point's area grows with its texts."""
    across, up = _scales(UNIT, UNIT)
    most = max((each.count for each in bins), default=1)
    marks = [
        f'<line class="ideal" x1="{across(0):.1f}" y1="{up(0):.1f}" x2="{across(1):.1f}" y2="{up(1):.1f}"/>',
        _line("series", [(across(each.confidence), up(each.accuracy)) for each in bins]),
    ]
    for each in bins:
        radius = 3 + 7 * (each.count / most) ** 0.5
        told = f"{each.count} texts: confidence {each.confidence:.2f}, right {each.accuracy:.2f}"
        marks.append(
            f'<circle class="dot" cx="{across(each.confidence):.1f}" cy="{up(each.accuracy):.1f}" r="{radius:.1f}">'
            f"<title>{told}</title></circle>"
        )
    marks.append(f'<text class="note" x="{across(0.62):.1f}" y="{up(0.55):.1f}">as sure as it is right</text>')
    return _plot("Reliability: confidence against the share of right values", "confidence", "right", UNIT, marks)


def curve(found: Sequence[Threshold]) -> str:
    """Accuracy and coverage over the threshold that a value's confidence has to reach."""
    lowest = min((each.confidence for each in found), default=0.0)
    axis = Axis(min(lowest, 0.95), 1.0)
    across, up = _scales(axis, UNIT)
    ordered = sorted(found, key=lambda each: each.confidence)
    marks = []
    for name, label in (("accuracy", "right"), ("coverage", "texts that have a value")):
        points = [(across(each.confidence), up(getattr(each, name))) for each in ordered]
        marks.append(_line(f"series {name}", points))
        if points:
            x, y = points[len(points) // 3]
            right, down = (0, -8 if y > TOP + 16 else 16) if name == "accuracy" else (8, -4)
            marks.append(f'<text class="label {name}" x="{x + right:.1f}" y="{y + down:.1f}">{label}</text>')
    return _plot("Threshold: what a least confidence would buy", "least confidence", "share", axis, marks)


def _scales(x: Axis, y: Axis) -> tuple[Callable[[float], float], Callable[[float], float]]:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return lambda value: LEFT + wide * x.share(value), lambda value: TOP + high * (1 - y.share(value))


def _line(name: str, points: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _plot(title: str, below: str, beside: str, axis: Axis, marks: Sequence[str]) -> str:
    across, up = _scales(axis, UNIT)
    parts = [f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">']
    for place in range(6):
        share = place / 5
        y, value = up(share), axis.low + share * (axis.high - axis.low)
        x = across(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.1f}</text>')
        anchor = "end" if place == 5 else "middle"
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="{anchor}">{value:.2f}</text>'
        )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}">{below}</text>')
    parts.append(f'<text class="axis" x="12" y="{middle}" transform="rotate(-90 12 {middle})">{beside}</text>')
    return "".join([*parts, *marks, "</svg>"])
