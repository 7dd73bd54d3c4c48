"""`plexus test`: run the `tests:` beside a scorecard's scores, without asking any provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from plexus.commands import options
from plexus.exceptions import NotApplicable
from plexus.scheduler import SKIPPED
from plexus.text import fold


@dataclass(frozen=True)
class Verdict:
    """One test: what was expected of a text, and what came; `got` is a value, or an error's kind and message."""

    card: str
    score: str
    text: str
    expected: str
    got: str

    @property
    def passed(self) -> bool:
        """Whether the value is the expected one."""
        return self.got == self.expected


@click.command(name="test", short_help="Run the tests that stand beside the scores.")
@click.argument(
    "cards", metavar="CARD.yaml...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@options.score
@options.store
@options.as_json
def command(cards: tuple[Path, ...], names: tuple[str, ...], store: Path, as_json: bool) -> int:
    """Train what has to be trained, run every test, and print what came of each; exit 1 when one fails.

    Language models are not asked: their replies come from the scores' cassettes.
    """
    verdicts = [verdict for card in cards for verdict in run(card, store, names)]
    if as_json:
        click.echo(
            json.dumps([{**asdict(one), "passed": one.passed} for one in verdicts], indent=2, ensure_ascii=False)
        )
    else:
        for one in verdicts:
            click.echo(line(one))
        failed = sum(not one.passed for one in verdicts)
        click.echo(f"{len(verdicts) - failed} passed, {failed} failed")
    return 0 if all(one.passed for one in verdicts) else 1


def run(card: Path, store: Path, names: tuple[str, ...] = ()) -> Iterator[Verdict]:
    """Every test of a scorecard, in its order. Raises InvalidScorecard and what training can raise."""
    import plexus
    from plexus.artifacts import FolderArtifacts
    from plexus.publishing import publish

    artifacts = FolderArtifacts(store)
    with options.Bars() as bars:
        scorecard = plexus.load(publish(plexus.load_file(card), artifacts, watch=bars).text, name=card.name)
    context = plexus.Context(artifacts=artifacts, offline=True)
    chosen = {scorecard.find(name).name for name in names}
    for score in scorecard.scores:
        cases = score.configuration.tests if not chosen or score.name in chosen else []
        for case in cases:
            outcome = scored(scorecard, score, case, context)
            yield Verdict(card.name, score.name, case.text, case.value, told(case, outcome))


def scored(scorecard: Any, score: Any, case: Any, context: Any) -> Any:
    """A test's outcome; what the score depends on is scored too, unless the test gives its values."""
    import plexus
    from plexus import scheduler

    item = plexus.Item(case.text, case.metadata)
    if case.results:
        return scheduler.alone(scorecard, score, item, case.results, context)
    (outcome,) = plexus.score_batch(scorecard, score.name, [item], context=context)
    return outcome


def told(case: Any, outcome: Any) -> str:
    """A result's value, or why it counts for none: an error, or an explanation without the words that it must hold."""
    if isinstance(outcome, NotApplicable) and fold(case.value) == SKIPPED:
        return str(case.value)
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {outcome}"
    wanted = case.explanation_contains
    if wanted is not None and wanted not in (outcome.explanation or ""):
        return f"{outcome.value}, explained by {outcome.explanation!r} without {wanted!r}"
    return str(outcome.value)


def line(one: Verdict) -> str:
    """One line for people."""
    text = one.text if len(one.text) <= 60 else one.text[:59] + "…"
    if one.passed:
        return f"ok    {one.card}: {one.score}: {text!r} → {one.got}"
    return f"FAIL  {one.card}: {one.score}: {text!r}: expected {one.expected}, got {one.got}"
