"""Render the demo's report as one self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from plexus import pages

from ..console.errors import DONE, FAILED
from ..console.text import format_megabytes

MOST_ITEMS = 10  # items before the rest is folded
TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Step:
    """A step of the demo, its duration in seconds, and its result in one line."""

    name: str
    seconds: float
    summary: str


@dataclass(frozen=True)
class Row:
    """A scoring job and its result; `label` is the expected value, if the item has one."""

    item: str
    text: str
    score: str
    delivery: str
    status: str
    value: str = ""
    confidence: float | None = None
    explanation: str = ""
    label: str | None = None

    @property
    def right(self) -> bool | None:
        """Whether the value equals the label; None without a label or a value."""
        return None if self.label is None or not self.value else self.value.casefold() == self.label.casefold()


@dataclass(frozen=True)
class ItemRows:
    """An item's results: a row for each of the report's scores in their order, None for a score without a job."""

    item: str
    text: str
    rows: tuple[Row | None, ...]

    @property
    def is_right(self) -> bool:
        """Whether each of its results has a value, and none differs from its label."""
        return all(row is None or (row.value and row.right is not False) for row in self.rows)


@dataclass(frozen=True)
class Accuracy:
    """How many of a score's values equal the label."""

    score: str
    right: int
    total: int

    @property
    def share(self) -> float:
        """The accuracy from 0 to 1; 0 without labels."""
        return self.right / self.total if self.total else 0.0


@dataclass(frozen=True)
class DeadLetter:
    """A message in the dead-letter queue, and the reason."""

    body: str
    reason: str


@dataclass(frozen=True)
class Check:
    """A rule that the demo's end must meet, whether it does, and the counts."""

    rule: str
    is_met: bool
    counts: str


@dataclass(frozen=True)
class Report:
    """The contents of the page; sizes in bytes, times in seconds."""

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
    def exit_code(self) -> int:
        """1 if a check failed."""
        return DONE if all(check.is_met for check in self.checks) else FAILED

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of the scores, in the order of the rows."""
        return tuple(dict.fromkeys(row.score for row in self.rows))

    @property
    def items(self) -> tuple[ItemRows, ...]:
        """The results by item, in the order of the rows."""
        by_item: dict[str, dict[str, Row]] = {}
        for row in self.rows:
            by_item.setdefault(row.item, {})[row.score] = row
        return tuple(
            ItemRows(item, next(iter(rows.values())).text, tuple(map(rows.get, self.scores)))
            for item, rows in by_item.items()
        )

    @property
    def accuracies(self) -> tuple[Accuracy, ...]:
        """The accuracy of each score that has labels, in the order of the rows."""
        scores = dict.fromkeys(row.score for row in self.rows if row.right is not None)
        return tuple(
            Accuracy(score, sum(row.right is True for row in judged), len(judged))
            for score in scores
            for judged in [[row for row in self.rows if row.score == score and row.right is not None]]
        )

    @property
    def seconds(self) -> float:
        """The duration of all steps."""
        return sum(step.seconds for step in self.steps)


def render(report: Report) -> str:
    """Return the page as HTML without scripts and external references; it adapts to dark mode and print."""
    environment = pages.create_environment(TEMPLATES)
    environment.filters["megabytes"] = format_megabytes
    return environment.get_template("report.html.j2").render(report=report, most=MOST_ITEMS)
