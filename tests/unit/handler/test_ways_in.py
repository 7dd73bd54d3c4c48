import json
from pathlib import Path
from typing import Any

import pytest

import plexus
from handler.app import lambda_handler
from handler.direct_invocation import parse_fan_out
from handler.queues import Queues
from handler.records import derive_result_id
from handler.settings import LONGEST_LEASE
from plexus.exceptions import ScoringFailed
from tests.memory.sqs import MemorySQS
from tests.memory.wire import Refused, Wire
from tests.memory.world import Context, World, scoring


def test_a_manual_poll_processes_one_message(world: World) -> None:
    """An event without a source receives one message, scores it and deletes it."""
    world.send_jobs(world.job(1), world.job(2))
    status, body = world.invoke(world.runtime())
    assert (status, body["scoring_job_id"], body["processed"]) == (200, "job-1", True)
    assert len(world.sqs.bodies("requests")) == 1


def test_an_empty_queue_is_no_failure(world: World) -> None:
    """An empty queue is answered with 200 and `processed: false`."""
    assert world.invoke(world.runtime()) == (200, {"message": "no messages in the queue", "processed": False})


def test_poison_is_not_reported_as_an_empty_queue(world: World) -> None:
    """Poison is answered with 500 and its reason, and is in the dead-letter queue."""
    world.send("nonsense")
    status, body = world.invoke(world.runtime())
    assert (status, body["processed"]) == (500, False)
    assert "not JSON" in body["error"]
    assert world.sqs.bodies("dead") == ["nonsense"]
    assert world.sqs.bodies("requests") == []


def fan_out(world: World, body: str) -> dict[str, object]:
    """Receive a message as a dispatcher does, and return the event that names it."""
    world.send(body)
    (message,) = world.sqs.receive(world.requests, 1)
    handle = message.handles[-1]
    return {"source": "fanout", "message_body": body, "receipt_handle": handle, "queue_url": world.requests.url}


def test_a_fan_out_scores_and_deletes(world: World) -> None:
    """The message that the event names is scored and deleted."""
    event = fan_out(world, json.dumps({"scoring_job_id": world.job()}))
    assert world.invoke(world.runtime(), event)[0] == 200
    assert world.status("job-1") == "COMPLETED"
    assert world.sqs.bodies("requests") == []


def test_a_fan_out_with_missing_fields_is_rejected(world: World) -> None:
    """Every missing or invalid field is reported, with 400."""
    status, body = world.invoke(world.runtime(), {"source": "fanout", "message_body": 3})
    assert status == 400
    assert all(name in body["error"] for name in ("message_body", "receipt_handle", "queue_url"))


@pytest.mark.parametrize(
    ("body", "status"), [("nonsense", 400), ('{"scoring_job_id": "nobody"}', 404), ('{"scoring_job_id": "job-1"}', 500)]
)
def test_a_fan_out_that_fails_has_its_status(world: World, body: str, status: int) -> None:
    """An invalid body is answered with 400, an unknown job with 404 and any other error with 500."""
    world.job(text="")
    assert world.invoke(world.runtime(), fan_out(world, body))[0] == status
    assert world.sqs.bodies("requests") == []


def test_dead_letters_of_fan_outs_are_not_deduplicated() -> None:
    """A FIFO dead-letter queue keeps every body of fan-outs without message ids, and drops only an equal body."""
    sqs = MemorySQS(lambda: 1000.0)
    dead = sqs.create("dead.fifo")
    queue = sqs.create("requests.fifo", dead_letters=dead.name)
    client = Wire().client("sqs", sqs)
    queues = Queues(client, client, queue.url, queue.url)
    for body in ("nonsense", "more nonsense", "nonsense"):
        event = {"source": "fanout", "message_body": body, "receipt_handle": "handle", "queue_url": queue.url}
        queues.send_to_dead_letters(parse_fan_out(event), "not JSON")
    assert sqs.bodies(dead.name) == ["nonsense", "more nonsense"]


def test_a_smoke_test_makes_no_aws_call(world: World) -> None:
    """The invocation with which a deploy tests a version makes no AWS call."""
    status, body = world.invoke(world.runtime(), {"source": "smoke"})
    assert (status, body["message"], body["function_version"]) == (200, "ready", "7")
    assert world.wire.made == []


def test_the_sweep_sends_the_responses_that_a_crash_left(world: World) -> None:
    """An old outbox entry is sent and deleted; a young one is left to its own invocation."""
    world.dynamodb.put("Outbox", id="job-1", scoreResultId="result-1", created=world.time - 100)
    world.dynamodb.put("Outbox", id="job-2", scoreResultId="result-2", created=world.time - 5)
    assert world.invoke(world.runtime(), {"source": "sweep"}) == (200, {"message": "swept", "sent": 1})
    assert world.sent_results() == ["result-1"]
    assert world.dynamodb.ids("Outbox") == {"job-2"}


def test_the_sweep_sends_more_responses_than_one_call_takes(world: World) -> None:
    """Eleven old outbox entries are sent, in calls of ten at most, and deleted."""
    for number in range(11):
        world.dynamodb.put("Outbox", id=f"job-{number}", scoreResultId=f"result-{number}", created=world.time - 100)
    assert world.invoke(world.runtime(), {"source": "sweep"}) == (200, {"message": "swept", "sent": 11})
    assert set(world.sent_results()) == {f"result-{number}" for number in range(11)}
    assert world.dynamodb.ids("Outbox") == set()


@pytest.mark.parametrize("result", [None, "", 7, "x" * 2049])
@pytest.mark.parametrize("created", [0, "then", None])
def test_a_damaged_outbox_entry_fails_nothing(world: World, result: object, created: object) -> None:
    """An entry without a scoreResultId fails neither a batch nor the sweep after it: the id follows from the job's."""
    runtime = world.runtime()
    runtime.sweep.last = float("-inf")
    world.dynamodb.put("Outbox", id="job-9", scoreResultId=result, created=created)
    world.send_jobs(world.job(1), world.job(2, status="COMPLETED"))
    world.dynamodb.put("Outbox", id="job-2", scoreResultId=result, created=created)
    assert world.batch(runtime) == []
    assert set(world.sent_results()) == {
        derive_result_id("job-1"),
        derive_result_id("job-2"),
        derive_result_id("job-9"),
    }


def test_large_outbox_entries_hold_back_no_response(world: World) -> None:
    """Entries whose ids SQS would refuse as too large together are sent with the ids that follow from their jobs."""
    for number in range(3):
        world.dynamodb.put("Outbox", id=f"job-{number}", scoreResultId="x" * 390_000, created=0)
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == 3
    assert set(world.sent_results()) == {derive_result_id(f"job-{number}") for number in range(3)}


@pytest.mark.parametrize("form", [float, str])
@pytest.mark.parametrize(("ahead", "sent"), [(LONGEST_LEASE - 61, 0), (LONGEST_LEASE - 59, 1), (1e9, 1)])
def test_an_entry_of_a_wrong_clock_is_sent(world: World, form: type, ahead: float, sent: int) -> None:
    """An entry that was created in the future, by more than clocks can differ, is swept instead of kept for years."""
    world.dynamodb.put("Outbox", id="job-1", scoreResultId="result-1", created=form(world.time + ahead))
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == sent


@pytest.mark.parametrize(("age", "sent"), [(100, 1), (5, 0)])
def test_a_time_as_text_is_compared_as_a_number(world: World, age: float, sent: int) -> None:
    """An entry whose `created` another writer stored as text is swept when it is old, and not before."""
    world.dynamodb.put("Outbox", id="job-1", scoreResultId="result-1", created=str(world.time - age))
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == sent


def test_no_number_of_young_entries_hides_an_old_one(world: World) -> None:
    """An old entry is found on any page of the outbox, among any number of young ones."""
    for number in range(250):
        world.dynamodb.put("Outbox", id=f"job-{number}", scoreResultId=f"result-{number}", created=world.time - 5)
    world.dynamodb.put("Outbox", id="last", scoreResultId="result-last", created=world.time - 100)
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == 1
    assert world.sent_results() == ["result-last"]


def test_a_direct_invocation_reports_missing_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings, the response names every missing variable."""
    monkeypatch.setattr("handler.app._runtime", None)
    monkeypatch.setattr("os.environ", {})
    answer = lambda_handler({"source": "smoke"}, Context())
    assert answer["statusCode"] == 500
    assert "PLEXUS_RESPONSE_WORKER_QUEUE_URL" in answer["body"]
    assert "PLEXUS_ACCOUNT_KEY" in answer["body"]


def test_every_log_line_has_the_request_id(world: World) -> None:
    """Failures of the delete and of the sweep are logged with the invocation's id too."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation in ("DeleteMessage", "Scan"):
            raise Refused("ServiceUnavailable", 503)

    runtime = world.runtime()
    runtime.sweep.last = float("-inf")
    world.send_jobs(world.job())
    world.wire.fault = fault
    assert world.invoke(runtime)[0] == 200
    lines = [line for line in world.lines() if "_aws" not in line]
    assert {"message not deleted", "the sweep failed"} <= {line["message"] for line in lines}
    assert {line.get("aws_request_id") for line in lines} == {"request-1"}


@pytest.mark.parametrize(("given", "count"), [(3, 3), (0, 0), (None, None), (True, None), ("3", None), (2.5, None)])
def test_the_receive_count_of_a_fan_out_is_an_integer(world: World, given: object, count: int | None) -> None:
    """Anything but an integer counts as unknown, so that the job's attempts stand in for it."""
    assert parse_fan_out({**fan_out(world, "{}"), "receive_count": given}).receive_count == count


def test_a_fan_out_ends_by_the_attempts_of_its_job(tmp_path: Path) -> None:
    """A fan-out without a receive count is the last delivery once its job was claimed as often as SQS delivers."""
    world = World(tmp_path, attempts=2)

    def fail(*_: object) -> plexus.Result:
        raise ScoringFailed("down", transient=True)

    runtime = world.runtime(score=scoring(fail))
    event = fan_out(world, json.dumps({"scoring_job_id": world.job()}))
    statuses = []
    for _ in range(3):
        world.invoke(runtime, event)
        statuses.append(world.status("job-1"))
    assert statuses[-1] == "FAILED"
    assert statuses[0] == "PENDING"


def test_an_outbox_entry_has_the_moment_of_its_commit(world: World) -> None:
    """The sweep finds old entries by their time in Unix seconds; people read the timestamp."""

    def refuse(operation: str, phase: str, request: dict[str, Any]) -> None:
        if (operation, phase) == ("SendMessageBatch", "before"):
            raise Refused("ServiceUnavailable")

    world.wire.fault = refuse
    world.send_jobs(world.job())
    world.batch(world.runtime())
    entry = world.dynamodb.fields("Outbox", "job-1")
    assert float(entry["created"]) == pytest.approx(world.time, abs=60)
    assert str(entry["createdAt"]).endswith("Z")


def test_a_queue_without_a_redrive_policy_never_drops_a_message(world: World) -> None:
    """Its messages have no last receive, and no other queue takes them."""
    policy = world.runtime().worker.failures.queues.redrive_policy(world.responses.url)
    assert (policy.max_receive_count, policy.dead_letter_queue_url) == (None, None)
