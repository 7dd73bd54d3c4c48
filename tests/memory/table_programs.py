"""Random programs on the worker's tables: the worker's own calls, the same ones altered, and calls that are refused."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from handler.attribute_values import record
from handler.commit import Commit
from handler.records import COMPLETED, FAILED, IN_PROGRESS, PENDING, Job
from handler.store import Store
from handler.tables import ACCOUNT, OUTBOX, SCORE_RESULT, SCORING_JOB
from tests.memory.chance import choose_weighted
from tests.memory.table_steps import Call, Step, Worker
from tests.memory.twin import Long

JOBS = ["job-1", "job-2"]
TOKENS = ["ann", "ann", "ann", "bob"]
OWNERS = ["account-1", "account-1", "account-1", "account-2"]


# A result that is too long is that of a job of its own: it is never there, so no other reason to refuse it competes.
LONG, TOO_LONG, ANOTHER = Long("x" * 400_000), Long("x" * 409_600), "job-4"

jobs, tokens, owners = st.sampled_from(JOBS), st.sampled_from(TOKENS), st.sampled_from(OWNERS)
times = st.sampled_from([100.0, 100.5, 160.0, 160.001, 220.25])
skews = st.sampled_from([0.0, 30.0])
statuses = st.sampled_from([PENDING, PENDING, IN_PROGRESS, IN_PROGRESS, COMPLETED, FAILED])
errors = st.sampled_from(["", "é", "throttled"])
contents = st.sampled_from([*["Yes"] * 6, "No", LONG])
# Start times before, during and after an attempt for claims at any of `times`, and values that are not times.
starts = st.sampled_from([{"S": "1969-12-31T00:00:00+00:00"}, {"S": "1970-01-01T00:01:30Z"}, {"S": "2999"}, {"N": "1"}])
conditions = st.sampled_from([{}, {"ConditionExpression": "attribute_not_exists(id)"}])
on_failure = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])
worker_ids = st.lists(jobs, min_size=1, max_size=3)

Request = dict[str, Any]


@st.composite
def job_records(draw: st.DrawFn) -> Request:
    """Return a job's attributes, some of them missing or of a wrong type."""
    optional = {
        "status": st.builds(lambda status: {"S": status}, statuses) | st.just({"N": "1"}),
        "accountId": owners.map(lambda owner: {"S": owner}) | st.just({"NULL": True}),
        "leaseOwner": st.builds(lambda token: {"S": token}, tokens) | st.just({"NULL": True}),
        "leaseUntil": st.builds(lambda time: {"N": str(time)}, times),
        "startedAt": starts,
        "attempts": st.sampled_from([{"N": "0"}, {"N": "2"}, {"N": "1.50"}]),
        "errorMessage": st.just({"S": "late"}),
    }
    created: Request = {"id": {"S": draw(jobs)}}
    for name, values in optional.items():
        if draw(st.booleans()):
            created[name] = draw(values)
    return created


def commit_of(job: str, token: str, value: str | None, wall: float) -> Worker:
    """Return a commit of one job, with or without a result."""
    result = None if value is None else record({"id": Job(job).result_id, "value": value, "scoringJobId": job})
    return Worker("commit", ([Commit(Job(job), token, result)], "now", wall))


claims = st.builds(lambda *given: Worker("claim", given), jobs, owners, tokens, times, times, skews)
renewals = st.builds(lambda *given: Worker("renew", given), jobs, tokens, times)
commits = st.builds(commit_of, jobs, tokens, st.none() | contents, times)
shared_commits = st.builds(
    lambda steps, wall: Worker("commit", ([commit for step in steps for commit in step.arguments[0]], "now", wall)),
    st.lists(commits, min_size=2, max_size=3),
    times,
)
endings: st.SearchStrategy[Step] = st.one_of(
    renewals,
    st.builds(lambda *given: Worker("release", given), jobs, tokens, errors, st.booleans()),
    st.builds(lambda *given: Worker("fail", given), jobs, tokens, errors, st.just("now")),
    st.builds(lambda job: Worker("withdraw_claim", (job,)), jobs),
)
reads: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda *given: Worker("list_outbox_entries", given), owners, times, st.integers(1, 4)),
    st.builds(lambda job: Worker("read_outbox_entry", (job,)), jobs),
    st.builds(lambda ids: Worker("read", ([(SCORING_JOB, each) for each in ids],)), worker_ids),
    st.builds(lambda key: Worker("find_account_id", (key,)), st.sampled_from(["acme", "twice", "none"])),
)
marks = st.builds(lambda ids: Worker("mark_sent", (ids,)), worker_ids)


class _Caught(BaseException):
    """A request that was about to be sent."""


class _Catching:
    def __getattr__(self, operation: str) -> Callable[..., None]:
        def catch(**request: Any) -> None:
            raise _Caught(operation, request)

        return catch


def request_of(step: Worker) -> Request:
    """Return the first request that a method of the store makes."""
    try:
        catching: Any = _Catching()
        getattr(Store(catching, ""), step.method)(*step.arguments)
    except _Caught as caught:
        request: Request = copy.deepcopy(caught.args[1])
        return request
    raise AssertionError(f"{step} calls nothing")


def an_unused_name(update: Request) -> None:
    """Add an unused name."""
    update["ExpressionAttributeNames"] = {**update.get("ExpressionAttributeNames", {}), "#other": "other"}


def an_unused_value(update: Request) -> None:
    """Add an unused value."""
    update["ExpressionAttributeValues"][":other"] = {"S": "other"}


def a_reserved_word(update: Request) -> None:
    """Use a reserved word as an attribute's name."""
    update.pop("ExpressionAttributeNames", None)
    for name in ("UpdateExpression", "ConditionExpression"):
        update[name] = update[name].replace("#status", "status")


def no_condition(update: Request) -> None:
    """Accept any state of the item, whose values may remain unused."""
    del update["ConditionExpression"]


def another_condition(update: Request) -> None:
    """Require no item, or an expired lease; all of the claim's values are used."""
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
    """Return an update of the worker with something changed."""
    request = request_of(draw(claims | renewals))
    draw(st.sampled_from(ALTERATIONS))(request)
    if draw(st.booleans()):
        no_return(request)
    return Call("update_item", request)


@st.composite
def transactions(draw: st.DrawFn) -> Call:
    """Return parts of several commits; two parts may have the same target."""
    parts: list[Request] = []
    for _ in range(draw(st.integers(1, 2))):
        created = request_of(draw(commits))["TransactItems"]
        chosen = draw(st.lists(st.sampled_from(range(len(created))), min_size=1, unique=True))
        parts += [created[number] for number in chosen]
    for part in parts:
        ((_, request),) = part.items()
        if "ConditionExpression" in request:
            request.update(draw(on_failure))
    return Call("transact_write_items", {"TransactItems": parts})


def _of_table(table: str, name: str, part: Any) -> Call:
    return Call(name, {"RequestItems": {table: part}})


def _put(item: Request, *more: Request, table: str = SCORING_JOB) -> Call:
    request: Request = {"TableName": table, "Item": item}
    for entry in more:
        request |= entry
    return Call("put_item", request)


def _result(job: str, value: str) -> Request:
    return record({"id": Job(job).result_id, "value": value})


def _new(job: str) -> Request:
    return record({"id": job, "status": PENDING, "accountId": OWNERS[0]})


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
steps: st.SearchStrategy[Step] = choose_weighted(
    (4, claims),
    (3, commits),
    (1, shared_commits),
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
