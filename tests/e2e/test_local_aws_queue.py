"""Event source mappings: an SQS queue whose batches a function works on."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import Clients, Function, wait_for

Make = Callable[..., Function]
HIDDEN_S = 5  # until a failed message comes back: more than a batch takes on a busy machine, and no long wait


@dataclass(frozen=True)
class Pipeline:
    """Queue → function → table and outgoing queue."""

    sqs: Any
    function: Function
    source: str
    out: str
    dead: str
    table: str
    mapping: str

    def send(self, *bodies: dict[str, Any] | str) -> None:
        """Send messages, ten at a time."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        for start in range(0, len(texts), 10):
            entries = [{"Id": str(n), "MessageBody": text} for n, text in enumerate(texts[start : start + 10])]
            self.sqs.send_message_batch(QueueUrl=self.source, Entries=entries)

    def receive(self, count: int, queue: str = "", limit_s: float = 120) -> list[str]:
        """Take so many messages from the outgoing queue (or another); fail when they do not come."""
        bodies: list[str] = []
        end = time.monotonic() + limit_s
        while len(bodies) < count:
            assert time.monotonic() < end, f"{len(bodies)} of {count} messages in {limit_s} s"
            got = self.sqs.receive_message(QueueUrl=queue or self.out, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=queue or self.out, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture
def make_pipeline(aws: Clients, make_function: Make) -> Iterator[Callable[..., Pipeline]]:
    """Make pipelines; arguments are how long a received message is hidden, and those of the mapping."""
    created: list[Pipeline] = []

    def make(hidden_s: int = 120, **mapping: Any) -> Pipeline:
        key, sqs = uuid.uuid4().hex[:8], aws("sqs")
        dead, out = (sqs.create_queue(QueueName=f"{name}-{key}")["QueueUrl"] for name in ("dead", "out"))
        redrive = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": "2"}
        attributes = {"VisibilityTimeout": str(hidden_s), "RedrivePolicy": json.dumps(redrive)}
        source = sqs.create_queue(QueueName=f"in-{key}", Attributes=attributes)["QueueUrl"]
        aws("dynamodb").create_table(
            TableName=f"table-{key}",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        function = make_function(Environment={"Variables": {"TABLE": f"table-{key}", "OUT": out}}, Timeout=60)
        function.invoke({"Records": []})  # no message waits for a cold start
        settings = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"], **mapping}
        made_mapping = aws("lambda").create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=arn(sqs, source), **settings
        )
        created.append(Pipeline(sqs, function, source, out, dead, f"table-{key}", made_mapping["UUID"]))
        wait_for(lambda: state(aws, created[-1]) == "Enabled", "the mapping to be enabled")
        return created[-1]

    yield make
    for pipeline in created:
        aws("lambda").delete_event_source_mapping(UUID=pipeline.mapping)


def arn(sqs: Any, url: str) -> str:
    """Return a queue's ARN."""
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def state(aws: Clients, pipeline: Pipeline) -> str:
    """Return the mapping's state."""
    return str(aws("lambda").get_event_source_mapping(UUID=pipeline.mapping)["State"])


def test_every_message_is_worked_on_and_deleted(make_pipeline: Callable[..., Pipeline]) -> None:
    """A hundred messages come out once each, and the queue is empty."""
    pipeline = make_pipeline()
    pipeline.send(*({"id": str(number)} for number in range(100)))
    ids = [json.loads(body)["id"] for body in pipeline.receive(100)]
    assert sorted(ids, key=int) == [str(number) for number in range(100)]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def count_left() -> list[str]:
        output = pipeline.sqs.get_queue_attributes(QueueUrl=pipeline.source, AttributeNames=names)["Attributes"]
        return [output[name] for name in names]

    wait_for(lambda: count_left() == ["0", "0"], "the queue to be empty")


def test_only_the_failed_record_comes_back_and_dies(make_pipeline: Callable[..., Pipeline]) -> None:
    """If a batch reports one failure, the other messages are deleted, and that one reaches the dead-letter queue."""
    pipeline = make_pipeline(HIDDEN_S)
    pipeline.send({"id": "a"}, {"id": "bad", "fail": True}, {"id": "b"})
    assert sorted(json.loads(body)["id"] for body in pipeline.receive(2)) == ["a", "b"]
    assert [json.loads(body)["id"] for body in pipeline.receive(1, pipeline.dead)] == ["bad"]


def test_body_arrives_byte_for_byte(make_pipeline: Callable[..., Pipeline]) -> None:
    """A JSON body with odd spacing, a repeated key and escapes is handed on unchanged."""
    pipeline = make_pipeline()
    body = '{ "id":"x",  "id": "spaced", "text": "caf\\u00e9", "number": 1.0 }'
    pipeline.send(body)
    assert pipeline.receive(1) == [body]


def test_function_that_raises_sends_the_whole_batch_to_its_death(make_pipeline: Callable[..., Pipeline]) -> None:
    """Messages of a batch whose invocation fails come back, and reach the dead-letter queue after two receives."""
    pipeline = make_pipeline(HIDDEN_S)
    pipeline.send("not json")
    assert pipeline.receive(1, pipeline.dead) == ["not json"]


def test_disabled_mapping_takes_nothing_until_enabled(make_pipeline: Callable[..., Pipeline], aws: Clients) -> None:
    """Messages sent to a disabled mapping stay, and are worked on when it is enabled again."""
    pipeline = make_pipeline()
    aws("lambda").update_event_source_mapping(UUID=pipeline.mapping, Enabled=False)
    wait_for(lambda: state(aws, pipeline) == "Disabled", "the mapping to be disabled")
    pipeline.send({"id": "patient"})
    time.sleep(1.5)
    output = pipeline.sqs.get_queue_attributes(QueueUrl=pipeline.source, AttributeNames=["ApproximateNumberOfMessages"])
    assert output["Attributes"]["ApproximateNumberOfMessages"] == "1"
    aws("lambda").update_event_source_mapping(UUID=pipeline.mapping, Enabled=True)
    assert len(pipeline.receive(1)) == 1


def test_mapping_updated_during_a_batch_stays_enabled(make_pipeline: Callable[..., Pipeline], aws: Clients) -> None:
    """The worker that an update replaces ends after its batch, and does not disable the mapping then."""
    pipeline = make_pipeline()
    pipeline.send({"id": "slow", "sleep": 3})
    in_flight = "ApproximateNumberOfMessagesNotVisible"
    request: Any = {"QueueUrl": pipeline.source, "AttributeNames": [in_flight]}
    wait_for(lambda: pipeline.sqs.get_queue_attributes(**request)["Attributes"][in_flight] == "1", "the batch")
    aws("lambda").update_event_source_mapping(UUID=pipeline.mapping, BatchSize=3)
    assert len(pipeline.receive(1)) == 1
    time.sleep(1)  # for the replaced worker to end
    assert state(aws, pipeline) == "Enabled"


def test_maximum_concurrency_limits_the_batches_at_once(make_pipeline: Callable[..., Pipeline], local_aws: Any) -> None:
    """With MaximumConcurrency 2 and one message a batch no more than two environments run."""
    from local_aws.status import ask

    pipeline = make_pipeline(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    pipeline.send(*({"id": str(number), "sleep": 0.3} for number in range(8)))
    pipeline.receive(8)
    environments = ask(local_aws, "/_local_aws/status")["environments"]
    assert len([entry for entry in environments if entry["function"] == pipeline.function.name]) == 2


def test_message_attributes_reach_the_function(make_pipeline: Callable[..., Pipeline], aws: Clients) -> None:
    """A record carries its message id, attributes and the queue's ARN."""
    from tests.e2e.test_local_aws_logs import messages_with

    pipeline = make_pipeline()
    pipeline.sqs.send_message(
        QueueUrl=pipeline.source,
        MessageBody=json.dumps({"id": "attributes", "show": True}),
        MessageAttributes={"colour": {"DataType": "String", "StringValue": "blue"}},
    )
    (line, *_) = messages_with(aws, pipeline.function.name, "eventSourceARN")
    record = json.loads(line)
    assert record["messageAttributes"]["colour"]["stringValue"] == "blue"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-west-2")


def test_metrics_of_queues_count_each_message(aws: Clients) -> None:
    """CloudWatch has the number of messages sent to, received and deleted from a queue, and their sizes."""
    sqs, name = aws("sqs"), f"counted-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for size in (1, 2, 3, 3):
        sqs.send_message(QueueUrl=url, MessageBody="x" * size)
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"][:3]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    now = datetime.now(UTC)

    def output(metric: str) -> list[float]:
        answer = aws("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": name}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["SampleCount", "Sum"],
        )
        return [sum(point[each] for point in answer["Datapoints"]) for each in ("SampleCount", "Sum")]

    expected = {
        "NumberOfMessagesSent": [4, 4],
        "SentMessageSize": [4, 9],
        "NumberOfMessagesReceived": [1, 4],
        "NumberOfMessagesDeleted": [3, 3],
    }
    wait_for(lambda: {metric: output(metric) for metric in expected} == expected, "the metrics of a queue")
