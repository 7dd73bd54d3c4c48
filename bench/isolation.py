"""Measure the cost of a killable child: scores of bench/engine.py in this process, in a child in batches, and singly.

python bench/isolation.py [--rounds N]

Processor time of both processes, the best round. Batches go to a child forked for this measurement, as pickled items
and results and in the tersest form that gives the same results; single items go through the worker's own
`plexus.isolation`.
"""

from __future__ import annotations

import argparse
import marshal
import os
import pickle
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import plexus
from bench.engine import cards, texts
from plexus.artifacts import FolderArtifacts
from plexus.isolation import channel
from plexus.isolation.children import Children
from plexus.values import create_result

SINGLES = 2_000


def fork_server(serve: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, float]]:
    """Fork a child that answers requests; the caller gets each answer with the child's processor time."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        while True:
            try:
                request = channel.receive(theirs)
            except EOFError:
                os._exit(0)
            began = time.process_time()
            answer = serve(request)
            channel.send(theirs, (answer, time.process_time() - began))
    theirs.close()

    def ask(request: Any) -> tuple[Any, float]:
        channel.send(ours, request)
        answer, spent = cast("tuple[Any, float]", channel.receive(ours))
        return answer, spent

    return ask


def least(rounds: int, run: Callable[[], float]) -> float:
    """Return the least processor time in seconds of `rounds` runs; `run` returns the child's part of its own."""
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        elsewhere = run()
        spent.append(time.process_time() - began + elsewhere)
    return min(spent)


def batch(card: Path, count: int, rounds: int) -> tuple[float, float, float]:
    """Return the seconds of a batch in this process, through a child by pickles, and by the tersest encoding."""
    loaded, context = plexus.load_file(card), plexus.Context(artifacts=FolderArtifacts(card.parent / "store"))
    items = [plexus.Item(text) for text in texts(count)]
    digest = loaded.scores[0].configuration_hash

    def score(requested: list[plexus.Item]) -> list[Any]:
        return plexus.score_batch(loaded, "Bench", requested, context=context)

    def score_tersely(requested: bytes) -> bytes:
        item = score([plexus.Item(text) for text in marshal.loads(requested)])  # noqa: S302  # our own bytes
        return marshal.dumps([(each.value, each.explanation, each.confidence, each.trace) for each in item])

    def serve_pickled(requested: bytes) -> bytes:
        return pickle.dumps(score(pickle.loads(requested)), protocol=5)  # noqa: S301  # our own bytes

    score(items[:10])
    by_pickle, tersely = fork_server(serve_pickled), fork_server(score_tersely)

    def run_pickled() -> float:
        answer, spent = by_pickle(pickle.dumps(items, protocol=5))
        pickle.loads(answer)  # noqa: S301  # our own bytes
        return spent

    def run_tersely() -> float:
        answer, spent = tersely(marshal.dumps([item.text for item in items]))
        for value, explanation, confidence, trace in marshal.loads(answer):  # noqa: S302  # our own bytes
            create_result(value, explanation, confidence, trace, digest)
        return spent

    def run() -> float:
        score(items)
        return 0.0

    return least(rounds, run), least(rounds, run_pickled), least(rounds, run_tersely)


def single(card: Path, children: Children, rounds: int) -> tuple[float, float]:
    """Return the median seconds of one item by the clock: in this process, and through `plexus.isolation`."""
    loaded, context = plexus.load_file(card), plexus.Context(artifacts=FolderArtifacts(card.parent / "store"))
    items = [plexus.Item(text) for text in texts(SINGLES)]

    def clock(score: Callable[..., object]) -> float:
        spent = []
        for item in items * rounds:
            began = time.perf_counter()
            score(loaded, "Bench", item, context=context)
            spent.append(time.perf_counter() - began)
        return sorted(spent)[len(spent) // 2]

    return clock(plexus.score), clock(children.score)


def main() -> int:
    """Print both tables; always returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds to measure (default: 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-isolation-") as folder:
        created = cards(Path(folder))
        children = Children(FolderArtifacts(Path(folder) / "store"))
        print("| score | items at once | here | child, pickled | child, tersest |\n|---|---:|---:|---:|---:|")
        for name in ("keyword", "SVM"):
            for count in (10_000, 10):
                here, by_pickle, tersely = (
                    1e3 * part for part in batch(created[name], count, rounds * 1000 // count + 5)
                )
                more = (f"{part:.3f} ms, {part / here - 1:+.0%}" for part in (by_pickle, tersely))
                print(f"| {name} | {count} | {here:.3f} ms | {' | '.join(more)} |")
        print("\n| score, one item, median by the clock | here | plexus.isolation | more |\n|---|---:|---:|---:|")
        for name in ("keyword", "SVM"):
            here, apart = (1e3 * part for part in single(created[name], children, 1))
            print(f"| {name} | {here:.3f} ms | {apart:.3f} ms | {apart - here:.3f} ms |")
        children.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
