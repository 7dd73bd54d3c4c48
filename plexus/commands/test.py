"""`plexus test`: run the `tests` in scorecards, without calling any provider."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexus.commands import options
from plexus.conditions import SKIPPED
from plexus.exceptions import NotApplicable, PlexusError, UnknownScore
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.configuration.common import Case
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard
    from plexus.values import Outcome


@dataclass(frozen=True)
class CaseResult:
    """A test that was run: `got` is the value of `text`, or an error's kind and message.

    `score` is empty for a card that cannot be tested.
    """

    card: str
    score: str
    text: str
    expected: str
    got: str

    @property
    def passed(self) -> bool:
        """Whether the text got the expected value."""
        return self.got == self.expected


@click.command(name="test", short_help="Run the tests in scorecards.")
@click.argument("paths", metavar="CARD.yaml|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.score
@options.store
@options.as_json
def command(paths: tuple[Path, ...], names: tuple[str, ...], store: Path, as_json: bool) -> int:
    """Run every test beside the scores, of a folder those of every card, and print its result; exit 1 if one fails.

    Scores that are trained are trained first. No provider is called: replies are replayed from the scores' cassettes.
    A card that cannot be read or trained fails, and the others are tested. A card without tests is skipped: nothing of
    it is trained, and it does not fail.
    """
    results: list[CaseResult] = []
    skipped: list[str] = []
    unknown: list[UnknownScore] = []
    cards = options.list_cards(paths)
    for card in cards:
        name = options.name_card(card, paths)
        try:
            outcomes = [replace(result, card=name) for result in run(card, store, names)]
        except UnknownScore as error:
            unknown.append(error)
            skipped.append(f"{name}: {error}")
            continue
        except (PlexusError, OSError, UnicodeDecodeError) as error:
            outcomes = [CaseResult(name, "", "", "", f"{type(error).__name__}: {error}")]
        results += outcomes
        skipped += [] if outcomes else [f"{name}: no tests"]
    if len(unknown) == len(cards):
        raise unknown[0]
    return _print(results, skipped, as_json=as_json)


def _print(results: Sequence[CaseResult], skipped: Sequence[str], *, as_json: bool) -> int:
    """Print the results, and the cards that were skipped; return 1 if a test or a card failed."""
    failed = sum(not result.passed for result in results)
    if as_json:
        options.print_notes(*(f"skipped {card}" for card in skipped))
        values = [{**asdict(result), "passed": result.passed} for result in results]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        for line in (*map(format_line, results), *(f"skip  {card}" for card in skipped)):
            click.echo(line)
        click.echo(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run(card: Path, store: Path, names: tuple[str, ...] = ()) -> Iterator[CaseResult]:
    """Train the card's scores if it has tests, and yield the result of each test in the card's order.

    Raises InvalidScorecard, and what `publish` raises.
    """
    import plexus
    from plexus.artifacts import FolderArtifacts
    from plexus.publishing import publish

    loaded = plexus.load_file(card)
    selected = {loaded.find(name).name for name in names} or {score.name for score in loaded.scores}
    if not any(score.configuration.tests for score in loaded.scores if score.name in selected):
        return
    artifacts = FolderArtifacts(store)
    with options.TrainingBars() as bars:
        scorecard = plexus.load(publish(loaded, artifacts, watch=bars).text, name=card.name)
    context = plexus.Context(artifacts=artifacts, offline=True)
    for score in (score for score in scorecard.scores if score.name in selected):
        for case in score.configuration.tests:
            outcome = score_case(scorecard, score, case, context)
            yield CaseResult(card.name, score.name, case.text, case.value, describe_outcome(case, outcome))


def score_case(scorecard: Scorecard, score: Score, case: Case, context: Context) -> Outcome:
    """Return a test's outcome; dependencies are scored too, unless the test gives their values."""
    import plexus
    from plexus import items, scheduler

    item = items.from_record(case.text, case.metadata)
    if case.results:
        return scheduler.run_with_results(scorecard, score, item, case.results, context)
    (outcome,) = plexus.score_batch(scorecard, score.name, [item], context=context)
    return outcome


def describe_outcome(case: Case, outcome: Outcome) -> str:
    """Return the value to compare with the expected one; a description of an error or of a wrong explanation."""
    if isinstance(outcome, NotApplicable) and fold(case.value) == SKIPPED:
        return str(case.value)
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {outcome}"
    part = case.explanation_contains
    if part is not None and part not in (outcome.explanation or ""):
        return f"{outcome.value}, explained by {outcome.explanation!r} without {part!r}"
    return str(outcome.value)


def format_line(result: CaseResult) -> str:
    """Return a test's result in one line, an error of a card as it is."""
    if not result.score:
        return f"FAIL  {result.card}: {result.got}"
    text = result.text if len(result.text) <= 60 else result.text[:59] + "…"
    place = f"{result.card}: {result.score}: {text!r}"
    if result.passed:
        return f"ok    {place} → {result.got}"
    return f"FAIL  {place}: expected {result.expected}, got {result.got}"
