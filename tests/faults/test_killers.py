"""One job that ends its process every time, at each step, alone and in a batch of ten, on the real image.

The environment is killed three times, each time when the job has reached the step. Then it is left alone.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from handler.crash_points import Step
from handler.records import derive_result_id
from scripts.aws import dynamodb, invocation
from scripts.jobs import sending
from tests.faults.sources import Source
from tests.faults.stage import LEASE_S, SKEW_S, TEXT, Faulty
from tests.faults.test_kills import LARGE, TIMES, Rule, after

DEATHS = 3  # PLEXUS_CRASH_LIMIT
HIDDEN_S = int(LEASE_S + SKEW_S) + 1
LIMIT_S = 240
LATE_S = 180.0
"""Longer than any next claim takes: a transaction that is held for less would take effect without its process."""
REASON = f"EndedProcesses: the scoring job ended its process {DEATHS} times"
BEFORE = (Step.CLAIM, Step.READ, Step.SCORE, Step.OFFLOAD, Step.RENEW)
"""The steps before the commit: a job that is killed there has no outcome."""
AFTER = (Step.COMMIT, Step.RESPOND, Step.MARK, Step.RELEASE, Step.HAND_BACK)
ONCE = (Step.COMMIT, Step.MARK)
"""Steps that no later delivery repeats."""


@dataclass
class Killer:
    """The job, and the environments that were killed for it."""

    stage: Faulty
    step: Step
    job: str
    item: str
    deaths: int = 0

    def rules(self) -> list[Rule]:
        """Return the faults that lead the job to its step, and the one for the step itself."""
        commit: Rule = {"operation": "dynamodb.TransactWriteItems", "contains": self.job, "times": TIMES}
        late: Rule = {**commit, "delay": LATE_S}
        # Not repeated by the client, so that no heartbeat comes before the hand-back.
        refused: Rule = {**commit, "code": "AccessDeniedException"}
        result = derive_result_id(self.job)
        return {
            Step.CLAIM: [after("dynamodb.UpdateItem", self.job)],
            Step.READ: [after("dynamodb.BatchGetItem", self.item)],
            Step.SCORE: [late],
            Step.OFFLOAD: [after("s3.PutObject", result)],
            # Of this job: on a slow machine others renew theirs, too.
            Step.RENEW: [late, {**after("dynamodb.UpdateItem", self.job), "also": "SET leaseUntil = :until"}],
            Step.COMMIT: [after("dynamodb.TransactWriteItems", self.job)],
            Step.RESPOND: [after("sqs.SendMessageBatch", result)],
            Step.MARK: [after("dynamodb.BatchWriteItem", self.job)],
            Step.RELEASE: [refused, after("dynamodb.UpdateItem", "errorMessage = :error")],
            Step.HAND_BACK: [refused, after("sqs.ChangeMessageVisibilityBatch")],
        }[self.step]

    def deliver(self, source: Source, event: dict[str, Any]) -> None:
        """Invoke with the batch; kill the environment when the job reaches its step, if it has deaths left."""
        if self.deaths < DEATHS:
            self.stage.faults(*self.rules())
        answers: list[Any] = []
        invoking = threading.Thread(
            target=lambda: answers.append(invocation.invoke(self.stage.aws, event).payload), daemon=True
        )
        invoking.start()
        while invoking.is_alive():
            left = self.stage.list_faults()
            if left and left[-1]["times"] < TIMES:
                self.deaths += self.stage.kill() > 0
                self.stage.faults()
            invoking.join(0.02)
        self.stage.faults()
        if isinstance(answers[0], dict) and "batchItemFailures" in answers[0]:
            kept = {each["itemIdentifier"] for each in answers[0]["batchItemFailures"]}
            source.settle(event, kept)


def deliver_all(stage: Faulty, killer: Killer) -> None:
    """Deliver what is in the request queue as one batch, again and again until it is empty."""
    source = find_source(stage)
    end = time.monotonic() + LIMIT_S
    while stage.depth():
        assert time.monotonic() < end, f"{stage.depth()} messages are left after {killer.deaths} deaths"
        if any_leased(stage):  # a receive too many would make SQS itself dead-letter the message
            time.sleep(0.2)
        elif event := source.receive_visible(HIDDEN_S):
            killer.deliver(source, event)


def find_source(stage: Faulty) -> Source:
    """Return the request queue."""
    url = stage.aws.queue_url(stage.aws.stage.queues.request)
    answer = stage.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return Source(stage.aws.client("sqs"), url, answer["Attributes"]["QueueArn"])


def any_leased(stage: Faulty) -> bool:
    """Return whether a worker, dead or alive, has leased a job of this test."""
    now = time.time() - SKEW_S
    return any(float(one.get("leaseUntil", 0)) >= now for one in stage.records("ScoringJob"))


@pytest.mark.parametrize("innocents", [0, 9], ids=["alone", "batch"])
@pytest.mark.parametrize("step", BEFORE + AFTER)
def test_a_job_that_ends_its_process_every_time_harms_only_itself(stage: Faulty, step: Step, innocents: int) -> None:
    """Before its commit, the job is FAILED and dead-lettered with that reason; else it is COMPLETED.

    The other jobs of its batch are COMPLETED with their responses, and nothing is left in the queue or the outbox.
    """
    job = stage.job(LARGE if step is Step.OFFLOAD else TEXT)
    (record,) = stage.records("ScoringJob")
    killer = Killer(stage, step, job, record["itemId"])
    others = [stage.job() for _ in range(innocents)]
    stage.send(sending.create_body(each) for each in [*others[:4], job, *others[4:]])
    deliver_all(stage, killer)
    assert killer.deaths == (1 if step in ONCE else DEATHS)
    letters = stage.letters()
    if step in BEFORE:
        stage.jobs.remove(job)
        results = {one["id"]: one for one in dynamodb.scan(stage.aws, "ScoringJob")}[job]
        assert (results["status"], results["errorMessage"][: len(REASON)]) == ("FAILED", REASON)
        assert [(letter.scoring_job_id, letter.reason[: len(REASON)]) for letter in letters] == [(job, REASON)]
    else:
        assert letters == []
    assert stage.broken() == []


def test_a_job_with_deaths_by_other_messages_harms_no_new_batch(stage: Faulty) -> None:
    """Each message of the killer is new, as after a redrive in the console. Once a message of it has ended its process,
    the nine jobs beside the next one are COMPLETED by the delivery that it ends.
    """
    job, source = stage.job(), find_source(stage)
    killer = Killer(stage, Step.SCORE, job, stage.records("ScoringJob")[0]["itemId"])
    for innocents in (0, 9, 9, 0):
        others = [stage.job() for _ in range(innocents)]
        stage.send(sending.create_body(each) for each in [*others[:4], job, *others[4:]])
        while any_leased(stage):
            time.sleep(0.2)
        event = source.receive_visible(HIDDEN_S)
        assert event is not None
        assert len(event["Records"]) == innocents + 1
        killer.deliver(source, event)
        status = {one["id"]: one["status"] for one in stage.records("ScoringJob")}
        assert [each for each in others if status[each] != "COMPLETED"] == []
        source.settle(event, set())
    assert killer.deaths == DEATHS
    assert [letter.reason[: len(REASON)] for letter in stage.letters()] == [REASON]
    stage.jobs.remove(job)
    assert stage.broken() == []


def test_every_step_that_a_job_can_reach_again_is_here() -> None:
    """Each step of the worker is killed here, but for those at which the message or the job has its end."""
    assert set(Step) - {*BEFORE, *AFTER} == {Step.DELETE, Step.FAIL, Step.DEAD_LETTER, Step.REQUEUE}
