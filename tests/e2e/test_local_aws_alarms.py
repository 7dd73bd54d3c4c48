"""Fault → metric → alarm → notification: each alarm of the local stage, on the local AWS that evaluates it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler import metrics
from local_aws import control
from local_aws.status import ask
from scripts.aws import resources
from scripts.release import deployment
from tests.e2e.conftest import wait_for
from tests.e2e.staged import Staged, start_staged

CODE = """
import time
def handler(event, context):
    print(event.get("line", "no line"), flush=True)
    time.sleep(event.get("sleep_s", 0))
    if event.get("fails"):
        raise RuntimeError("as asked")
    return {"statusCode": 200, "body": "obedient"}
"""
PAGER = "pager"
LOWERED = ("near-timeout", "oldest-request")
"""Alarms whose threshold the tests lower: their faults would take a quarter of an hour."""
THROTTLES = 10


@dataclass(frozen=True)
class Watched:
    """The stage, with a queue that is subscribed to its alarms."""

    stage: Staged
    pager: str

    def invoke(self, **event: Any) -> None:
        """Invoke the alias with an event; its failure is none of the caller."""
        payload = json.dumps(event).encode()
        client, alias = self.stage.aws.invoker, self.stage.aws.stage.function.alias
        client.invoke(FunctionName=self.stage.function, Qualifier=alias, Payload=payload)

    def send(self, queue: str) -> None:
        """Send a message to a queue, named by the stage file's key."""
        name = getattr(self.stage.aws.stage.queues, queue)
        self.stage.aws.client("sqs").send_message(QueueUrl=self.stage.aws.queue_url(name), MessageBody="{}")

    def states(self) -> dict[str, str]:
        """Publish all metrics, evaluate the alarms and return their states by the last part of their names."""
        running = control.find(self.stage.name)
        assert running is not None
        response = ask(running, "/_local_aws/alarms", {})
        assert response["problems"] == {}
        return {name.removeprefix(f"{self.stage.function}-"): state for name, state in response["states"].items()}

    def notifications(self) -> list[dict[str, Any]]:
        """Receive and delete what the pager got."""
        sqs, messages = self.stage.aws.client("sqs"), []
        while got := sqs.receive_message(QueueUrl=self.pager, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                messages.append(json.loads(json.loads(message["Body"])["Message"]))
                sqs.delete_message(QueueUrl=self.pager, ReceiptHandle=message["ReceiptHandle"])
        return messages


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A stage without earlier errors, a queue subscribed to its topic, and an image that does what its event says."""
    with start_staged("alarms", tmp_path_factory.mktemp("images")) as stage:
        aws, sqs = stage.aws, stage.aws.client("sqs")
        url = sqs.create_queue(QueueName=PAGER)["QueueUrl"]
        (topic,) = aws.client("sns").list_topics()["Topics"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        aws.client("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
        deployment.deploy(aws, stage.push("obedient", CODE), commit="3" * 40)
        yield Watched(stage, url)


def alarm(name: str) -> dict[str, Any]:
    """Return the definition of an alarm in the stage's template, without its actions."""
    (template,) = [one for one in resources.read_templates("local") if one.noun == "function"]
    entries = template.document["Resources"].values()
    alarms = [one["Properties"] for one in entries if one["Type"] == "AWS::CloudWatch::Alarm"]
    (definition,) = [one for one in alarms if one["AlarmName"].endswith(f"-lambda-{name}")]
    return dict(definition)


def with_threshold(stage: Staged, name: str, threshold: float) -> None:
    """Give an alarm of the template another threshold."""
    client = stage.aws.client("cloudwatch")
    (held,) = client.describe_alarms(AlarmNames=[f"{stage.function}-{name}"])["MetricAlarms"]
    wanted: Any = {**alarm(name), "Threshold": threshold}
    client.put_metric_alarm(**{**wanted, "AlarmActions": held["AlarmActions"], "OKActions": held["OKActions"]})


def metrics_line(**values: float) -> str:
    """Return the line with which the worker reports metrics."""
    return metrics.format_line(dict(values), "plexus-score-processor-lambda", time.time())


def late(watched: Watched) -> None:
    """Let a request wait, received too often by a consumer that fails."""
    with_threshold(watched.stage, "oldest-request", 1)
    client = watched.stage.aws.client("lambda")
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    wait_for(
        lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled", "the event source to stop"
    )
    watched.send("request")


def cause_throttles(watched: Watched) -> None:
    """Invoke a function that may not run."""
    client, name = watched.stage.aws.client("lambda", attempts=1), watched.stage.function
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for _ in range(THROTTLES):
        with pytest.raises(client.exceptions.TooManyRequestsException):
            watched.invoke()


def slow(watched: Watched) -> None:
    """Take half a second; the threshold is lowered to 0.4 s."""
    with_threshold(watched.stage, "near-timeout", 400)
    watched.invoke(sleep_s=0.5)


FAULTS: dict[str, Callable[[Watched], object]] = {
    "dead-letters": lambda watched: watched.send("request_dead_letters"),
    "response-dead-letters": lambda watched: watched.send("response_dead_letters"),
    "oldest-request": late,
    "failed-jobs": lambda watched: watched.invoke(line=metrics_line(JobsFailed=1)),
    "provider-cost": lambda watched: watched.invoke(line=metrics_line(Cost=1.5)),
    "errors": lambda watched: watched.invoke(fails=True),
    "near-timeout": slow,
    "throttles": cause_throttles,
}


def test_each_alarm_has_a_fault() -> None:
    """Every alarm of the template is raised by one of these tests, and no other."""
    (template,) = [one for one in resources.read_templates("local") if one.noun == "function"]
    entries = template.document["Resources"].values()
    names = [one["Properties"]["AlarmName"] for one in entries if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert sorted(name.partition("-lambda-")[2] for name in names) == sorted(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_raises_its_alarm_and_somebody_is_notified(watched: Watched, name: str) -> None:
    """The alarm is quiet before its fault and raised after it; the topic's subscriber gets its name and its page."""
    assert watched.states()[name] == "OK"
    watched.notifications()
    FAULTS[name](watched)
    wait_for(lambda: watched.states()[name] == "ALARM", f"the alarm {name}")
    wanted = (f"{watched.stage.function}-{name}", "ALARM")
    received: list[dict[str, Any]] = []

    def read_notifications() -> list[dict[str, Any]]:
        received.extend(watched.notifications())  # SNS delivers later than the alarm's state changes
        return [one for one in received if (one["AlarmName"], one["NewStateValue"]) == wanted]

    (notification,) = wait_for(read_notifications, f"the notification of {name}")
    assert notification["AlarmDescription"].endswith(f"docs/how-to/runbook.md#{name}")


def test_the_metrics_of_a_queue_are_its_own(watched: Watched) -> None:
    """The metrics of a queue leave out those whose names begin alike: a dead letter is not a waiting request."""
    cloudwatch, now = watched.stage.aws.client("cloudwatch"), datetime.now(UTC)
    for name, value in (("one", 1.0), ("one-dead-letters", 8.0)):
        dimensions: Any = [{"Name": "QueueName", "Value": name}]
        datum: Any = {"MetricName": "Sent", "Dimensions": dimensions, "Value": value}
        cloudwatch.put_metric_data(Namespace="Test", MetricData=[datum])
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="Test",
        MetricName="Sent",
        Dimensions=[{"Name": "QueueName", "Value": "one"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    assert point["Sum"] == 1


def test_one_failure_among_many_calls_wakes_nobody(watched: Watched) -> None:
    """A busy queue's single failure, which SQS retries, stays below the share that raises the alarm."""
    cloudwatch, name = watched.stage.aws.client("cloudwatch"), watched.stage.function
    dimensions = [{"Name": "FunctionName", "Value": name}]
    many: Any = [{"MetricName": "Invocations", "Dimensions": dimensions, "Value": 1}] * 200
    many += [{"MetricName": "Errors", "Dimensions": dimensions, "Value": 0}]  # also where the failure is long ago
    cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=many)
    assert watched.states()["errors"] == "OK"
