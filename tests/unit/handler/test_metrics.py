import json
from decimal import Decimal

import plexus
from handler import metrics
from handler.message import Message
from handler.outcome import Disposition, JobStats, MessageOutcome
from plexus.exceptions import ScoringFailed
from tests.memory.world import World, scoring


def read_metrics(world: World) -> list[dict[str, object]]:
    """Return the lines of the log that have metrics."""
    return [line for line in world.lines() if "_aws" in line]


def test_an_invocation_emits_one_line_of_metrics(world: World) -> None:
    """Jobs by disposition, durations, ages and receive counts are in one line, from which CloudWatch makes metrics."""
    runtime = world.runtime()
    world.send_jobs(world.job(1), world.job(2))
    world.send("nonsense")
    world.skip(7)
    world.batch(runtime)
    (line,) = read_metrics(world)
    assert (line["JobsCompleted"], line["JobsDeadLettered"], line["ColdStarts"]) == (2, 1, 1)
    assert line["MessageAge"] == [7, 7, 7]
    assert isinstance(line["JobDuration"], list)
    assert len(line["JobDuration"]) == 2


def test_a_failed_job_costs_what_its_calls_cost(world: World) -> None:
    """Calls, tokens and cost before a failure are in the metrics of the invocation."""

    def fail(*_: object) -> plexus.Result:
        error = ScoringFailed("no usable reply in 3 calls")
        error.spent = plexus.Usage(3, 33, 9), Decimal("0.25")
        raise error

    world.send_jobs(world.job(1))
    world.batch(world.runtime(score=scoring(fail)))
    (line,) = read_metrics(world)
    assert (line["ProviderCalls"], line["InputTokens"], line["OutputTokens"], line["Cost"]) == (3, 33, 9, 0.25)


def test_a_job_of_unknown_cost_is_counted(world: World) -> None:
    """A job whose cost is unknown adds nothing to the cost, and is counted apart."""
    unknown, free = plexus.Result("Yes", usage=plexus.Usage(1, unmetered=1)), plexus.Result("No")
    results = iter((unknown, free))
    world.send_jobs(world.job(1), world.job(2))
    world.batch(world.runtime(score=scoring(lambda *_: next(results))))
    (line,) = read_metrics(world)
    assert (line["UnpricedJobs"], line["ProviderCalls"], "Cost" in line) == (1, 1, False)


def test_a_warm_invocation_is_no_cold_start(world: World) -> None:
    """The second invocation of an environment reports no cold start."""
    runtime = world.runtime()
    for number in (1, 2):
        world.send_jobs(world.job(number))
        world.batch(runtime)
    assert "ColdStarts" not in read_metrics(world)[1]


def test_the_metrics_of_an_invocation_are_sums_and_rounded_lists() -> None:
    """Counts, tokens and costs are added; durations are in tenths of milliseconds, and ages in milliseconds."""
    messages = [Message("m", "{}", "h", "q", receive_count=3, sent=90.12345), Message("n", "{}", "h", "q", sent=200.0)]
    stats = JobStats(1.23456, 2, 30, 4, 0.1234567891, True)
    outcomes = [MessageOutcome(message, Disposition.COMPLETED, stats=stats) for message in messages]
    assert metrics.collect(
        [*outcomes, MessageOutcome(Message("o", "{}", "h", "q"), Disposition.RETRIED)], 100.0, False
    ) == {
        "JobsCompleted": 2,
        "JobsRetried": 1,
        "ProviderCalls": 4,
        "InputTokens": 60,
        "OutputTokens": 8,
        "UnpricedJobs": 2,
        "Cost": 0.246913578,
        "JobDuration": [1234.6, 1234.6],
        "MessageAge": [9.877, 0.0],
        "ReceiveCount": [3.0, 1.0, 1.0],
    }


def test_a_line_has_the_embedded_metric_format() -> None:
    """Every metric is declared with its unit, and has at most 100 values."""
    line = json.loads(metrics.format_line({"JobsCompleted": 3, "JobDuration": [1.0] * 150}, "worker", 1_800_000_000.5))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_800_000_000_500
    assert directive["Dimensions"] == [["FunctionName"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "JobsCompleted": "Count",
        "JobDuration": "Milliseconds",
    }
    assert len(line["JobDuration"]) == 100


def test_a_polled_message_has_its_age(world: World) -> None:
    """The age of a message that the worker received itself is in seconds, as that of an event source's."""
    world.send_jobs(world.job())
    world.skip(7)
    world.invoke(world.runtime())
    (line,) = read_metrics(world)
    assert (line["MessageAge"], line["ReceiveCount"]) == ([7], [1])
