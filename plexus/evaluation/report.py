"""All figures of an evaluation as one value, and as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from plexus.evaluation import agreement, calibration, curves, intervals, ordinal, proportions
from plexus.evaluation.confusion import Confusion
from plexus.evaluation.predictions import Prediction
from plexus.usage import Usage

MISTAKES = 10
ERRORS = 20
_EFFECTIVE = "Wilson's score interval for an effective number of texts, by the delta method"
#: The method of each figure's 95 % interval.
METHODS = {
    "accuracy": "Wilson's score interval",
    "precision": "Wilson's score interval",
    "recall": "Wilson's score interval",
    "ac1": _EFFECTIVE,
    "kappa": f"{_EFFECTIVE}; none with fewer than {intervals.FEWEST} labels or values outside the largest class",
    "macro_f1": f"{_EFFECTIVE}; none with fewer than {intervals.FEWEST} labels of a class",
    "area": "Newcombe's method 5 of 2006",
    "difference": "Tango's score interval for pairs, with 0 unless McNemar's exact test rejects it",
}


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval; None if undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Spending:
    """Cost and usage of language models for all texts; `cost` in US dollars, None if no price is known."""

    cost: Decimal | None
    usage: Usage
    priced: int

    @property
    def mean(self) -> Decimal | None:
        """The mean cost of the `priced` texts, whose cost is known, rounded to a millionth of a dollar."""
        return None if self.cost is None else round(self.cost / self.priced, 6)


@dataclass(frozen=True)
class Times:
    """Seconds per text: measured one by one if `alone`, else shares of a batch's time."""

    alone: bool
    mean: float
    p50: float
    p95: float
    most: float


@dataclass(frozen=True)
class Subject:
    """The evaluated score, its class and configuration hash, and the names of the files of card and data.

    `abstention` is its value in doubt, None if it always decides; `in_training_data` counts the texts that it learned,
    None if unknown.
    """

    card: str
    score: str
    class_name: str
    configuration_hash: str
    data: str
    abstention: str | None = None
    in_training_data: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """All figures. Texts that were skipped or failed are counted, and excluded from all other figures.

    Texts whose value is the `abstention` have a value that decides nothing: they are excluded from the figures of
    classes and confidence. `accuracy` is that of the decided texts, `coverage` their share, and `accuracy_of_all` the
    share of right values among all.
    `failures` counts failed texts by error class; `sure` is the number of values that have a confidence.
    """

    subject: Subject
    texts: int
    skipped: int
    failed: int
    failures: Mapping[str, int]
    abstention: str | None
    abstained: int
    confusion: Confusion
    accuracy: Figure
    coverage: Figure
    accuracy_of_all: Figure
    macro_f1: Figure
    kappa: Figure
    ac1: Figure
    ac1_error: float | None
    sure: int
    bins: tuple[calibration.Bin, ...]
    calibration_error: float | None
    thresholds: tuple[calibration.Threshold, ...]
    round_thresholds: tuple[calibration.Threshold, ...]
    curves: tuple[curves.Curve, ...]
    spending: Spending
    times: Times
    mistakes: tuple[Prediction, ...]
    errors: tuple[Prediction, ...]
    predictions: tuple[Prediction, ...]

    @property
    def macro(self) -> tuple[float | None, float | None, float | None]:
        """Macro precision, recall and F1."""
        return self.confusion.macro

    @property
    def ordered(self) -> ordinal.Ordinal | None:
        """The figures of an order, if all labels are numbers."""
        return ordinal.measure(self.confusion)

    def as_dict(self, *, show_text: bool = False) -> dict[str, Any]:
        """Return JSON values; texts, and explanations that quote them, only with `show_text`.

        Costs are US dollars as text, None if unknown. Rows are numbered as in the file. `plexus evaluate --beside`
        reads this form.
        """
        skip = {"confusion", "spending", "mistakes", "errors", "predictions"}
        values = {name: _to_json(getattr(self, name)) for name in self.__dataclass_fields__ if name not in skip}
        precision, recall, _ = self.macro
        return {
            **values,
            "macro_precision": precision,
            "macro_recall": recall,
            "ordered": _to_json(self.ordered),
            "labels": list(self.confusion.labels),
            "confusion": [list(row) for row in self.confusion.counts],
            "classes": [asdict(each) for each in self.confusion.classes],
            "cost_usd": _format_cost(self.spending.cost),
            "cost_usd_per_text": _format_cost(self.spending.mean),
            "usage": asdict(self.spending.usage),
            "mistakes": [_describe_mistake(each, show_text) for each in self.mistakes],
            "methods": METHODS,
            "errors": [{"row": each.row, "error": each.error} for each in self.errors],
        }


def evaluate(
    subject: Subject, predictions: Sequence[Prediction], declared: Sequence[str], *, alone: bool
) -> Evaluation:
    """Compute the figures of predictions; `declared` are the values that the score can return, if known.

    The subject's `abstention` is no decision, unless a text has that label: then it is a class like any other.
    """
    abstention, predictions = _mark_abstentions(subject.abstention, predictions)
    valued = [each for each in predictions if each.value is not None]
    decided = [each for each in valued if not each.abstained]
    classes = [value for value in declared if value != abstention]
    table = Confusion.of([each.label for each in decided], [str(each.value) for each in decided], classes)
    sure = [(each.confidence, each.right) for each in decided if each.confidence is not None]
    bins = calibration.group_into_bins(sure)
    beyond_chance = agreement.ac1(table)
    failed = [each for each in predictions if each.error is not None and not each.skipped]
    return Evaluation(
        subject=subject,
        texts=len(predictions),
        skipped=sum(each.skipped for each in predictions),
        failed=len(failed),
        failures=dict(Counter(str(each.error).split(":")[0] for each in failed).most_common()),
        abstention=abstention,
        abstained=len(valued) - len(decided),
        confusion=table,
        coverage=_create_share(len(decided), len(valued)),
        accuracy_of_all=_create_share(table.right, len(valued)),
        accuracy=_create_share(table.right, table.total),
        macro_f1=_create_figure(table.macro[2], intervals.macro_f1(table)),
        kappa=_create_figure(agreement.kappa(table), intervals.kappa(table)),
        ac1=_create_figure(beyond_chance.value if beyond_chance else None, intervals.ac1(table)),
        ac1_error=beyond_chance.error if beyond_chance else None,
        sure=len(sure),
        bins=tuple(bins),
        calibration_error=calibration.compute_error(bins),
        thresholds=tuple(calibration.list_thresholds(sure, len(valued))),
        round_thresholds=tuple(calibration.list_round_thresholds(sure, len(valued))),
        curves=curves.curves(decided, table.labels),
        spending=_sum_spending(predictions),
        times=_measure_times([each.seconds for each in predictions], alone),
        mistakes=tuple(_find_most_confident([each for each in decided if not each.right])),
        errors=tuple(failed[:ERRORS]),
        predictions=tuple(predictions),
    )


def compare_evaluations(first: Evaluation, second: Evaluation) -> proportions.Comparison:
    """Compare two evaluations of the same texts, over the texts to which both gave a value.

    The texts must be in the same order; ValueError if their numbers differ. Abstentions are values here.
    """
    pairs = [
        (first_prediction.right, second_prediction.right)
        for first_prediction, second_prediction in zip(first.predictions, second.predictions, strict=True)
        if first_prediction.value is not None and second_prediction.value is not None
    ]
    return proportions.compare([is_right for is_right, _ in pairs], [is_right for _, is_right in pairs])


def _create_figure(value: float | None, interval: tuple[float, float] | None) -> Figure:
    return Figure(value, *interval) if value is not None and interval is not None else Figure(value)


def _mark_abstentions(doubt: str | None, predictions: Sequence[Prediction]) -> tuple[str | None, Sequence[Prediction]]:
    """Return the value that decides nothing, None if it is a label, and the predictions, which are marked."""
    if doubt is None or any(each.label == doubt for each in predictions):
        return None, predictions
    return doubt, [replace(each, abstained=True) if each.value == doubt else each for each in predictions]


def _create_share(part: int, whole: int) -> Figure:
    return _create_figure(part / whole if whole else None, proportions.wilson(part, whole))


def _sum_spending(predictions: Sequence[Prediction]) -> Spending:
    costs = [each.cost for each in predictions if each.cost is not None]
    usage = sum((each.usage for each in predictions), Usage())
    return Spending(sum(costs, Decimal()) if costs else None, usage, len(costs))


def _measure_times(seconds: Sequence[float], alone: bool) -> Times:
    ordered = sorted(seconds) or [0.0]

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return Times(alone, sum(ordered) / len(ordered), at(0.5), at(0.95), ordered[-1])


def _find_most_confident(wrong: Sequence[Prediction]) -> list[Prediction]:
    return sorted(wrong, key=lambda each: (-(each.confidence or 0.0), each.row))[:MISTAKES]


def _describe_mistake(prediction: Prediction, show_text: bool) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(prediction, name) for name in ("row", "label", "value", "confidence")}
    return {**row, "text": prediction.text, "explanation": prediction.explanation} if show_text else row


def _format_cost(cost: Decimal | None) -> str | None:
    return None if cost is None else str(cost)


def _to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_json(each) for each in value]
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: _to_json(each) for name, each in asdict(value).items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
