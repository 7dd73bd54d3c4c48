"""Quality against cost of several configurations on the same texts: this evaluation and earlier ones' JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from plexus.evaluation.formats import name_evaluations
from plexus.evaluation.report import Evaluation, Figure
from plexus.exceptions import InvalidData


@dataclass(frozen=True)
class Run:
    """A configuration: its accuracy, and for a text US dollars (None if unknown) and seconds."""

    name: str
    accuracy: Figure
    cost: Decimal | None
    seconds: float

    def price(self, *, in_dollars: bool) -> float | None:
        """Return what a text takes in dollars or seconds; None if unknown."""
        return self.seconds if not in_dollars else None if self.cost is None else float(self.cost)

    def is_beaten_by(self, other: Run, *, in_dollars: bool) -> bool:
        """Return whether another run is at least as right and as cheap, and one of them more so.

        The price is US dollars or seconds per text. False if a figure is unknown on either side.
        """
        own, others = self.price(in_dollars=in_dollars), other.price(in_dollars=in_dollars)
        if own is None or others is None or self.accuracy.value is None or other.accuracy.value is None:
            return False
        gains = (other.accuracy.value - self.accuracy.value, own - others)
        return min(gains) >= 0 and max(gains) > 0


def collect(evaluations: Sequence[Evaluation], earlier: Sequence[Run]) -> list[Run]:
    """Return the runs of evaluations, then the earlier ones.

    The order is that of the page's numbers.
    """
    return [
        *(
            Run(name, evaluation.accuracy_of_all, _cost_per_text(evaluation), evaluation.times.mean)
            for name, evaluation in zip(name_evaluations(evaluations), evaluations, strict=True)
        ),
        *earlier,
    ]


@dataclass(frozen=True)
class Earlier:
    """A run that was read from a file, with the number of its texts, their file, and their labels if all count."""

    path: Path
    run: Run
    texts: int
    data: str
    supports: Mapping[object, object] | None

    def require_texts_of(self, evaluation: Evaluation) -> None:
        """Raise InvalidData if the texts are not those of another evaluation.

        Compares the data and the number of texts, and the labels where both are complete.
        """
        if (self.texts, self.data) != (evaluation.texts, evaluation.subject.data):
            raise InvalidData(
                f"{self.path}: other texts: got {self.texts} of {self.data}, "
                f"expected {evaluation.texts} of {evaluation.subject.data}"
            )
        own = {entry.label: entry.support for entry in evaluation.confusion.classes if entry.support}
        is_whole = not (evaluation.failed or evaluation.skipped or evaluation.abstained)
        if self.supports is not None and is_whole and self.supports != own:
            raise InvalidData(f"{self.path}: other labels: got {self.supports}, expected {own}")


def read(path: Path) -> Earlier:
    """Read the output of `plexus evaluate --json`. Raises InvalidData if the file is anything else.

    Cost and time are per text. Labels are known only if every text of that evaluation had a value.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        subject, accuracy, cost = (
            document["subject"],
            document.get("accuracy_of_all") or document["accuracy"],
            document["cost_usd_per_text"],
        )
        dollars = Decimal(cost) if cost is not None else None if document["usage"]["calls"] else Decimal()
        run = Run(
            f"{path.name}: {subject['score']}",
            Figure(accuracy["value"], accuracy["low"], accuracy["high"]),
            dollars,
            float(document["times"]["mean"]),
        )
        supports = {entry["label"]: entry["support"] for entry in document["classes"] if entry["support"]}
        is_whole = not (document["failed"] or document["skipped"] or document.get("abstained"))
        return Earlier(path, run, document["texts"], subject["data"], supports if is_whole else None)
    except OSError as error:
        raise InvalidData(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise InvalidData(
            f"{path}: not an evaluation ({type(error).__name__}: {error}). next: plexus evaluate … --json > {path}"
        ) from None


def _cost_per_text(evaluation: Evaluation) -> Decimal | None:
    """Return the dollars for a text: 0 if no model is called, None if calls have an unknown price."""
    if not evaluation.spending.usage.calls:
        return Decimal()
    return evaluation.spending.mean
