"""The demo's report: values in, one self-contained HTML page out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Step:
    """One step of the demo and how long it took, in seconds."""

    name: str
    seconds: float
    said: str


@dataclass(frozen=True)
class Row:
    """One scoring job with what came of it; `label` is the value that a person gave, if any."""

    item: str
    text: str
    score: str
    way: str
    status: str
    value: str = ""
    confidence: float | None = None
    explanation: str = ""
    label: str | None = None

    @property
    def right(self) -> bool | None:
        """Whether the value equals the label; None where there is no label or no value."""
        return None if self.label is None or not self.value else self.value.casefold() == self.label.casefold()


@dataclass(frozen=True)
class Accuracy:
    """How often a score's value equals the label."""

    score: str
    right: int
    total: int

    @property
    def share(self) -> float:
        """The accuracy, from 0 to 1."""
        return self.right / self.total if self.total else 0.0


@dataclass(frozen=True)
class DeadLetter:
    """A message that will not be tried again, and why."""

    body: str
    reason: str


@dataclass(frozen=True)
class Check:
    """Something that must hold at the end, and whether it does."""

    rule: str
    holds: bool
    found: str


@dataclass(frozen=True)
class Report:
    """Everything that the page shows; sizes in bytes, times in seconds."""

    digest: str
    revision: str
    size: int
    unpacked_size: int
    layers: tuple[tuple[str, int, int], ...]
    engine: str
    steps: tuple[Step, ...] = ()
    rows: tuple[Row, ...] = ()
    responses: tuple[str, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    checks: tuple[Check, ...] = ()
    invocation: dict[str, str] = field(default_factory=dict)
    log: tuple[str, ...] = ()

    @property
    def accuracies(self) -> tuple[Accuracy, ...]:
        """One accuracy for each score that has labels, in the order of the rows."""
        scores = dict.fromkeys(row.score for row in self.rows if row.right is not None)
        return tuple(
            Accuracy(score, sum(row.right is True for row in judged), len(judged))
            for score in scores
            for judged in [[row for row in self.rows if row.score == score and row.right is not None]]
        )

    @property
    def seconds(self) -> float:
        """How long all steps took together."""
        return sum(step.seconds for step in self.steps)


def megabytes(size: int) -> str:
    """A size in megabytes (10^6 bytes), for people."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def render(report: Report) -> str:
    """The page as HTML: no script, no address, readable in light and dark and on paper."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["megabytes"] = megabytes
    return environment.get_template("report.html.j2").render(report=report)


def write(report: Report, path: Path) -> Path:
    """Write the page in one step, so that nobody sees half of it; return its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.tmp")
    half.write_text(render(report), encoding="utf-8")
    half.replace(path)
    return path.resolve()
