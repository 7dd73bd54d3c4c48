"""Random programs on the worker's queues, standard and FIFO: its own calls, and calls that SQS refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.memory.chance import choose_weighted
from tests.memory.queue_steps import DEAD, REQUESTS, Call, Delete, Respond, Step, Visibility, Worker, receive
from tests.memory.sqs import MAXIMUM_MESSAGE_BYTES
from tests.memory.twin import Long

Request = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of queue: the suffix of its names, its groups, and its maximum receive count."""

    suffix: str
    groups: tuple[str, ...]
    max_receive_count: int


KINDS = {
    "standard": Kind("", (), 2),
    "fifo": Kind(".fifo", ("red",), 2),
    "groups": Kind(".fifo", ("red", "green", "blue"), 2),
}


def attribute(size: int) -> Request:
    """Return an attribute of that size in bytes, including its name and type."""
    return {"MessageAttributes": {"reason": {"DataType": "String", "StringValue": Long("r" * (size - 12))}}}


FULL = MAXIMUM_MESSAGE_BYTES
odd_bodies: st.SearchStrategy[Request] = st.sampled_from(
    [
        {"MessageBody": ""},
        {"MessageBody": "\0"},
        {"MessageBody": "é\t\U0001f600"},
        {"MessageBody": Long("é" * (FULL // 2))},
        {"MessageBody": Long("x" * (FULL + 1))},
        {"MessageBody": Long("x" * (FULL - 20)), **attribute(20)},
        {"MessageBody": Long("x" * (FULL - 20)), **attribute(21)},
    ]
)
bodies = st.builds(lambda number: {"MessageBody": f"body {number}"}, st.integers(0, 99))
numbers = st.integers(0, 9)
several = st.lists(numbers, min_size=1, max_size=4).map(tuple)
uniques = st.integers(0, 7).map(lambda number: f"unique-{number}")


def places(kind: Kind) -> st.SearchStrategy[Request]:
    """Return the parameters beside a body: none, or a group and a deduplication id."""
    if not kind.groups:
        return st.sampled_from([{}, {}, {"DelaySeconds": 900}, {"DelaySeconds": 0}, {"MessageGroupId": "fair"}])
    return st.builds(
        lambda group, unique: {"MessageGroupId": group, "MessageDeduplicationId": unique},
        st.sampled_from(kind.groups),
        uniques,
    )


def wrong_places(kind: Kind) -> st.SearchStrategy[Request]:
    """Return sends that a queue of this kind refuses."""
    unique = {"MessageDeduplicationId": "unique-0"}
    if not kind.groups:
        return st.just(unique)
    group = {"MessageGroupId": kind.groups[0]}
    return st.sampled_from([{}, unique, group, {**group, **unique, "DelaySeconds": 3}])


def _send(*parts: Request) -> Call:
    return Call("send_message", REQUESTS, {name: part for each in parts for name, part in each.items()})


def _batch(requests: list[tuple[Request, Request]], name: Callable[[int], str]) -> Call:
    entries = [{"Id": name(place), **body, **more} for place, (body, more) in enumerate(requests)]
    return Call("send_message_batch", REQUESTS, {"Entries": entries})


def batches(kind: Kind) -> st.SearchStrategy[Call]:
    """Return batches with at most one invalid body; some have too many entries, or repeated ids."""
    pair = st.tuples(bodies, places(kind))
    odd = st.lists(st.tuples(odd_bodies, places(kind)), max_size=1)
    names = st.sampled_from([str, str, str, lambda _: "same"])
    fit = st.builds(lambda some, one, name: _batch(some + one, name), st.lists(pair, max_size=3), odd, names)
    return fit | st.builds(lambda one: _batch([one] * 11, str), pair)


def refused_steps(kind: Kind) -> st.SearchStrategy[Step]:
    """Return calls that are mostly refused."""
    return st.one_of(
        st.builds(_send, odd_bodies, places(kind)),
        st.builds(_send, bodies, wrong_places(kind)),
        batches(kind),
        st.builds(receive, st.just(REQUESTS), st.just(11)),
    )


def worker_steps() -> st.SearchStrategy[Step]:
    """Return the worker's calls except deletes."""
    delays = st.sampled_from([0.0, 900.0])
    return st.one_of(
        st.builds(lambda number: Worker("send_to_dead_letters", number, ("no scoring job",)), numbers),
        st.builds(lambda number, *more: Worker("requeue", number, more), numbers, delays, uniques),
        st.builds(Respond, st.lists(st.sampled_from(["job-1", "job-2"]), min_size=1, max_size=2)),
    )


def steps(kind: Kind) -> st.SearchStrategy[Step]:
    """Return all steps; one in five is refused."""
    queues = st.sampled_from([REQUESTS, REQUESTS, REQUESTS, DEAD])
    receipts = st.builds(receive, queues, st.integers(1, 10), st.sampled_from([None, None, None, 0, 60]))
    give_back = st.builds(Visibility, several, st.sampled_from([0, 0, 0, 60]))
    deletes = st.builds(Delete, several, st.booleans())
    sends = st.builds(_send, bodies, places(kind))
    return choose_weighted(
        (2, sends), (3, receipts), (2, give_back), (1, deletes), (1, worker_steps()), (2, refused_steps(kind))
    )


def programs(kind: Kind) -> st.SearchStrategy[list[Step]]:
    """Return programs: some messages, a receive, and then any steps."""
    seeds = st.lists(st.builds(_send, bodies, places(kind)), min_size=2, max_size=6)
    first = st.builds(lambda sends, most: [*sends, receive(REQUESTS, most)], seeds, st.integers(1, 4))
    return st.builds(lambda begin, rest: begin + rest, first, st.lists(steps(kind), min_size=10, max_size=20))
