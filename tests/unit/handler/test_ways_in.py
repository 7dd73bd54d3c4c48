import json
from typing import Any

import pytest

from handler.app import lambda_handler
from handler.queues import Queues
from handler.receiving import fanned_out
from tests.memory.sqs import MemorySQS
from tests.memory.wire import Refused, Wire
from tests.memory.world import Context, World


def test_the_manual_poll_works_one_message_off(world: World) -> None:
    """An event without a source polls one message, scores it and deletes it."""
    world.send_jobs(world.job(1), world.job(2))
    status, body = world.invoke(world.runtime())
    assert (status, body["scoring_job_id"], body["processed"]) == (200, "job-1", True)
    assert len(world.sqs.bodies("requests")) == 1


def test_an_empty_queue_is_no_failure(world: World) -> None:
    """Nothing to do is 200 and not processed."""
    assert world.invoke(world.runtime()) == (200, {"message": "no messages in the queue", "processed": False})


def test_poison_is_not_reported_as_an_empty_queue(world: World) -> None:
    """A poisonous message answers 500 with its reason, and is in the dead-letter queue."""
    world.send("nonsense")
    status, body = world.invoke(world.runtime())
    assert (status, body["processed"]) == (500, False)
    assert "not JSON" in body["error"]
    assert world.sqs.bodies("dead") == ["nonsense"]
    assert world.sqs.bodies("requests") == []


def fan_out(world: World, body: str) -> dict[str, object]:
    """Receive a message as whoever fans out does, and name it in an event."""
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


def test_a_fan_out_tells_what_is_missing(world: World) -> None:
    """Every field that is missing or wrong is named, with 400."""
    status, body = world.invoke(world.runtime(), {"source": "fanout", "message_body": 3})
    assert status == 400
    assert all(name in body["error"] for name in ("message_body", "receipt_handle", "queue_url"))


@pytest.mark.parametrize(
    ("body", "status"), [("nonsense", 400), ('{"scoring_job_id": "nobody"}', 404), ('{"scoring_job_id": "job-1"}', 500)]
)
def test_a_fan_out_that_fails_has_its_status(world: World, body: str, status: int) -> None:
    """400 for a bad body, 404 for an unknown job, 500 for anything else; the message is gone in each case here."""
    world.job(text="")
    assert world.invoke(world.runtime(), fan_out(world, body))[0] == status
    assert world.sqs.bodies("requests") == []


def test_no_dead_letter_of_a_fan_out_is_taken_for_another() -> None:
    """A FIFO dead-letter queue keeps each body that was fanned out without a message id, and the same one once."""
    sqs = MemorySQS(lambda: 1000.0)
    dead = sqs.create("dead.fifo")
    queue = sqs.create("requests.fifo", dead_letters=dead.name)
    client = Wire().client("sqs", sqs)
    queues = Queues(client, client, queue.url, queue.url)
    for body in ("nonsense", "more nonsense", "nonsense"):
        event = {"source": "fanout", "message_body": body, "receipt_handle": "handle", "queue_url": queue.url}
        queues.dead_letter(fanned_out(event), "not JSON")
    assert sqs.bodies(dead.name) == ["nonsense", "more nonsense"]


def test_smoke_touches_nothing(world: World) -> None:
    """A deploy's trial invocation answers without any call to AWS."""
    status, body = world.invoke(world.runtime(), {"source": "smoke"})
    assert (status, body["message"], body["function_version"]) == (200, "ready", "7")
    assert world.wire.made == []


def test_the_sweep_sends_what_a_crash_left(world: World) -> None:
    """An old outbox entry is sent and removed; a young one is left to the invocation that made it."""
    world.dynamodb.put("Outbox", id="job-1", scoreResultId="result-1", created=world.time - 100)
    world.dynamodb.put("Outbox", id="job-2", scoreResultId="result-2", created=world.time - 5)
    assert world.invoke(world.runtime(), {"source": "sweep"}) == (200, {"message": "swept", "sent": 1})
    assert world.sent_results() == ["result-1"]
    assert world.dynamodb.ids("Outbox") == {"job-2"}


def test_no_number_of_young_entries_hides_an_old_one(world: World) -> None:
    """What a crash left is found among all that is under way, on whichever page of the outbox it stands."""
    for number in range(250):
        world.dynamodb.put("Outbox", id=f"job-{number}", scoreResultId=f"result-{number}", created=world.time - 5)
    world.dynamodb.put("Outbox", id="last", scoreResultId="result-last", created=world.time - 100)
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == 1
    assert world.sent_results() == ["result-last"]


def test_a_missing_environment_is_told_by_a_direct_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings the answer names every missing variable."""
    monkeypatch.setattr("handler.app._runtime", None)
    monkeypatch.setattr("os.environ", {})
    answer = lambda_handler({"source": "smoke"}, Context())
    assert answer["statusCode"] == 500
    assert "PLEXUS_RESPONSE_WORKER_QUEUE_URL" in answer["body"]
    assert "PLEXUS_ACCOUNT_KEY" in answer["body"]


def test_every_line_of_the_log_names_its_request(world: World) -> None:
    """What goes wrong beside a job, at the delete and in the sweep, is told with the invocation's id too."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation in ("DeleteMessage", "Scan"):
            raise Refused("ServiceUnavailable", 503)

    runtime = world.runtime()
    runtime.sweep.last = float("-inf")
    world.send_jobs(world.job())
    world.wire.fault = fault
    assert world.invoke(runtime)[0] == 200
    told = [line for line in world.lines() if "_aws" not in line]
    assert {"message not deleted", "the sweep failed"} <= {line["message"] for line in told}
    assert {line.get("aws_request_id") for line in told} == {"request-1"}
