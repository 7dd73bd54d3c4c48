"""Score the chunks of a run in several processes, in the order of the rows."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from plexus.running.refusals import Refusals
from plexus.running.run import ScoredRow, score_chunk

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.running.texts import TextRow
    from plexus.scorecard import Scorecard

#: The scorecard of a worker process, loaded once, with the names of the scores, the context, and what was refused.
_setup: list[tuple[Scorecard, Sequence[str], Context, Refusals]] = []


def score_rows(
    scorecard: Scorecard, names: Sequence[str], rows: Iterable[TextRow], context: Context, workers: int, size: int
) -> Iterator[list[ScoredRow]]:
    """Yield scored rows in chunks, in the order of `rows`, the same as one process gives.

    Memory holds two chunks for each process. An error of a process is raised here, and ends the others.
    """
    iterator = iter(rows)
    document = scorecard.document
    arguments = (
        document.text,
        document.name,
        None if scorecard.folder is None else str(scorecard.folder),
        names,
        context,
    )
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _load, arguments) as pool:
        waiting: deque[Future[list[ScoredRow]]] = deque()
        try:
            while True:
                while len(waiting) < 2 * workers and (chunk := list(islice(iterator, size))):
                    waiting.append(pool.submit(_score, chunk))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _load(text: str, name: str, folder: str | None, names: Sequence[str], context: Context) -> None:
    import signal
    from pathlib import Path

    import plexus

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes, and reports it once
    scorecard = plexus.load(text, name=name, folder=None if folder is None else Path(folder))
    _setup.append((scorecard, names, context, Refusals()))


def _score(chunk: list[TextRow]) -> list[ScoredRow]:
    scorecard, names, context, refusals = _setup[0]
    return score_chunk(scorecard, names, chunk, context, refusals)
