import json

from handler import metrics
from tests.memory.world import World


def emitted(world: World) -> list[dict[str, object]]:
    """The metric lines of the log."""
    return [line for line in world.lines() if "_aws" in line]


def test_an_invocation_emits_one_line_of_metrics(world: World) -> None:
    """Jobs by ending, duration, age and receives are told in one line that CloudWatch takes metrics from."""
    runtime = world.runtime()
    world.send_jobs(world.job(1), world.job(2))
    world.send("nonsense")
    world.skip(7)
    world.batch(runtime)
    (line,) = emitted(world)
    assert (line["JobsCompleted"], line["JobsDeadLettered"], line["ColdStarts"]) == (2, 1, 1)
    assert line["MessageAge"] == [7, 7, 7]
    assert isinstance(line["JobDuration"], list)
    assert len(line["JobDuration"]) == 2


def test_a_warm_invocation_is_no_cold_start(world: World) -> None:
    """The second invocation of an environment tells no cold start."""
    runtime = world.runtime()
    for number in (1, 2):
        world.send_jobs(world.job(number))
        world.batch(runtime)
    assert "ColdStarts" not in emitted(world)[1]


def test_a_line_has_the_form_that_cloudwatch_reads() -> None:
    """Every metric is declared with its unit, and no more than 100 values of it are told."""
    line = json.loads(metrics.line({"JobsCompleted": 3, "JobDuration": [1.0] * 150}, "worker", 1_800_000_000.5))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_800_000_000_500
    assert directive["Dimensions"] == [["FunctionName"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "JobsCompleted": "Count",
        "JobDuration": "Milliseconds",
    }
    assert len(line["JobDuration"]) == 100
