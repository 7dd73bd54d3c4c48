"""Scores in processes that can be killed: the end of one is the failure of its item only."""

import contextlib
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import plexus
from plexus.exceptions import (
    DeadlineExceeded,
    InvalidScorecard,
    ItemWithoutText,
    PlexusError,
    ScoreEnded,
    ScoringFailed,
    UnknownScore,
)
from plexus.isolation import channel
from plexus.isolation.child import Limits
from plexus.isolation.children import Children, choose_limits
from plexus.problems import Position, Problem
from plexus.scores.keyword import KeywordScorer

ROOT = Path(__file__).resolve().parents[3]
CARD = """
name: Reviews
key: reviews
scores:
  - {name: Refund, class: KeywordClassifier, keywords: [refund]}
  - {name: Urgent, class: CompositeScore, depends_on: [Refund], expression: "results['Refund'].value == 'Yes'"}
  - {name: Broken, class: CompositeScore, expression: "text.none"}
"""
CONTEXT = plexus.Context()
LIMITS = Limits(memory_mib=300, cpu_s=2.0)
#: How a text ends the process that scores it. Python's own pattern engine holds the interpreter's lock meanwhile.
KILLERS: dict[str, Callable[[], object]] = {
    "hangs": lambda: re.match(r"(a+)+$", "a" * 60 + "b"),
    "fills": lambda: [bytearray(50 * 2**20) for _ in range(1000)],
    "dies": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "leaves": lambda: os._exit(3),
    "raises": lambda: dict[str, object]()["the text itself"],
}


def children_of(pid: int) -> set[int]:
    """Return the processes of a family that are alive, without the first."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(status.parent.name)] = int(fields[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {pid}


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Children that a text which names a killer ends; small limits."""
    score = KeywordScorer.score

    def hostile(scorer: KeywordScorer, requests: list[Any], context: plexus.Context) -> object:
        for request in requests:
            KILLERS.get(request.text, lambda: None)()
        return score(scorer, requests, context)

    monkeypatch.setattr(KeywordScorer, "score", hostile)
    created = Children(limits=LIMITS)
    yield created
    created.close()


def score(children: Children, text: str, *, name: str = "Refund", seconds: float | None = None) -> plexus.Result:
    """Score a text in a child."""
    deadline = None if seconds is None else time.monotonic() + seconds
    return children.score(CARDS, name, plexus.Item(text), context=plexus.Context(deadline=deadline))


CARDS = plexus.load(CARD)


@pytest.mark.parametrize("name", ["Refund", "Urgent"])
def test_a_result_is_that_of_the_same_process(children: Children, name: str) -> None:
    """Value, explanation, trace and hashes are equal, at the first score of a child and at the next."""
    for text in ("A refund, please.", "Thank you.", "größer: REFUND\N{SOFT HYPHEN}"):
        item = plexus.Item(text, {"a": [1]})
        assert children.score(CARDS, name, item, context=CONTEXT) == plexus.score(CARDS, name, item, context=CONTEXT)


def test_an_error_is_that_of_the_same_process(children: Children) -> None:
    """Errors of the library keep their type and message; of an unexpected one only class and place are sent."""
    for name, text, kind in (
        ("Refund", " ", ItemWithoutText),
        ("Broken", "x", ScoringFailed),
        ("None", "x", UnknownScore),
    ):
        with pytest.raises(kind) as ours:
            score(children, text, name=name)
        with pytest.raises(kind) as theirs:
            plexus.score(CARDS, name, plexus.Item(text))
        assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))
    with pytest.raises(ScoringFailed, match=r"^the score failed: KeyError at test_isolation.py:\d+$"):
        score(children, "raises")


@pytest.mark.parametrize(
    ("text", "seconds", "kind", "message"),
    [
        ("hangs", 1.0, DeadlineExceeded, "did not stop at its deadline, and its process was ended"),
        ("hangs", None, ScoreEnded, "took more than 2 s of processor time"),
        ("fills", None, ScoreEnded, "took more than 300 MiB of memory"),
        ("dies", None, ScoreEnded, "ended with SIGKILL"),
        ("leaves", None, ScoreEnded, "ended with status 3|ended with status 0"),
    ],
)
def test_the_end_of_a_process_is_the_failure_of_its_item(
    children: Children, text: str, seconds: float | None, kind: type[PlexusError], message: str
) -> None:
    """The error names the limit; the next item is scored; no process and no thread is left of the one that ended."""
    assert score(children, "refund").value == "Yes"
    alive, threads = len(family(children)), threading.active_count()
    with pytest.raises(kind, match=message):
        score(children, text, seconds=seconds)
    assert score(children, "refund").value == "Yes"
    assert (len(family(children)), threading.active_count()) == (alive, threads)


def family(children: Children) -> set[int]:
    """Return the nursery and its children: the processes that hold the other end of the control socket."""
    nursery = children.nursery
    return {nursery, *children_of(nursery)}


def test_killers_beside_others_harm_nobody(children: Children) -> None:
    """If ten of thirty concurrent items end their process, the other twenty have their result."""
    texts = ["refund", "thanks", "dies"] * 10

    def outcome(text: str) -> str:
        try:
            return score(children, text).value
        except ScoreEnded:
            return "ended"

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(outcome, texts)) == ["Yes", "No", "ended"] * 10


def test_a_nursery_that_was_killed_is_replaced(children: Children) -> None:
    """The next item gets a new nursery with a new child."""
    assert score(children, "refund").value == "Yes"
    before = family(children)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ScoreEnded):  # the idle child may be asked before it is known to be dead
        score(children, "refund")
    assert score(children, "refund").value == "Yes"
    assert not before & family(children)


def test_many_ends_leave_nothing(children: Children) -> None:
    """After twenty killed children there are as many processes and open files as after one."""
    counts = []
    for _ in range(20):
        with pytest.raises(ScoreEnded):
            score(children, "dies")
        counts.append((len(family(children)), len(list(Path("/proc/self/fd").iterdir()))))
    assert counts[0] == counts[-1]


def test_children_end_with_their_parent() -> None:
    """If the worker is killed, its nursery and its children end, busy ones at their limit of processor time."""
    program = (
        "import os, plexus; from plexus.isolation.children import Children; children = Children(); "
        f"card = plexus.load({CARD!r}); children.score(card, 'Refund', plexus.Item('x'), context=plexus.Context()); "
        "print(children.nursery, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        nursery = int(parent.stdout.readline())
        alive = {nursery, *children_of(nursery)}
        assert len(alive) == 2
        parent.kill()
    ends = time.monotonic() + 120
    while any(is_alive(pid) for pid in alive) and time.monotonic() < ends:
        time.sleep(0.05)
    assert [pid for pid in alive if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_collection_copies_what_children_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects from before the fork are frozen: the collector does not write to their pages, which would copy them."""

    def count(*_: object) -> None:
        raise ScoringFailed(f"frozen: {gc.get_freeze_count()}")

    monkeypatch.setattr(KeywordScorer, "score", count)
    objects = len(gc.get_objects())
    created = Children(limits=LIMITS)
    with contextlib.closing(created), pytest.raises(ScoringFailed) as caught:
        created.score(plexus.load(CARD), "Refund", plexus.Item("a refund"), context=CONTEXT)
    assert int(str(caught.value).rpartition(" ")[2]) > objects / 2


def test_memory_is_shared_out() -> None:
    """The children that compute, and what they share, fit into the function's memory; none has less than 256 MiB."""
    turns = max(2, len(os.sched_getaffinity(0)))
    assert choose_limits(2048).memory_mib * (turns + 1) < 2048 or turns > 6
    assert choose_limits(128).memory_mib == 256


def kinds(base: type[PlexusError]) -> Iterator[type[PlexusError]]:
    """Yield a class of errors and all below it."""
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted({*kinds(PlexusError)}, key=str))
def test_every_error_can_be_sent(kind: type[PlexusError]) -> None:
    """An error of any class arrives with its message and what is known about it."""
    if kind is InvalidScorecard:
        error: PlexusError = InvalidScorecard([Problem("card.yaml", Position(1, 2), "wrong")])
    else:
        error = kind("the message")
        error.transient, error.origin = True, ("A", "why")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel.send(ours, error)
        sent = channel.receive(theirs)
    assert isinstance(sent, kind)
    assert (str(sent), sent.transient, sent.origin) == (str(error), error.transient, error.origin)
