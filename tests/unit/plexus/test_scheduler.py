"""Dependencies: order, conditions, failures, parallel runs."""

import threading
import time
from collections.abc import Sequence
from typing import ClassVar

import pytest

import plexus
from plexus.context import Context
from plexus.exceptions import (
    DeadlineExceeded,
    DisabledScore,
    ItemWithoutText,
    NotApplicable,
    PlexusError,
    ScoringFailed,
)
from plexus.scorecard import Scorecard
from plexus.scores.keyword import KeywordScorer
from plexus.scores.scorer import Request
from plexus.values import Item, Outcome, Result


def card(*scores: str) -> Scorecard:
    """Return a scorecard of keyword scores, one in braces per line."""
    lines = ["name: A", "key: a", "scores:", *(f"  - {{class: KeywordClassifier, {score}}}" for score in scores)]
    return plexus.load("\n".join(lines))


CHAIN = card(
    "name: Asks, keywords: [please]",
    "name: Angry, keywords: [angry], depends_on: {Asks: 'yes'}",
    "name: Urgent, keywords: [now], depends_on: {Angry: {operator: in, value: ['YES ', skipped]}}",
    "name: Last, keywords: [x], depends_on: [Angry]",
)


def value(name: str, text: str) -> str:
    """Return the value of a score of the chain, or the class of its error."""
    try:
        return plexus.score(CHAIN, name, Item(text)).value
    except PlexusError as error:
        return type(error).__name__


def test_a_condition_that_holds_lets_the_score_run() -> None:
    """A score runs if its condition is met, with case and white space folded."""
    assert value("Angry", "please, I am angry") == "Yes"


def test_a_condition_that_does_not_hold_makes_the_score_not_applicable() -> None:
    """A score whose condition is not met has no value, not even a negative one."""
    assert value("Angry", "I am angry") == "NotApplicable"


def test_a_skipped_dependency_is_seen_as_skipped() -> None:
    """A condition can compare with `skipped`; a dependency that only sets the order does not skip the score."""
    assert value("Urgent", "now") == "Yes"
    assert value("Last", "x") == "Yes"


def test_a_condition_on_a_value_is_checked_through_the_chain() -> None:
    """Transitive dependencies are scored too."""
    assert value("Urgent", "please, now") == "NotApplicable"


def test_a_failed_dependency_fails_what_needs_it_by_name() -> None:
    """A dependency's failure is named, and transient exactly if the original was."""
    failing = card(
        "name: A, classes: [{value: X, keywords: [x]}]",
        "name: B, keywords: [y], depends_on: [A]",
        "name: C, keywords: [y], depends_on: [B]",
    )
    with pytest.raises(
        ScoringFailed, match=r"'C' depends on 'A' \(through 'B'\), which failed: A: no class matches"
    ) as caught:
        plexus.score(failing, "C", Item("y"))
    assert not caught.value.transient


def test_a_disabled_score_has_no_value_and_fails_what_needs_it() -> None:
    """A disabled score is a DisabledScore, through dependencies too."""
    disabled = card("name: A, keywords: [x], disabled: true", "name: B, keywords: [x], depends_on: [A]")
    for name in ("A", "B"):
        with pytest.raises(DisabledScore):
            plexus.score(disabled, name, Item("x"))


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_an_item_without_text_is_an_error(text: str | None) -> None:
    """A missing or blank text is an ItemWithoutText."""
    with pytest.raises(ItemWithoutText):
        plexus.score(CHAIN, "Asks", Item(text))


def test_half_a_character_is_a_failure_of_its_item() -> None:
    """A lone surrogate fails its item, with its place, and no other item."""
    broken, other = plexus.score_batch(CHAIN, "Asks", [Item("please \ud800"), Item("please")])
    assert isinstance(broken, ScoringFailed)
    assert "at 8" in str(broken)
    assert isinstance(other, Result)


def test_a_batch_gives_one_outcome_per_item_in_order() -> None:
    """A batch gives one outcome per item, in order; errors do not affect the others."""
    texts = ["please, I am angry", "no", "", "please"]
    outcomes = plexus.score_batch(CHAIN, "Angry", [Item(text) for text in texts])
    assert [type(each).__name__ for each in outcomes] == ["Result", "NotApplicable", "ItemWithoutText", "Result"]
    assert [each.value for each in outcomes if isinstance(each, Result)] == ["Yes", "No"]


class Slow(KeywordScorer):
    """Waits for its partner, so it finishes only if both run at the same time; counts its runs."""

    partners = threading.Barrier(2)
    runs: ClassVar[list[str]] = []

    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Score, slowly if the name says so."""
        self.runs.append(self.configuration.name)
        if self.configuration.name.startswith("Slow"):
            self.partners.wait(timeout=120)
        return super().score(requests, context)


DIAMOND = (
    "name: Base, keywords: [x]",
    "name: Slow 1, keywords: [x], depends_on: [Base]",
    "name: Slow 2, keywords: [x], depends_on: [Base]",
    "name: Top, keywords: [x], depends_on: [Slow 1, Slow 2, Base]",
)


def test_independent_scores_run_at_the_same_time_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a diamond both sides run in parallel, and the shared dependency runs once."""
    monkeypatch.setattr("plexus.scores.keyword.KeywordScorer", Slow)
    Slow.runs.clear()
    assert plexus.score(card(*DIAMOND), "Top", Item("x")).value == "Yes"
    assert sorted(Slow.runs) == ["Base", "Slow 1", "Slow 2", "Top"]


def test_a_deadline_that_has_passed_stops_before_scoring() -> None:
    """After the deadline nothing is scored, and the error is transient."""
    with pytest.raises(DeadlineExceeded) as caught:
        plexus.score(CHAIN, "Asks", Item("x"), context=Context(deadline=time.monotonic() - 1))
    assert caught.value.transient


def test_several_scores_of_one_item_share_their_dependencies() -> None:
    """`score_all` returns each score's outcomes by name; a score that does not apply has the error."""
    outcomes = plexus.score_all(CHAIN, [Item("please")])
    assert list(outcomes) == ["Asks", "Angry", "Urgent", "Last"]
    assert isinstance(outcomes["Urgent"][0], NotApplicable)


def test_validation_makes_a_wrong_value_a_failure() -> None:
    """A value outside `validation` is a failure."""
    checked = card("name: A, keywords: [x], validation: {value: {valid_classes: ['yes']}}")
    assert plexus.score(checked, "A", Item("x")).value == "Yes"
    with pytest.raises(ScoringFailed, match="the value is not valid: expected one of yes"):
        plexus.score(checked, "A", Item("y"))


def test_a_failing_processor_fails_the_score() -> None:
    """A processor that breaks unexpectedly fails the score; its message contains nothing of the item."""

    class Unprintable:
        def __str__(self) -> str:
            raise KeyError("secret")

    private = card("name: A, keywords: [x], item: {processors: [{class: TranscriptFormat}]}")
    item = Item("x", {"transcript": [{"text": "x", "speaker": Unprintable()}]})
    with pytest.raises(ScoringFailed, match=r"the processor TranscriptFormat failed: KeyError$"):
        plexus.score(private, "A", item)
