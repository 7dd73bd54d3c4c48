"""Batches of 1 to 10 records from standard and FIFO queues, with every mix of outcomes, on the real image."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from handler.records import derive_result_id
from scripts.aws import invocation
from tests.faults.batches import WINDOW_S, Jobs, Run, Sent, bring_back, work, work_in_time
from tests.faults.functions import another
from tests.faults.mixes import KEPT, LARGEST, MIXES, Batch, Fate, Planned, every_mix
from tests.faults.stage import Faulty

LIMIT_S = 300  # of an invocation
HURRIED_LANES = 2  # fewer at once: what comes before the slow call has little time for all that it does
REASONS = {Fate.LOST: "ItemWithoutText"}


class Live:
    """The alias."""

    def __init__(self, stage: Faulty):
        self.stage = stage

    def invoke(self, event: Any) -> Any:
        """Return its response to an event."""
        return invocation.invoke(self.stage.aws, event).payload


@dataclass(frozen=True)
class State:
    """The content of tables and queues."""

    jobs: dict[str, dict[str, Any]]
    results: Counter[str]
    outbox: list[dict[str, Any]]
    responses: Counter[str]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Story:
    """All batches, and the state after the first delivery, and after the named records were delivered again."""

    runs: list[Run]
    once: State
    end: State


def state(stage: Faulty, before: Counter[str]) -> State:
    """Read all tables and queues; `before` are the responses that were received earlier."""
    return State(
        {one["id"]: one for one in stage.records("ScoringJob")},
        Counter(one["scoringJobId"] for one in stage.records("ScoreResult")),
        stage.records("Outbox"),
        before + Counter(stage.responses()),
        {letter.body: letter.reason for letter in stage.letters()},
    )


@pytest.fixture(scope="module")
def story(session: Faulty) -> Story:
    """The batches, run once for all tests of this file."""
    session.forget()
    jobs, live = Jobs(session), Live(session)
    first = [jobs.make(Batch((Planned(Fate.DONE, None),) * LARGEST)) for _ in range(4)]
    work(session, first, live)
    jobs.done.extend(one.job for run in first for one in run.sent)
    batches = [jobs.make(batch) for batch in every_mix(random.Random(20261125))]
    hurried = [run for run in batches if run.batch.slow is not None]
    others = [run for run in batches if run.batch.slow is None]
    too_late = [run for run in batches if run.batch.mix == {Fate.LATE}]
    work(session, [run for run in batches if Fate.LATE not in run.batch.mix], live)
    reserve = str(LIMIT_S - WINDOW_S)
    with another(session, "hurried", PLEXUS_RESERVE_SECONDS=reserve, PLEXUS_CONCURRENCY="1") as function:
        warm = [jobs.make(Batch((Planned(Fate.DONE, None),) * 3)) for _ in range(4)]
        work(session, warm, function, HURRIED_LANES)
        hurried, discarded = work_in_time(session, jobs, hurried, function, HURRIED_LANES)
    with another(session, "too-late", PLEXUS_RESERVE_SECONDS=str(LIMIT_S)) as function:
        work(session, too_late, function)
    once = state(session, Counter())
    bring_back([*warm, *others, *hurried, *discarded], live)
    return Story([*first, *others, *hurried], once, state(session, once.responses))


def should_be(sent: Sent, begun: bool, again: bool) -> object:
    """Return the expected status, results and responses of a record's job, or whether its poison is a dead letter.

    `again` is True after the second delivery.
    """
    fate = sent.planned.fate
    if not sent.job:
        return begun
    done = fate is Fate.AGAIN or (begun and (fate is Fate.DONE or (again and fate in KEPT)))
    failed = begun and fate is Fate.LOST
    return "COMPLETED" if done else "FAILED" if failed else "PENDING", int(done), int(done)


def is_now(sent: Sent, state: State) -> object:
    """Return the actual values for the same record."""
    if not sent.job:
        return bool(state.reasons.get(sent.body))
    return state.jobs[sent.job]["status"], state.results[sent.job], state.responses[derive_result_id(sent.job)]


def wrong(runs: list[Run], state: State, again: bool = False) -> list[str]:
    """Return a line for each record whose values differ from the expected ones."""
    results = []
    for run in runs:
        begun = range(len(run.sent)) if again else run.batch.list_started()
        for number, sent in enumerate(run.sent):
            wanted, got = should_be(sent, number in begun, again), is_now(sent, state)
            if wanted != got:
                results.append(f"{run.batch}: record {number} is {got}, expected {wanted}")
    return results


def test_every_mix_and_every_size_occurs() -> None:
    """The batches have every non-empty set of outcomes, and every size in both kinds of queue."""
    batches = every_mix(random.Random(20261125))
    assert [mix for mix in MIXES if mix not in [batch.mix for batch in batches]] == []
    assert len(MIXES) == 2 ** len(Fate) - 1
    for fifo in (False, True):
        assert {len(batch.records) for batch in batches if batch.is_fifo == fifo} == set(range(1, LARGEST + 1))


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_an_answer_names_exactly_the_records_to_bring_back(story: Story, fifo: bool) -> None:
    """The response names exactly the kept records and, in a FIFO group, every later record, in order."""
    runs = [run for run in story.runs if run.batch.is_fifo == fifo]
    assert [f"{run.batch}: {run.named}" for run in runs if run.named != run.batch.list_named()] == []
    assert any(run.named for run in runs)


def test_each_record_has_its_own_fate_beside_any_others(story: Story) -> None:
    """Each job of a mixed batch is completed once, failed or left alone, and poison is dead-lettered."""
    assert wrong(story.runs, story.once) == []
    assert story.once.outbox == []


def test_what_failed_says_why_and_what_was_not_begun_is_untouched(story: Story) -> None:
    """A FAILED job and a dead letter have their reasons; a job of another account, without time, or behind a failure of
    its group, was never claimed.
    """
    for run in story.runs:
        begun = run.batch.list_started()
        for number, sent in enumerate(run.sent):
            job = story.once.jobs.get(sent.job, {})
            if sent.planned.fate is Fate.FOREIGN and number in begun:
                assert story.once.reasons[sent.body].startswith("OtherAccount")
            if job.get("status") == "FAILED":
                assert job["errorMessage"].startswith(REASONS[sent.planned.fate])
            if sent.planned.fate in (Fate.LATE, Fate.FOREIGN) or (
                number not in begun and sent.planned.fate is not Fate.AGAIN
            ):
                assert job.get("attempts", 0) == 0


def test_what_comes_back_ends_as_if_nothing_had_happened(story: Story) -> None:
    """After a second delivery, each valid job has one result and one response, and nothing is lost."""
    assert wrong(story.runs, story.end, again=True) == []
    assert story.end.outbox == []
    assert set(story.end.responses) == {derive_result_id(job) for job in story.end.results}
    assert set(story.end.responses.values()) == {1}
