"""Broken connections to AWS: the real image behind a proxy that resets, truncates and half-opens them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from handler.records import derive_result_id
from scripts.aws import queues
from scripts.jobs import sending
from tests.faults.functions import Another, another
from tests.faults.proxy import Break, Proxy, Rule, proxy
from tests.faults.stage import Faulty

OPERATIONS = (
    "UpdateItem",
    "BatchGetItem",
    "TransactWriteItems",
    "BatchWriteItem",
    "SendMessageBatch",
    "DeleteMessage",
)
"""The worker's calls for one job of a fan-out."""
TRIES = 3  # of its clients
LANES = 2  # invocations at once: cold starts that make each other wait would use up the tries


@dataclass(frozen=True)
class Behind:
    """A function whose DynamoDB and SQS are behind a proxy."""

    stage: Faulty
    proxy: Proxy
    function: Another

    def hand_over(self, rules: Sequence[Rule]) -> list[int]:
        """Invoke the function with a job for each rule, a few at once; returns the status codes."""
        stage, queue_url = self.stage, self.stage.aws.queue_url(self.stage.aws.stage.queues.request)
        jobs = [stage.job() for _ in rules]
        stage.send(map(sending.create_body, jobs))
        events = []
        for message, rule in zip(queues.receive(stage.aws, queue_url, delete=False), rules, strict=True):
            job = next(job for job in jobs if job in message["Body"])
            rule.contains = (job, derive_result_id(job), message["ReceiptHandle"])
            event = {"source": "fanout", "message_body": message["Body"], "queue_url": queue_url}
            events.append({**event, "receipt_handle": message["ReceiptHandle"]})
        self.proxy.rules = list(rules)
        with ThreadPoolExecutor(LANES) as pool:
            return [answer["statusCode"] for answer in pool.map(self.function.invoke, events)]

    def poll(self) -> Any:
        """Invoke the manual poll."""
        return self.function.invoke({})

    def list_unused(self) -> list[Rule]:
        """Return the rules that no call matched."""
        return [rule for rule in self.proxy.rules if rule.times]


@pytest.fixture(scope="module")
def _behind(session: Faulty) -> Iterator[Behind]:
    with proxy(session.running.endpoint) as relay:
        ways = {"AWS_ENDPOINT_URL_DYNAMODB": relay.url, "AWS_ENDPOINT_URL_SQS": relay.url}
        with another(session, "behind-a-proxy", **ways) as function:
            yield Behind(session, relay, function)


@pytest.fixture
def behind(stage: Faulty, _behind: Behind) -> Iterator[Behind]:
    """The function behind a proxy without rules."""
    _behind.proxy.rules = []
    yield _behind
    _behind.proxy.rules = []


@pytest.mark.parametrize("broken", Break)
def test_a_connection_that_breaks_once_costs_nothing(behind: Behind, broken: Break) -> None:
    """Whichever call's connection breaks once, the call is retried: each job succeeds with one effect."""
    assert behind.hand_over([Rule(operation, broken) for operation in OPERATIONS]) == [200] * len(OPERATIONS)
    assert behind.list_unused() == []
    assert behind.stage.depth() == 0
    assert behind.stage.broken() == []


@pytest.mark.parametrize("broken", [Break.BEFORE_ANSWER, Break.IN_BODY])
def test_a_connection_that_breaks_at_every_try_hands_the_job_on(behind: Behind, broken: Break) -> None:
    """If a call's connection breaks at every attempt, the next delivery completes the job, and nothing is lost."""
    operations = ("UpdateItem", "BatchGetItem", "TransactWriteItems", "SendMessageBatch")
    answers = behind.hand_over([Rule(operation, broken, times=TRIES) for operation in operations])
    assert answers == [500] * len(operations)
    assert behind.list_unused() == []
    behind.stage.drain()
    assert behind.stage.broken() == []


def test_a_message_whose_receipt_was_never_heard_of_comes_again(behind: Behind) -> None:
    """A receive whose answer was truncated loses no message: it is delivered again after its visibility timeout."""
    behind.stage.send([sending.create_body(behind.stage.job())])
    behind.proxy.rules = [Rule("ReceiveMessage", Break.IN_BODY)]
    behind.poll()
    assert behind.list_unused() == []
    behind.stage.drain()
    assert behind.stage.broken() == []


def test_connections_that_died_while_the_environment_was_frozen_are_no_failure(behind: Behind) -> None:
    """An invocation whose idle connections were reset scores its job at the first attempt."""
    for _ in range(2):
        behind.stage.send([sending.create_body(behind.stage.job())])
        assert behind.poll()["statusCode"] == 200
        assert behind.proxy.reset_all() > 0
    assert behind.stage.broken() == []
    assert [job["attempts"] for job in behind.stage.records("ScoringJob")] == [1, 1]
