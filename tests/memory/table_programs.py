"""Random programs on the worker's tables: the worker's own calls, the same ones altered, and calls that are refused."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from handler.records import COMPLETED, FAILED, IN_PROGRESS, PENDING, Job
from handler.store import ACCOUNT, OUTBOX, SCORE_RESULT, SCORING_JOB, Store
from handler.values import record
from tests.memory.chance import weighted
from tests.memory.table_steps import Call, Step, Worker
from tests.memory.twin import Long

JOBS = ["job-1", "job-2"]
TOKENS = ["ann", "ann", "ann", "bob"]


# A result that is too long is that of a job of its own: it is never there, so no other reason to refuse it competes.
LONG, TOO_LONG, ANOTHER = Long("x" * 400_000), Long("x" * 409_600), "job-4"

jobs, tokens = st.sampled_from(JOBS), st.sampled_from(TOKENS)
times = st.sampled_from([100.0, 100.5, 160.0, 160.001, 220.25])
skews = st.sampled_from([0.0, 30.0])
statuses = st.sampled_from([PENDING, PENDING, IN_PROGRESS, IN_PROGRESS, COMPLETED, FAILED])
errors = st.sampled_from(["", "é", "throttled"])
contents = st.sampled_from([*["Yes"] * 6, "No", LONG])
conditions = st.sampled_from([{}, {"ConditionExpression": "attribute_not_exists(id)"}])
on_failure = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])
worker_ids = st.lists(jobs, min_size=1, max_size=3)

Request = dict[str, Any]


@st.composite
def job_records(draw: st.DrawFn) -> Request:
    """A job's attributes, some of them missing or of another type than the worker writes."""
    optional = {
        "status": st.builds(lambda status: {"S": status}, statuses) | st.just({"N": "1"}),
        "leaseOwner": st.builds(lambda token: {"S": token}, tokens) | st.just({"NULL": True}),
        "leaseUntil": st.builds(lambda time: {"N": str(time)}, times),
        "attempts": st.sampled_from([{"N": "0"}, {"N": "2"}, {"N": "1.50"}]),
        "errorMessage": st.just({"S": "late"}),
    }
    made: Request = {"id": {"S": draw(jobs)}}
    for name, values in optional.items():
        if draw(st.booleans()):
            made[name] = draw(values)
    return made


def commit_of(job: str, token: str, value: str | None, wall: float) -> Worker:
    """A commit, with a result or without."""
    result = None if value is None else record({"id": Job(job).result_id, "value": value, "scoringJobId": job})
    return Worker("commit", (Job(job), token, result, "now", wall))


claims = st.builds(lambda *given: Worker("claim", given), jobs, tokens, times, times, skews)
renewals = st.builds(lambda *given: Worker("renew", given), jobs, tokens, times)
commits = st.builds(commit_of, jobs, tokens, st.none() | contents, times)
endings: st.SearchStrategy[Step] = st.one_of(
    renewals,
    st.builds(lambda *given: Worker("release", given), jobs, tokens, errors),
    st.builds(lambda *given: Worker("fail", given), jobs, tokens, errors, st.just("now")),
)
reads: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda *given: Worker("unsent_before", given), times, st.integers(1, 4)),
    st.builds(lambda job: Worker("unsent", (job,)), jobs),
    st.builds(lambda ids: Worker("read", ([(SCORING_JOB, each) for each in ids],)), worker_ids),
    st.builds(lambda key: Worker("account_id", (key,)), st.sampled_from(["acme", "twice", "none"])),
)
marks = st.builds(lambda ids: Worker("mark_sent", (ids,)), worker_ids)


class _Caught(BaseException):
    """A request on its way out."""


class _Catching:
    def __getattr__(self, operation: str) -> Callable[..., None]:
        def catch(**request: Any) -> None:
            raise _Caught(operation, request)

        return catch


def request_of(step: Worker) -> Request:
    """The first request that a method of the store makes."""
    try:
        getattr(Store(_Catching(), ""), step.method)(*step.arguments)
    except _Caught as caught:
        request: Request = copy.deepcopy(caught.args[1])
        return request
    raise AssertionError(f"{step} calls nothing")


def an_unused_name(update: Request) -> None:
    """A name that is given is not used."""
    update["ExpressionAttributeNames"] = {**update.get("ExpressionAttributeNames", {}), "#other": "other"}


def an_unused_value(update: Request) -> None:
    """A value that is given is not used."""
    update["ExpressionAttributeValues"][":other"] = {"S": "other"}


def a_reserved_word(update: Request) -> None:
    """An attribute is named by a word that DynamoDB keeps for itself."""
    update.pop("ExpressionAttributeNames", None)
    for name in ("UpdateExpression", "ConditionExpression"):
        update[name] = update[name].replace("#status", "status")


def no_condition(update: Request) -> None:
    """Whatever the item's state; its values may be left over."""
    del update["ConditionExpression"]


def another_condition(update: Request) -> None:
    """Where there is no item, or its lease is over; the claim's values all stay in use."""
    if ":stale" in update["ExpressionAttributeValues"]:
        update["ConditionExpression"] = "attribute_not_exists(id) OR #status = :pending OR leaseUntil < :stale"


def no_return(update: Request) -> None:
    """Neither the new item nor the one that does not meet the condition is asked for."""
    update.pop("ReturnValues", None)
    update.pop("ReturnValuesOnConditionCheckFailure", None)


ALTERATIONS = [
    an_unused_name,
    an_unused_value,
    a_reserved_word,
    no_condition,
    another_condition,
    no_return,
]


@st.composite
def altered_updates(draw: st.DrawFn) -> Call:
    """An update that the worker could make, with something changed."""
    request = request_of(draw(claims | renewals))
    draw(st.sampled_from(ALTERATIONS))(request)
    if draw(st.booleans()):
        no_return(request)
    return Call("update_item", request)


@st.composite
def transactions(draw: st.DrawFn) -> Call:
    """Parts of commits of several jobs; two parts may have the same target."""
    parts: list[Request] = []
    for _ in range(draw(st.integers(1, 2))):
        made = request_of(draw(commits))["TransactItems"]
        chosen = draw(st.lists(st.sampled_from(range(len(made))), min_size=1, unique=True))
        parts += [made[number] for number in chosen]
    for part in parts:
        ((_, request),) = part.items()
        if "ConditionExpression" in request:
            request.update(draw(on_failure))
    return Call("transact_write_items", {"TransactItems": parts})


def _of_table(table: str, name: str, part: Any) -> Call:
    return Call(name, {"RequestItems": {table: part}})


def _put(item: Request, *more: Request, table: str = SCORING_JOB) -> Call:
    request: Request = {"TableName": table, "Item": item}
    for each in more:
        request |= each
    return Call("put_item", request)


def _result(job: str, value: str) -> Request:
    return record({"id": Job(job).result_id, "value": value})


def _new(job: str) -> Request:
    return record({"id": job, "status": PENDING})


def _key(record_id: str) -> Request:
    return {"id": {"S": record_id}}


def _deletes(ids: list[str]) -> list[Request]:
    return [{"DeleteRequest": {"Key": _key(each)}} for each in ids]


seeds = st.builds(_put, job_records())
known = st.sampled_from([SCORING_JOB, SCORING_JOB, OUTBOX, SCORE_RESULT])
tables = known | st.just("Unknown")
many = [f"job-{number}" for number in range(101)]
puts: st.SearchStrategy[Step] = st.one_of(
    seeds,
    st.builds(_put, job_records(), conditions, on_failure),
    st.builds(_put, st.builds(_result, jobs, contents), conditions, on_failure, table=st.just(SCORE_RESULT)),
)
too_long: st.SearchStrategy[Step] = st.one_of(
    st.builds(_put, st.just(_result(ANOTHER, TOO_LONG)), conditions, table=st.just(SCORE_RESULT)),
    st.builds(commit_of, st.just(ANOTHER), tokens, st.just(TOO_LONG), times),
)
calls: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda table, job: Call("get_item", {"TableName": table, "Key": _key(job)}), tables, jobs),
    st.builds(
        lambda table, ids: _of_table(table, "batch_get_item", {"Keys": [_key(each) for each in ids]}),
        tables,
        worker_ids | st.sampled_from([many[:100], many]),
    ),
    st.builds(
        lambda table, ids: _of_table(table, "batch_write_item", _deletes(ids)),
        known,
        worker_ids | st.just(many[:25]),
    ),
    st.builds(lambda job: _of_table("Unknown", "batch_write_item", _deletes([job])), jobs),
)
steps: st.SearchStrategy[Step] = weighted(
    (4, claims),
    (3, commits),
    (3, endings),
    (2, reads),
    (1, marks),
    (1, puts),
    (2, altered_updates()),
    (2, transactions()),
    (1, calls),
    (1, too_long),
)
ACCOUNTS = [
    _put(record({"id": str(number), "key": key}), table=ACCOUNT)
    for number, key in enumerate(["acme", "twice", "twice"])
]
programs = st.builds(
    lambda first, rest: [*ACCOUNTS, *first, *rest],
    st.lists(st.builds(_put, job_records() | jobs.map(_new)), min_size=1, max_size=3),
    st.lists(steps, min_size=8, max_size=14),
)
