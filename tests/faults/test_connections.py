"""Connections to AWS that break: the real image behind a proxy that resets, cuts and keeps silent."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from handler.records import result_id
from scripts import _scenario, enqueue
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
"""What the worker calls for one job that it is handed."""
TRIES = 3  # of its clients


@dataclass(frozen=True)
class Behind:
    """A function whose DynamoDB and SQS lie behind a proxy."""

    stage: Faulty
    proxy: Proxy
    function: Another

    def hand_over(self, rules: Sequence[Rule]) -> list[int]:
        """Hand each rule's job to the function, all at once, under its rule; the status codes of the answers."""
        stage, queue_url = self.stage, self.stage.aws.queue_url(self.stage.aws.stage.queues.request)
        jobs = [stage.job() for _ in rules]
        stage.send(map(enqueue.body, jobs))
        events = []
        for message, rule in zip(_scenario.receive(stage.aws, queue_url, delete=False), rules, strict=True):
            job = next(job for job in jobs if job in message["Body"])
            rule.contains = (job, result_id(job), message["ReceiptHandle"])
            event = {"source": "fanout", "message_body": message["Body"], "queue_url": queue_url}
            events.append({**event, "receipt_handle": message["ReceiptHandle"]})
        self.proxy.rules = list(rules)
        with ThreadPoolExecutor(len(events)) as pool:
            return [answer["statusCode"] for answer in pool.map(self.function.invoke, events)]

    def poll(self) -> Any:
        """Let the function take one message."""
        return self.function.invoke({})

    def unused(self) -> list[Rule]:
        """Rules that no call met."""
        return [rule for rule in self.proxy.rules if rule.times]


@pytest.fixture(scope="module")
def _behind(session: Faulty) -> Iterator[Behind]:
    with proxy(session.running.endpoint) as found:
        ways = {"AWS_ENDPOINT_URL_DYNAMODB": found.url, "AWS_ENDPOINT_URL_SQS": found.url}
        with another(session, "behind-a-proxy", **ways) as function:
            yield Behind(session, found, function)


@pytest.fixture
def behind(stage: Faulty, _behind: Behind) -> Iterator[Behind]:
    """The function behind the proxy, which breaks nothing yet."""
    _behind.proxy.rules = []
    yield _behind
    _behind.proxy.rules = []


@pytest.mark.parametrize("broken", Break)
def test_a_connection_that_breaks_once_costs_nothing(behind: Behind, broken: Break) -> None:
    """Whatever call the connection breaks at, the call is made again: each job is answered, with one effect."""
    assert behind.hand_over([Rule(operation, broken) for operation in OPERATIONS]) == [200] * len(OPERATIONS)
    assert behind.unused() == []
    assert behind.stage.depth() == 0
    assert behind.stage.broken() == []


@pytest.mark.parametrize("broken", [Break.BEFORE_ANSWER, Break.IN_BODY])
def test_a_connection_that_breaks_at_every_try_hands_the_job_on(behind: Behind, broken: Break) -> None:
    """A call that is never heard of fails the attempt; the next delivery ends with one effect, and nothing is lost."""
    operations = ("UpdateItem", "BatchGetItem", "TransactWriteItems", "SendMessageBatch")
    answers = behind.hand_over([Rule(operation, broken, times=TRIES) for operation in operations])
    assert answers == [500] * len(operations)
    assert behind.unused() == []
    behind.stage.drain()
    assert behind.stage.broken() == []


def test_a_message_whose_receipt_was_never_heard_of_comes_again(behind: Behind) -> None:
    """A receive that took effect and whose answer was cut loses no message: it comes back after its visibility."""
    behind.stage.send([enqueue.body(behind.stage.job())])
    behind.proxy.rules = [Rule("ReceiveMessage", Break.IN_BODY)]
    behind.poll()
    assert behind.unused() == []
    behind.stage.drain()
    assert behind.stage.broken() == []


def test_connections_that_died_while_the_environment_was_frozen_are_no_failure(behind: Behind) -> None:
    """An invocation whose kept connections were reset since the last one scores its job at the first try."""
    for _ in range(2):
        behind.stage.send([enqueue.body(behind.stage.job())])
        assert behind.poll()["statusCode"] == 200
        assert behind.proxy.reset_all() > 0
    assert behind.stage.broken() == []
    assert [job["attempts"] for job in behind.stage.records("ScoringJob")] == [1, 1]
