"""Invocations of one execution environment are independent: nothing of one is visible to another, or kept."""

import gc
import json
import threading
from typing import Any

import pytest

import plexus
from handler.invocation import Invocation
from tests.memory import sqs
from tests.memory.world import Context, World, scoring

FIRST, SECOND = "1-5f84c7a1-0123456789abcdef01234567", "1-5f84c7a1-aaaaaaaaaaaaaaaaaaaaaaaa"


def event(world: World) -> dict[str, Any]:
    """Return an event with the next message of the request queue."""
    return sqs.event(world.requests, world.sqs.receive(world.requests, 1))


def test_two_invocations_at_once_share_no_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one invocation scores, another starts and ends: each keeps its own log fields, trace and deadline."""
    entered, resume = threading.Event(), threading.Event()
    deadlines: dict[str, float] = {}

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        deadlines[str(item.text)] = context.deadline or 0.0
        if item.text == "first":
            entered.set()
            assert resume.wait(120)
        return plexus.Result("Yes")

    world.send_jobs(world.job(1, text="first"), world.job(2, text="second"))
    runtime = world.runtime(score=scoring(score))
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={FIRST};Sampled=0")
    context = Context(remaining=900.0, aws_request_id="request-1")
    first = threading.Thread(target=runtime.handle, args=(event(world), context))
    first.start()
    assert entered.wait(120)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={SECOND};Sampled=0")
    runtime.handle(event(world), Context(remaining=100.0, aws_request_id="request-2"))
    resume.set()
    first.join(120)
    committed = [line for line in world.lines() if line.get("message") == "committed"]
    assert {(line["scoring_job_id"], line["aws_request_id"], line["trace_id"]) for line in committed} == {
        ("job-1", "request-1", FIRST),
        ("job-2", "request-2", SECOND),
    }
    metrics = [line["trace_id"] for line in world.lines() if "_aws" in line]
    assert sorted(metrics) == sorted([FIRST, SECOND])
    assert deadlines["first"] - deadlines["second"] > 700


def test_nothing_of_an_invocation_outlives_it(world: World) -> None:
    """After batch, poll, fan-out, sweep and smoke, no object of the environment refers to an `Invocation`."""
    runtime = world.runtime()
    world.send_jobs(*(world.job(number) for number in range(4)))
    world.batch(runtime, 2)
    world.invoke(runtime)
    (message,) = world.sqs.receive(world.requests, 1)
    fan_out = {"message_body": message.body, "receipt_handle": message.handles[-1], "queue_url": world.requests.url}
    for direct in ({"source": "fanout", **fan_out}, {"source": "sweep"}, {"source": "smoke"}):
        assert world.invoke(runtime, direct)[0] == 200
    gc.collect()
    alive = [kept for kept in gc.get_objects() if isinstance(kept, Invocation) and kept.account is runtime.account]
    assert alive == []
    assert json.dumps(dict(runtime.log.fields)) == "{}"
