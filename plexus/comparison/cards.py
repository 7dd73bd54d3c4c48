"""Score the same texts with two scorecards, and compare their requests on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from plexus.comparison.parameters import compare_parameters
from plexus.comparison.prompts import PromptAgreement, list_prompts
from plexus.comparison.result_file import ResultFile, collect
from plexus.configuration.graph import LangGraphScore
from plexus.exceptions import InvalidData, ScoringFailed
from plexus.graph.cassette import FILE_NAME, FORMAT

if TYPE_CHECKING:
    from plexus.running.job import FileRun
    from plexus.running.run import ScoredRow
    from plexus.scorecard import Scorecard

Pair = tuple[str, str]


class Scored(NamedTuple):
    """The results of two cards for the same texts, the scores' names in OLD and NEW, and each pair's prompts."""

    old: ResultFile
    new: ResultFile
    pairs: list[Pair]
    prompts: list[PromptAgreement]


def list_scores(path: Path, scorecard: Scorecard) -> ResultFile:
    """Return the enabled scores of a card as a file that has no results of them yet."""
    return ResultFile(str(path), {each.name: {} for each in scorecard.scores if not each.configuration.disabled})


class NoPrompts(InvalidData):
    """The scorecards have no graphs in common, so that there are no prompts to compare."""


def select_graphs(old: Scorecard, new: Scorecard, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of scores that are graphs in both cards. Raises NoPrompts if none are.

    `pairs` are names of scores, the old card's first. Order is kept.
    """
    chosen = [
        pair
        for pair in pairs
        if all(
            isinstance(card.find(name).configuration, LangGraphScore)
            for card, name in zip((old, new), pair, strict=True)
        )
    ]
    if not chosen:
        names = ", ".join(repr(name) for _, name in pairs)
        raise NoPrompts(
            f"{names}: got no LangGraphScore in both scorecards, expected one with prompts. "
            "next: the same command without --prompts-only"
        )
    return chosen


@contextmanager
def without_replies(*scorecards: Scorecard) -> Iterator[list[Scorecard]]:
    """Return scorecards whose graphs replay an empty cassette: each ends at its first request, which its trace has."""
    with TemporaryDirectory() as folder:
        cassette = Path(folder) / FILE_NAME
        cassette.write_text(json.dumps({"format": FORMAT, "entries": []}), encoding="utf-8")
        yield [_replay(scorecard, str(cassette)) for scorecard in scorecards]


def _replay(scorecard: Scorecard, cassette: str) -> Scorecard:
    # Without a budget: no request is paid, and one of unknown price would not be made.
    update = {"cassette": cassette, "budget": None}
    scores = tuple(
        replace(score, configuration=score.configuration.model_copy(update=update))
        if isinstance(score.configuration, LangGraphScore)
        else score
        for score in scorecard.scores
    )
    return replace(scorecard, scores=scores)


def score(old: FileRun, new: FileRun, names: Sequence[str], on_rows: Callable[[int], object]) -> Scored:
    """Score every text with both cards; return the results of each, and the comparison of each score's prompts.

    With `replies` in their common context, NEW is asked only what OLD was not, and chance is no difference.

    The scores of the runs are pairs, in order; the contexts keep exchanges. `names` are OLD's and NEW's. Memory holds
    the results of all rows, and the prompts of one chunk. Raises ScoringFailed, with the card's name, if scores cannot
    run.
    """
    for run, name in zip((old, new), names, strict=True):
        try:
            run.create_scorers()
        except ScoringFailed as error:
            raise ScoringFailed(f"{name}: {error}") from None
    prompts = [
        PromptAgreement(
            second,
            compare_parameters(old.scorecard.find(first).configuration, new.scorecard.find(second).configuration),
        )
        for first, second in zip(old.scores, new.scores, strict=True)
    ]
    kept: tuple[list[ScoredRow], list[ScoredRow]] = ([], [])
    for chunks in zip(old.score_rows(old.source.read()), new.score_rows(new.source.read()), strict=True):
        for before, after in zip(*chunks, strict=True):
            for first, second, agreement in zip(old.scores, new.scores, prompts, strict=True):
                sides = (before["results"][first], after["results"][second])
                agreement.add(before["id"] or str(before["row"]), *map(list_prompts, sides))
        for rows, chunk in zip(kept, chunks, strict=True):
            rows += map(_drop_traces, chunk)
        if old.context.replies is not None:  # those of one chunk, as of prompts
            old.context.replies.clear()
        on_rows(len(chunks[0]))
    before_all, after_all = (collect(name, rows) for name, rows in zip(names, kept, strict=True))
    return Scored(before_all, after_all, list(zip(old.scores, new.scores, strict=True)), prompts)


def _drop_traces(row: ScoredRow) -> ScoredRow:
    results = {name: fields | {"trace": None} for name, fields in row["results"].items()}
    return {**row, "results": results}
