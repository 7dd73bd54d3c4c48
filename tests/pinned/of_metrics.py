"""Of CloudWatch: metrics of queues and functions, and alarms."""

import inspect
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import MagicMock

from local_aws.extension import internals


@contextmanager
def _gather():
    """Yield the calls of the gatherer's client: namespace, name, dimensions, unit, values and counts of each datum."""
    from local_aws.extension import metrics

    data, metrics.connect_to = [], MagicMock()
    put = metrics.connect_to.return_value.cloudwatch.put_metric_data
    put.side_effect = lambda Namespace, MetricData: data.extend((Namespace, datum) for datum in MetricData)
    yield SimpleNamespace(data=data, put=put, publish=metrics.GATHERER.publish)


def gathered_metrics():
    """SQS's provider makes a dispatcher whose data go one by one; after the patch one that sends them together."""
    from localstack.services.sqs import provider

    assert "publish_sqs_metric" in provider.CloudwatchDispatcher.dispatch_sqs_metric.__code__.co_names
    assert "CloudwatchDispatcher" in provider.SqsProvider._init_cloudwatch_metrics_reporting.__code__.co_names
    internals.gathered_metrics()
    from local_aws.extension import metrics

    dispatcher, queue = provider.CloudwatchDispatcher(), SimpleNamespace(account_id="0", region="us-west-2", name="one")
    with _gather() as gathered:
        for size in (3, 3, 4):
            dispatcher.dispatch_metric_message_sent(queue, size)
        dispatcher.dispatch_metric_received(queue, 0)
        gathered.publish()
        assert gathered.put.call_count == 1
        output = {datum["MetricName"]: (datum["Unit"], datum["Values"], datum["Counts"]) for _, datum in gathered.data}
        assert output["SentMessageSize"] == ("Bytes", [3.0, 4.0], [2.0, 1.0])
        assert output["NumberOfMessagesSent"] == ("Count", [1.0], [3.0])
        assert output["NumberOfEmptyReceives"] == ("Count", [1.0], [1.0])
        dispatcher.shutdown()
        dispatcher.dispatch_metric_received(queue, 1)
        gathered.publish()
        assert gathered.put.call_count == 1
    many = {((("QueueName", "one"),), "SentMessageSize", "Bytes", size): 1 for size in range(151)}
    assert [len(datum["Values"]) for datum in metrics.convert_counts(many, datetime.now(UTC))] == [150, 1]


def _refuses(service, function, version):
    from localstack.aws.api.lambda_ import TooManyRequestsException

    try:
        with service.get_invocation_lease(function, version):
            return False
    except TooManyRequestsException:
        return True


def metrics_of_functions():
    """A version manager calls two functions of its module by these arguments; a lease that is refused raises."""
    from localstack.services.lambda_.invocation import version_manager
    from localstack.services.lambda_.invocation.counting_service import CountingService

    names = [f"record_cw_metric_{outcome}" for outcome in ("invocation", "error")]
    for name in names:
        parameters = inspect.signature(getattr(version_manager, name)).parameters
        assert list(parameters) == ["function_name", "account_id", "region_name"]
    lease = list(inspect.signature(CountingService.get_invocation_lease).parameters)
    assert lease[:3] == ["self", "function", "function_version"]
    identity = SimpleNamespace(account="0" * 12, region="us-west-2", function_name="one", qualifier="1")
    identity.unqualified_arn = identity.qualified_arn = lambda: "arn"
    version, function = SimpleNamespace(id=identity), MagicMock(reserved_concurrent_executions=0)
    function.provisioned_concurrency_configs, function.aliases = {}, {}
    assert _refuses(CountingService(), function, version)
    internals.metrics_of_functions()
    with _gather() as gathered:
        for name in names:
            getattr(version_manager, name)(function_name="one", account_id="0" * 12, region_name="us-west-2")
        assert _refuses(CountingService(), function, version)
        gathered.publish()
        output = {datum["MetricName"]: (datum["Values"], datum["Counts"]) for _, datum in gathered.data}
    assert output == {"Invocations": ([1.0], [2.0]), "Errors": ([0.0, 1.0], [1.0, 1.0]), "Throttles": ([1.0], [1.0])}


def ages_of_queues():
    """SQS's minutely metrics have no age; after the patch they have the oldest message's, in queues of both kinds."""
    from localstack.services.sqs.models import FifoQueue, SqsMessage, StandardQueue, sqs_stores
    from localstack.services.sqs.provider import CloudwatchPublishWorker

    source = inspect.getsource(CloudwatchPublishWorker.publish_approximate_cloudwatch_metrics)
    assert "ApproximateAgeOfOldestMessage is missing" in source
    internals.ages_of_queues()
    queues = [StandardQueue("one", "us-west-2", "0" * 12), FifoQueue("two.fifo", "us-west-2", "0" * 12)]
    old, often = (SqsMessage(0, {"Attributes": {}, "MessageId": name}) for name in ("old", "often"))
    old.created, often.created, often.receive_count = old.created - 60, often.created - 600, 4
    for message in (old, often):
        queues[0].visible.put_nowait(message)
        queues[1].get_message_group("group").push(message)
    store = sqs_stores["0" * 12]["us-west-2"]
    store.queues.update({queue.name: queue for queue in queues})
    with _gather() as gathered:
        CloudwatchPublishWorker().publish_approximate_cloudwatch_metrics()
        gathered.publish()
    store.queues.clear()
    assert [datum["MetricName"] for _, datum in gathered.data] == ["ApproximateAgeOfOldestMessage"] * 2
    assert all(60 <= datum["Values"][0] < 600 for _, datum in gathered.data), gathered.data


def whole_dimensions():
    """A search for a dimension matches every value that begins alike; after the patch the whole value only."""
    from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

    database, dimensions = CloudwatchDatabase.__new__(CloudwatchDatabase), [{"Name": "QueueName", "Value": "one"}]
    assert database._get_ordered_dimensions_with_separator(dimensions, for_search=True) == "%QueueName=one%"
    internals.whole_dimensions()
    assert database._get_ordered_dimensions_with_separator(dimensions, for_search=True) == "%QueueName=one\t%"
    assert database._get_ordered_dimensions_with_separator(dimensions) == "QueueName=one\t"
    assert database._get_ordered_dimensions_with_separator([], for_search=True) is None


def evaluated_alarms():
    """An alarm with metric math is not scheduled; after the patch every alarm is, each minute."""
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler
    from localstack.services.cloudwatch.models import cloudwatch_stores

    assert not AlarmScheduler()._is_alarm_supported({"Metrics": []})
    internals.evaluated_alarms()
    scheduler, arn = AlarmScheduler(), "arn:aws:cloudwatch:us-west-2:000000000000:alarm:one"
    scheduler.schedule_metric_alarm(arn)
    assert scheduler.scheduled_alarms[arn].period == 60
    assert cloudwatch_stores["0" * 12]["us-west-2"].alarms == {}


def alarm_resource():
    """The stock provider cannot update; after the patch ours, built upon it, writes the alarm again."""
    from localstack.services.cloudwatch.resource_providers.aws_cloudwatch_alarm_plugin import (
        CloudWatchAlarmProviderPlugin,
    )

    plugin = CloudWatchAlarmProviderPlugin()
    plugin.load()
    stock = plugin.factory
    assert "NotImplementedError" in stock.update.__code__.co_names
    internals.alarm_resource()
    plugin.load()
    assert issubclass(plugin.factory, stock)
    clients = MagicMock()
    clients.cloudwatch.describe_alarms.return_value = {"MetricAlarms": [{"AlarmArn": "arn", "AlarmName": "one"}]}
    request = SimpleNamespace(
        desired_state={"Threshold": 2},
        previous_state={"AlarmName": "one"},
        custom_context={},
        aws_client_factory=clients,
    )
    assert plugin.factory().update(request).resource_model["Arn"] == "arn"
    assert clients.cloudwatch.put_metric_alarm.call_args.kwargs == {"AlarmName": "one", "Threshold": 2}
