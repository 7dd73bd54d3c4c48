"""Compare answers: agreement, and each difference with its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from plexus.comparison.answers import Answer
from plexus.comparison.result_file import ResultFile
from plexus.evaluation.agreement import kappa
from plexus.evaluation.confusion import Confusion
from plexus.evaluation.proportions import wilson
from plexus.exceptions import InvalidData
from plexus.tables.labels import fold_label
from plexus.tables.output import guard

SAME = "same"
#: Values that differ in case, white space, or the decimals of a whole number.
SPELLING = "spelling"
VALUE = "value"
#: One of the two has no value: its score failed, or did not apply.
NO_VALUE = "no value"
#: Neither has a value, since both scores failed: counted apart, since a failure agrees with nothing.
BOTH_FAILED = "failed in both"
ONLY_OLD, ONLY_NEW = "only in OLD", "only in NEW"
KINDS = (SPELLING, VALUE, NO_VALUE, ONLY_OLD, ONLY_NEW)


@dataclass(frozen=True)
class Difference:
    """One item for which OLD and NEW do not have the same value; None for a side without the item."""

    score: str
    item: str
    kind: str
    old: Answer | None
    new: Answer | None

    def as_row(self) -> dict[str, str | None]:
        """Return the difference as a row of a table: for each side its value, or why it has none, and explanation.

        Keys are the columns of the comparison's file, in their order; None is an empty cell.
        """
        row: dict[str, str | None] = {"score": self.score, "item": self.item, "kind": self.kind}
        for side, answer in (("old", self.old), ("new", self.new)):
            row[side] = answer.text if answer is not None and answer.state == "value" else None
            row[f"{side} error"] = answer.text if answer is not None and answer.state != "value" else None
            row[f"{side} explanation"] = None if answer is None else answer.explanation
        return row


@dataclass
class Agreement:
    """How one score's answers agree; `compared` are the items that both files have and that did not fail in both.

    Those are in `failed`. `explanations` counts the differing ones among items with the same value. Costs are in US
    dollars, of the compared items whose cost is known, and the numbers of those are beside them.
    """

    score: str
    compared: int = 0
    same: int = 0
    explanations: int = 0
    differences: list[Difference] = field(default_factory=list)
    failed: list[Difference] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    costs: dict[str, list[Decimal]] = field(default_factory=lambda: {"old": [], "new": []})

    @property
    def listed(self) -> list[Difference]:
        """The differences, and behind them the items that failed in both."""
        return [*self.differences, *self.failed]

    @property
    def kinds(self) -> Mapping[str, int]:
        """The number of differences of each kind."""
        counts = Counter(difference.kind for difference in self.differences)
        return {kind: counts[kind] for kind in KINDS}

    @property
    def share(self) -> float | None:
        """The share of compared items with the same value; None if no item was compared."""
        return self.same / self.compared if self.compared else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share."""
        return wilson(self.same, self.compared)

    @property
    def table(self) -> Confusion:
        """The items with a value on both sides: OLD's values in rows, NEW's in columns."""
        return Confusion.of([old for old, _ in self.pairs], [new for _, new in self.pairs])

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON values.

        `interval` is the 95 % interval of the share. Sums of costs are US dollars, as text, since a float would round
        them.
        """
        known = {side: {"known": len(costs), "sum": str(sum(costs, Decimal()))} for side, costs in self.costs.items()}
        return {
            "score": self.score,
            "compared": self.compared,
            "same": self.same,
            "share": self.share,
            "interval": self.interval,
            "kappa": kappa(self.table),
            "kinds": dict(self.kinds),
            "failed_in_both": len(self.failed),
            "explanations": self.explanations,
            "changes": [{"old": old, "new": new, "items": count} for old, new, count in self.table.confused],
            "cost": known,
        }


def pair_scores(
    old: ResultFile, new: ResultFile, explicit: Sequence[tuple[str, str]], selected: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the scores to compare as (name in OLD, name in NEW): the explicit pairs, then those of the same name.

    `selected` limits them to these names of NEW. Raises InvalidData for a name that does not exist, and if nothing
    pairs. Two files of one score each are paired whatever its names are.
    """
    for file, names in ((old, [name for name, _ in explicit]), (new, [name for _, name in explicit] + list(selected))):
        if unknown := [name for name in names if name not in file.answers]:
            raise InvalidData(f"{file.name}: got no score {', '.join(map(repr, unknown))}; it has {_list_scores(file)}")
    pairs = dict(explicit)
    if not explicit and len(old.scores) == len(new.scores) == 1:
        pairs = {old.scores[0]: new.scores[0]}
    paired = {*pairs, *pairs.values()}
    pairs |= {name: name for name in old.scores if name in new.answers and name not in paired}
    chosen = [(first, second) for first, second in pairs.items() if not selected or second in selected]
    if not chosen:
        raise InvalidData(
            f"no score is in both files: {old.name} has {_list_scores(old)}; {new.name} has {_list_scores(new)}; "
            "next: --pair OLD_NAME NEW_NAME"
        )
    return chosen


def compare(
    old: ResultFile, new: ResultFile, pair: tuple[str, str], *, fold: bool = False, card: str = ""
) -> Agreement:
    """Compare one score's answers in two files; with `fold`, the spelling of values does not count.

    The agreement has the name of NEW's score, behind that of its `card` if one is given.

    An item that NEW skips and OLD does not have agrees: the original stores no result of a score that does not apply.
    """
    first, second = old.answers[pair[0]], new.answers[pair[1]]
    agreement = Agreement(name_score(card, pair[1]))
    for item in {**first, **second}:
        before, after = first.get(item), second.get(item)
        kind = _classify(before, after)
        if kind is None:
            continue
        if kind == BOTH_FAILED:
            agreement.failed.append(Difference(agreement.score, item, kind, before, after))
            continue
        if before is not None and after is not None:
            agreement.compared += 1
            _add_costs(agreement, before, after)
            if before.state == after.state == "value":
                agreement.pairs.append((before.text, after.text))
        if kind == SAME or (fold and kind == SPELLING):
            agreement.same += 1
            agreement.explanations += _get_explanation(before) != _get_explanation(after)
        else:
            agreement.differences.append(Difference(agreement.score, item, kind, before, after))
    return agreement


def name_score(card: str, score: str) -> str:
    """Return the name of a score among those of several scorecards; a score with its card's name has that one."""
    return f"{card} / {score}" if card not in ("", score) else score


def _get_explanation(answer: Answer | None) -> object:
    return guard(answer.explanation if answer is not None else None)


def _classify(old: Answer | None, new: Answer | None) -> str | None:
    """Return SAME, BOTH_FAILED or one of KINDS; None for an item that one side skips and the other does not have."""
    if old is None or new is None:
        if (old or new or Answer("", "", "skipped", "")).state == "skipped":
            return None
        return ONLY_NEW if old is None else ONLY_OLD
    if old.state == new.state == "skipped":
        return SAME
    if old.state == new.state == "failed":
        return BOTH_FAILED
    if not old.state == new.state == "value":
        return NO_VALUE
    # As CSV writes them: a file of JSON lines does not have the apostrophe before what begins like a formula.
    before, after = str(guard(old.text)), str(guard(new.text))
    if before == after:
        return SAME
    return SPELLING if fold_label(before) == fold_label(after) else VALUE


def _add_costs(agreement: Agreement, old: Answer, new: Answer) -> None:
    for side, answer in (("old", old), ("new", new)):
        if answer.cost is not None:
            agreement.costs[side].append(answer.cost)


def _list_scores(file: ResultFile) -> str:
    return ", ".join(map(repr, file.scores))
