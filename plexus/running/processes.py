"""Score the chunks of a run in several processes, in the order of the rows."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TYPE_CHECKING

from plexus.running.refusals import Refusals, RunRefused
from plexus.running.run import RunInterrupted, ScoredRow, score_chunk

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.running.texts import TextRow
    from plexus.scorecard import Scorecard

#: The scorecard of a worker process, loaded once, with the names of the scores, the context, and what was refused.
_setup: list[tuple[Scorecard, Sequence[str], Context, Refusals]] = []
_STOP = signal.SIGUSR1  # to worker processes
_is_scoring = _is_stopping = False


def score_rows(
    scorecard: Scorecard, names: Sequence[str], rows: Iterable[TextRow], context: Context, workers: int, size: int
) -> Iterator[list[ScoredRow]]:
    """Yield scored rows in chunks, in the order of `rows`, the same as one process gives.

    Memory holds two chunks for each process. An error of a process is raised here, and ends the others. On Ctrl-C,
    RunInterrupted has the rows that the processes have finished.
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
    # A process that is not ready for it must not end by it, so that they begin with it blocked.
    signal.pthread_sigmask(signal.SIG_BLOCK, {_STOP})
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _load, arguments) as pool:
        waiting: deque[Future[list[ScoredRow]]] = deque()
        try:
            while True:
                while len(waiting) < 2 * workers and (chunk := list(islice(iterator, size))):
                    waiting.append(pool.submit(_score, chunk))
                if not waiting:
                    return
                scored = waiting[0].result()
                waiting.popleft()
                yield scored
        except KeyboardInterrupt:
            raise RunInterrupted(_stop(waiting)) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _stop(waiting: Iterable[Future[list[ScoredRow]]]) -> list[ScoredRow]:
    """Interrupt the processes, and return the rows that they have finished, in order."""
    running = [future for future in waiting if not future.cancel()]
    for child in multiprocessing.active_children():
        if child.pid is not None:
            os.kill(child.pid, _STOP)
    rows: list[ScoredRow] = []
    for future in running:
        try:
            rows += future.result()
        except RunRefused as error:
            rows += error.rows
        except BrokenProcessPool:
            break
    return rows


def _load(text: str, name: str, folder: str | None, names: Sequence[str], context: Context) -> None:
    from pathlib import Path

    import plexus

    for number in (signal.SIGINT, signal.SIGTERM):  # the parent ends its processes, and reports it once
        signal.signal(number, signal.SIG_IGN)
    signal.signal(_STOP, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {_STOP})
    scorecard = plexus.load(text, name=name, folder=None if folder is None else Path(folder))
    _setup.append((scorecard, names, context, Refusals()))


def _score(chunk: list[TextRow]) -> list[ScoredRow]:
    global _is_scoring
    if _is_stopping:
        return []
    scorecard, names, context, refusals = _setup[0]
    try:
        _is_scoring = True
        return score_chunk(scorecard, names, chunk, context, refusals)
    except RunInterrupted as error:
        return error.rows
    except KeyboardInterrupt:
        return []
    finally:
        _is_scoring = False


def _interrupt(*_: object) -> None:
    global _is_stopping
    _is_stopping = True
    if _is_scoring:
        raise KeyboardInterrupt
