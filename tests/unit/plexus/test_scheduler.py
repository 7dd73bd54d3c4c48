"""Dependencies: what runs, when, and what follows from what."""

import threading
import time
from collections.abc import Sequence
from typing import ClassVar

import pytest

import plexus
from plexus import registry
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
from plexus.scores.base import Request
from plexus.scores.keyword import KeywordScorer
from plexus.values import Item, Outcome, Result


def card(*scores: str) -> Scorecard:
    """A scorecard of keyword scores, one per line in braces."""
    lines = ["name: A", "key: a", "scores:", *(f"  - {{class: KeywordClassifier, {score}}}" for score in scores)]
    return plexus.load("\n".join(lines))


CHAIN = card(
    "name: Asks, keywords: [please]",
    "name: Angry, keywords: [angry], depends_on: {Asks: 'yes'}",
    "name: Urgent, keywords: [now], depends_on: {Angry: {operator: in, value: ['YES ', skipped]}}",
    "name: Last, keywords: [x], depends_on: [Angry]",
)


def value(name: str, text: str) -> str:
    """The value of a score of the chain, or the kind of error in its place."""
    try:
        return plexus.score(CHAIN, name, Item(text)).value
    except PlexusError as error:
        return type(error).__name__


def test_a_condition_that_holds_lets_the_score_run() -> None:
    """Values compare after folding case and spaces."""
    assert value("Angry", "please, I am angry") == "Yes"


def test_a_condition_that_does_not_hold_makes_the_score_not_applicable() -> None:
    """The score has no value then, not even a negative one."""
    assert value("Angry", "I am angry") == "NotApplicable"


def test_a_skipped_dependency_is_seen_as_skipped() -> None:
    """A condition can ask for "skipped", and an order-only dependency runs all the same."""
    assert value("Urgent", "now") == "Yes"
    assert value("Last", "x") == "Yes"


def test_a_condition_on_a_value_is_checked_through_the_chain() -> None:
    """Transitive dependencies come along."""
    assert value("Urgent", "please, now") == "NotApplicable"


def test_a_failed_dependency_fails_what_needs_it_by_name() -> None:
    """The failure names the dependency, and is transient exactly when that one's was."""
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
    """Disabled is an error of its own kind, through dependencies too, and never a value."""
    disabled = card("name: A, keywords: [x], disabled: true", "name: B, keywords: [x], depends_on: [A]")
    for name in ("A", "B"):
        with pytest.raises(DisabledScore):
            plexus.score(disabled, name, Item("x"))


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_an_item_without_text_is_an_error(text: str | None) -> None:
    """No text, or white space only, cannot be scored."""
    with pytest.raises(ItemWithoutText):
        plexus.score(CHAIN, "Asks", Item(text))


def test_half_a_character_is_a_failure_of_its_item() -> None:
    """A lone surrogate is told with its place, and touches no other text."""
    broken, other = plexus.score_batch(CHAIN, "Asks", [Item("please \ud800"), Item("please")])
    assert isinstance(broken, ScoringFailed)
    assert "at 8" in str(broken)
    assert isinstance(other, Result)


def test_a_batch_gives_one_outcome_per_item_in_order() -> None:
    """Errors stand in their item's place and do not touch the others."""
    texts = ["please, I am angry", "no", "", "please"]
    outcomes = plexus.score_batch(CHAIN, "Angry", [Item(text) for text in texts])
    assert [type(each).__name__ for each in outcomes] == ["Result", "NotApplicable", "ItemWithoutText", "Result"]
    assert [each.value for each in outcomes if isinstance(each, Result)] == ["Yes", "No"]


class Slow(KeywordScorer):
    """Waits for its partner, so that it finishes only when both run at the same time; counts its runs."""

    partners = threading.Barrier(2)
    runs: ClassVar[list[str]] = []

    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """As a score does, slowly where the name says so."""
        self.runs.append(self.configuration.name)
        if self.configuration.name.startswith("Slow"):
            self.partners.wait(timeout=10)
        return super().score(requests, context)


DIAMOND = (
    "name: Base, keywords: [x]",
    "name: Slow 1, keywords: [x], depends_on: [Base]",
    "name: Slow 2, keywords: [x], depends_on: [Base]",
    "name: Top, keywords: [x], depends_on: [Slow 1, Slow 2, Base]",
)


def test_independent_scores_run_at_the_same_time_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a diamond both sides run together, and what both need runs once."""
    monkeypatch.setitem(registry.SCORERS, "KeywordClassifier", f"{__name__}:Slow")
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(Slow=Slow))
    Slow.runs.clear()
    assert plexus.score(card(*DIAMOND), "Top", Item("x")).value == "Yes"
    assert sorted(Slow.runs) == ["Base", "Slow 1", "Slow 2", "Top"]


def test_a_deadline_that_has_passed_stops_before_scoring() -> None:
    """With no time left nothing is scored, and the error is transient: another try may have the time."""
    with pytest.raises(DeadlineExceeded) as caught:
        plexus.score(CHAIN, "Asks", Item("x"), context=Context(deadline=time.monotonic() - 1))
    assert caught.value.transient


def test_several_scores_of_one_item_share_their_dependencies() -> None:
    """`score_all` gives each score's outcome by name; what does not apply stands there as the error."""
    outcomes = plexus.score_all(CHAIN, [Item("please")])
    assert list(outcomes) == ["Asks", "Angry", "Urgent", "Last"]
    assert isinstance(outcomes["Urgent"][0], NotApplicable)


def test_validation_makes_a_wrong_value_a_failure() -> None:
    """A value outside of `validation` never becomes a result."""
    checked = card("name: A, keywords: [x], validation: {value: {valid_classes: ['yes']}}")
    assert plexus.score(checked, "A", Item("x")).value == "Yes"
    with pytest.raises(ScoringFailed, match="the value is not valid: expected one of yes"):
        plexus.score(checked, "A", Item("y"))


def test_a_failing_processor_fails_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that breaks never lets the unprocessed text through, nor into the message."""
    from plexus import processors

    def broken(_: object) -> object:
        def process(item: Item) -> Item:
            raise KeyError(item.text)

        return process

    monkeypatch.setitem(processors.PROCESSORS, "RemoveSpeakerIdentifiers", broken)
    private = card("name: A, keywords: [x], item: {processors: [{class: RemoveSpeakerIdentifiers}]}")
    with pytest.raises(ScoringFailed, match=r"the processor RemoveSpeakerIdentifiers failed: KeyError$"):
        plexus.score(private, "A", Item("x secret"))
