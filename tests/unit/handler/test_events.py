"""Every shape of event, and what only looks like one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plexus
from handler import events
from handler.app import lambda_handler
from handler.events import Shape
from handler.exceptions import InvalidMessage, UnknownEvent
from handler.message import parse_request
from handler.records import derive_result_id
from plexus.exceptions import ScoringFailed
from tests.memory import sqs
from tests.memory.world import START, Context, World, scoring
from tests.unit.handler.test_sqs_event import RECORD

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/worker.md"
EXAMPLES: dict[Shape, list[Any]] = {
    Shape.BATCH: [{"Records": [RECORD]}, {"Records": [RECORD, RECORD]}],
    Shape.PIPE: [[RECORD], [RECORD, RECORD]],
    Shape.EMPTY_BATCH: [{"Records": []}, []],
    Shape.FAN_OUT: [{"source": "fanout"}],
    Shape.JOB: [{"scoring_job_id": "job-1"}, {"scoring_job_id": 7, "more": 1}],
    Shape.POLL: [{}, None],
    Shape.SWEEP: [{"source": "sweep"}],
    Shape.SMOKE: [{"source": "smoke", "more": 1}],
    Shape.SHADOW: [{"source": "shadow"}, {"source": "shadow", "scoring_job_id": "job-1"}],
}
SNS_RECORD = {"EventSource": "aws:sns", "Sns": {"Message": '{"scoring_job_id": "job-1"}'}}
EVENT = {"source": "my.app", "detail-type": "Job", "detail": {"scoring_job_id": "job-1"}}
NOTIFICATION = {"Type": "Notification", "TopicArn": "arn", "Message": '{"scoring_job_id": "job-1"}'}
STRANGE: list[tuple[Any, str]] = [
    ({"Records": [SNS_RECORD]}, "records of 'aws:sns'"),
    ({"Records": [{"eventSource": "aws:s3"}]}, "records of 'aws:s3'"),
    ({"Records": [RECORD, {"eventSource": "aws:s3"}]}, "records of 'aws:s3', 'aws:sqs'"),
    ({"Records": [RECORD, 7]}, "records of 'aws:sqs' and others"),
    ([{"scoring_job_id": "job-1"}], "a pipe with an input transformer"),
    (["text"], "a pipe with an input transformer"),
    (EVENT, "an EventBridge event of the source 'my.app'"),
    ({"source": "aws.events", "detail-type": "Scheduled Event"}, "an EventBridge event of the source 'aws.events'"),
    (NOTIFICATION, "an SNS message of the type 'Notification'"),
    ({"requestContext": {}, "body": "text"}, "an HTTP request"),
    ({"Messages": []}, "a response of ReceiveMessage"),
    ({"message_body": "text", "queue_url": "u"}, 'a fan-out without "source": "fanout"'),
    ({"source": "Fanout"}, "an event of the unknown source 'Fanout'"),
    ({"source": None}, "an event of the unknown source (not a name)"),
    ({"source": ["sweep"]}, "an event of the unknown source (not a name)"),
    ({"source": "other", "scoring_job_id": "job-1"}, "an event of the unknown source 'other'"),
    ({"Records": "text"}, "an object with the members 'Records'"),
    ({"secret text of an item": 1, "b": 2}, "an object with the members (not a name), 'b'"),
    (dict.fromkeys("abcdefgh", 1), "an object with the members 'a', 'b', 'c', 'd', 'e', 'f' and 2 more, expected"),
    (dict.fromkeys("abcdef", 1), "an object with the members 'a', 'b', 'c', 'd', 'e', 'f', expected"),
    ("text", "a JSON string"),
    (7, "a JSON number"),
    (False, "a JSON number or boolean"),
]
ENVELOPES: list[Any] = [
    NOTIFICATION,
    EVENT,
    {**NOTIFICATION, "Message": json.dumps(EVENT)},
    {**NOTIFICATION, "Message": "\ufeff" + NOTIFICATION["Message"]},
    {**NOTIFICATION, "scoring_job_id": "job-1", "Message": "another"},
]


@pytest.mark.parametrize(("shape", "event"), [(shape, event) for shape in Shape for event in EXAMPLES[shape]])
def test_an_event_has_the_shape_of_its_row(shape: Shape, event: Any) -> None:
    """Each shape's examples are recognized as that shape and no other."""
    assert events.recognize_shape(event) is shape


def test_the_page_has_the_table_of_shapes() -> None:
    """The page's table has every shape, in order, and no other row."""
    section = PAGE.read_text(encoding="utf-8").partition("## Events")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if re.match(r"\| `", line)]
    assert rows == [", ".join(f"`{text}`" for text in shape.value) for shape in Shape]


@pytest.mark.parametrize(("event", "look"), STRANGE, ids=[look for _, look in STRANGE])
def test_a_strange_event_is_an_error_that_names_it(
    world: World, monkeypatch: pytest.MonkeyPatch, event: Any, look: str
) -> None:
    """The function fails, makes no AWS call and takes no message; the error lists every shape and quotes no content."""
    world.send_jobs(world.job())
    world.wire.made.clear()
    monkeypatch.setattr("handler.app._runtime", world.runtime())
    with pytest.raises(UnknownEvent, match=re.escape(look)) as caught:
        lambda_handler(event, Context())
    assert world.wire.made == []
    assert [text for shape in Shape for text in shape.value if text not in str(caught.value)] == []
    assert "text of" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_any_event_has_a_shape_or_is_refused(event: Any) -> None:
    """Any JSON has a shape or raises `UnknownEvent`; only `{}` and `null` poll."""
    try:
        shape = events.recognize_shape(event)
    except UnknownEvent:
        return
    assert (shape is Shape.POLL) == (event is None or event == {})


def test_a_pipes_batch_is_answered_with_its_failures(world: World) -> None:
    """A pipe's bare list of records is processed as a batch, and the answer names exactly the records to retry."""
    world.send_jobs(world.job(1), world.job(2, status="IN_PROGRESS", leaseOwner="other", leaseUntil=world.time + 60))
    messages = world.sqs.receive(world.requests, 10)
    answer = world.runtime().handle(sqs.event(world.requests, messages)["Records"], Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": messages[1].id}]}
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("event", [{"Records": []}, []])
def test_an_empty_batch_has_no_failures(world: World, event: Any) -> None:
    """An event without records is answered as an empty batch, and no other message is received."""
    world.send_jobs(world.job())
    world.wire.made.clear()
    assert world.runtime().handle(event, Context()) == {"batchItemFailures": []}
    assert world.wire.made == []


def test_a_batch_of_a_pipe_that_fails_as_a_whole_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings no record can be processed: the function fails, so that the pipe keeps all of them."""
    monkeypatch.setattr("handler.app._runtime", None)
    monkeypatch.setattr("os.environ", {})
    with pytest.raises(Exception, match="PLEXUS_ACCOUNT_KEY"):
        lambda_handler([RECORD], Context())


def test_a_single_job_is_run_without_a_message(world: World) -> None:
    """An event that is a message's body runs its job and sends the response; the queue's messages are left alone."""
    world.send_jobs(world.job(1))
    status, body = world.invoke(world.runtime(), {"scoring_job_id": world.job(2)})
    assert (status, body["scoring_job_id"], body["processed"]) == (200, "job-2", True)
    assert (world.status("job-1"), world.status("job-2")) == ("PENDING", "COMPLETED")
    assert world.sent_results() == [derive_result_id("job-2")]
    assert len(world.sqs.bodies("requests")) == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"text": " "}, "FAILED", 500),
        ({"accountId": "account-2"}, "PENDING", 500),
        ({"attempts": 99, "scorecardId": "card-1", "status": "QUEUED"}, "QUEUED", 500),
        ({"status": "IN_PROGRESS", "leaseOwner": "other", "leaseUntil": START + 60}, "IN_PROGRESS", 500),
    ],
)
def test_a_single_job_that_fails_has_its_status(world: World, changed: dict[str, Any], status: str, code: int) -> None:
    """An error is answered as for a fan-out and logged once, and no message is sent anywhere."""
    assert world.invoke(world.runtime(), {"scoring_job_id": world.job(**changed)})[0] == code
    assert world.status("job-1") == status
    assert world.sqs.bodies("requests") == world.sqs.bodies("dead") == world.sent_results() == []
    messages = [line["message"] for line in world.lines() if "_aws" not in line]
    assert messages == ["no result"]


def test_a_single_job_that_is_tried_again_has_no_message_to_hide(world: World) -> None:
    """The job of an event without a message is PENDING after an error that may pass, and SQS is not called for it."""

    def fail(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise ScoringFailed("down", transient=True)

    assert world.invoke(world.runtime(score=scoring(fail)), {"scoring_job_id": world.job()})[0] == 500
    assert world.status("job-1") == "PENDING"
    assert {operation for operation in world.wire.made if "Message" in operation} == set()


@pytest.mark.parametrize(("job_id", "code"), [("nobody", 404), (7, 400), (None, 400), ("", 400)])
def test_a_single_job_that_does_not_exist_has_its_status(world: World, job_id: object, code: int) -> None:
    """An unknown job is answered with 404 and an invalid id with 400."""
    assert world.invoke(world.runtime(), {"scoring_job_id": job_id})[0] == code
    assert world.sqs.bodies("dead") == []


@pytest.mark.parametrize("body", ENVELOPES, ids=lambda body: ",".join(body))
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_body_in_a_known_envelope_is_unwrapped(world: World, body: Any, mark: str) -> None:
    """A body in SNS' or EventBridge's envelope names the job inside, with or without a byte order mark before it."""
    world.job()
    world.send(mark + json.dumps(body))
    assert world.batch(world.runtime()) == []
    assert (world.status("job-1"), world.sqs.bodies("dead")) == ("COMPLETED", [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"Records": [{"eventSource": "aws:s3"}]}, "it is records of 'aws:s3'"),
        ({"Records": [SNS_RECORD]}, "it is records of 'aws:sns'"),
        ({**NOTIFICATION, "Type": "SubscriptionConfirmation"}, "it is an SNS message of the type 'SubscriptionConf"),
        ({**NOTIFICATION, "Message": "text of an item"}, "the message of the SNS notification in it is not JSON"),
        ({**NOTIFICATION, "Message": "[]"}, "the message of the SNS notification in it is a JSON array"),
        ({**EVENT, "detail": {}}, "no scoring_job_id"),
        ({**EVENT, "detail": "text of an item"}, "it is an EventBridge event of the source 'my.app'"),
        ({**EVENT, "detail": {"scoring_job_id": 7}}, "scoring_job_id is a JSON number"),
        ({"text of an item": 1}, "no scoring_job_id; expected"),
    ],
)
def test_a_body_in_another_envelope_is_named(body: Any, reason: str) -> None:
    """A body whose job is not clear is rejected with what it looks like, and never quoted."""
    with pytest.raises(InvalidMessage, match=re.escape(reason)) as caught:
        parse_request(json.dumps(body))
    assert "text of" not in str(caught.value)
