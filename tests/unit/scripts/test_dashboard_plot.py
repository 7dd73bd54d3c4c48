"""The plot of durations and failed invocations, and the marks of the alias's changes in it."""

from datetime import UTC, datetime

import pytest

from scripts.aws.ledger import Entry
from scripts.dashboard import page
from scripts.dashboard.latency import compute_latency
from scripts.dashboard.lines import Invocation, Line, Metrics
from scripts.dashboard.plot import WIDTH, plot
from scripts.dashboard.values import Deploys, Panel, Snapshot

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000


def change(minutes_ago: float, action: str = "deploy") -> Entry:
    """Return the ledger's entry of a move from version 6 to 7."""
    at = datetime.fromtimestamp((NOW_MS - minutes_ago * MINUTE_MS) / 1000, UTC)
    return Entry(at.isoformat().replace("+00:00", "Z"), action, "7", "", "6", "", "", "", "", "")


def lines(failures: int) -> list[Line]:
    """Return a job's metrics of 50 minutes ago, and failed invocations of ten minutes ago."""
    jobs: list[Line] = [Metrics(NOW_MS - 50 * MINUTE_MS, (100.0, 300.0), False)]
    stream = "2027/01/15/[7]0f"
    return [*jobs, *(Invocation(NOW_MS - 10 * MINUTE_MS, 5.0, False, stream, "timeout") for _ in range(failures))]


def test_a_change_of_the_alias_is_marked_where_it_was() -> None:
    """A change within the hour is a mark at its time; an earlier one, and one without a time, are none."""
    durations = compute_latency(lines(0), NOW_MS)
    unreadable = Entry("yesterday", "deploy", "8", "", "7", "", "", "", "", "")
    (mark,) = plot(durations, [change(30), change(90), unreadable]).marks
    assert mark.text == "deploy: 6 → 7"
    assert mark.x == pytest.approx(WIDTH / 2, abs=WIDTH / durations.steps)


def test_failed_invocations_have_bars_of_the_same_scale_and_rows() -> None:
    """Four failed invocations are a bar twice as high as that of two jobs, in a row without durations."""
    durations = compute_latency(lines(4), NOW_MS)
    drawn = plot(durations)
    (jobs,), (failed,) = drawn.bars, drawn.failed
    assert (jobs.count, failed.count, drawn.most) == (2, 4, 4)
    assert failed.height == 2 * jobs.height
    assert failed.x > jobs.x
    assert [(row.count, row.failed, row.p50) for row in drawn.rows] == [(0, 4, None), (2, 0, 100.0)]


@pytest.mark.parametrize("without_jobs", [False, True])
def test_the_page_marks_the_deploy_after_which_calls_fail(without_jobs: bool) -> None:
    """The panel shows mark, failed bars and numbers, also if no job was completed at all."""
    entries = [change(12)]
    values = {
        "latency": compute_latency(lines(3)[without_jobs:], NOW_MS),
        "deploys": Deploys(entries, True, "7"),
    }
    names = ("queues", "jobs", "letters", "function", "deploys", "latency", "troubles", "results")
    panels = {name: Panel(name, name, values.get(name)) for name in names}
    text = page.render_fragments(Snapshot("local", "us-west-2", "f", NOW_MS / 1000, panels), 60)["body-latency"]
    assert text.count('<line class="change"') == 2
    assert "<title>deploy: 6 → 7</title>" in text
    assert "<b>3</b> failed" in text
    assert '<rect class="failed"' in text
    assert ("median" in text) is not without_jobs
