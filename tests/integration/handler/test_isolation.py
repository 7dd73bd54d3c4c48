"""The worker with its real engine: a job whose score ends its process is FAILED, and harms no other."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

import plexus
from handler.scoring import Score
from plexus.isolation.child import Limits
from plexus.isolation.children import Children
from plexus.scores.keyword import KeywordScorer
from tests.memory.world import World


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """Children that a text ends: by the signal of an out-of-memory killer, or by more memory than they may have."""
    score = KeywordScorer.score

    def hostile(scorer: KeywordScorer, requests: list[Any], context: Any) -> object:
        for request in requests:
            text = request.text
            if "killed" in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "fills" in text:
                bytearray(2**30)
        return score(scorer, requests, context)

    monkeypatch.setattr(KeywordScorer, "score", hostile)
    created = Children(limits=Limits(memory_mib=300))
    yield created
    created.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("is killed", "the process that computed the score ended with SIGKILL"), ("fills", "more than 300 MiB of memory")],
)
def test_a_killer_is_failed_and_harms_no_other(world: World, children: Children, text: str, reason: str) -> None:
    """In a batch of ten, the nine others complete, and so do all ten of the next invocation."""
    runtime = world.runtime(score=children.score)
    world.send_jobs(*(world.job(number, text if number == 4 else "I want a refund.") for number in range(10)))
    assert world.batch(runtime) == []
    statuses = [world.status(f"job-{number}") for number in range(10)]
    assert statuses == ["FAILED" if number == 4 else "COMPLETED" for number in range(10)]
    assert reason in str(world.dynamodb.fields("ScoringJob", "job-4")["errorMessage"])
    assert (len(world.sent_results()), world.reasons()) == (9, [])
    world.send_jobs(*(world.job(number) for number in range(10, 20)))
    assert world.batch(runtime) == []
    assert {world.status(f"job-{number}") for number in range(10, 20)} == {"COMPLETED"}
    assert len(world.sent_results()) == 19


def test_a_result_is_stored_as_before(world: World, children: Children) -> None:
    """A record that was scored in a child equals one that was scored in the worker's own process."""
    records = []
    engines: tuple[Score, ...] = (children.score, plexus.score)
    for score in engines:
        world.send_jobs(world.job(1))
        assert world.batch(world.runtime(score=score)) == []
        result_id = world.sent_results()[-1]
        records.append(world.dynamodb.fields("ScoreResult", result_id))
        world.dynamodb.tables["ScoreResult"].clear()
    assert records[0] == records[1]
