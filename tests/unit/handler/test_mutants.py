"""The state machine can fail: it detects each of these workers, which break one of the promises."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from handler import attribute_values
from handler.attribute_values import Attributes
from handler.commit import Commit
from handler.queues import Queues
from handler.records import Job
from handler.store import Store
from handler.tables import Tables
from tests.unit.handler.test_state_machine import Jobs

Patch = pytest.MonkeyPatch
_ANY = "attribute_exists(id) OR (leaseOwner = :token AND #status = :in_progress)"  # every job meets it


def no_fence_at_commit(patch: Patch) -> None:
    """Commit without the fencing token."""
    completion = Commit.create_completion

    def drop_fence(self: Commit, tables: Tables, now: str, expiry: Attributes) -> Any:
        created: Any = completion(self, tables, now, expiry)
        created["Update"]["ConditionExpression"] = _ANY
        return created

    patch.setattr(Commit, "create_completion", drop_fence)


def no_fence_at_release(patch: Patch) -> None:
    """Release or fail a job without the fencing token."""
    update = Store._update

    def drop_fence(self: Store, job_id: str, expression: str, condition: str, names: Any) -> Any:
        condition = _ANY if condition.startswith("leaseOwner") else condition
        return update(self, job_id, expression, condition, names)

    patch.setattr(Store, "_update", drop_fence)


def no_skew(patch: Patch) -> None:
    """Take a lease over as soon as it has expired by the claimer's own clock."""
    claim = Store.claim
    patch.setattr(
        Store,
        "claim",
        lambda self, job, account, token, now, until, _skew: claim(self, job, account, token, now, until, 0.0),
    )


def no_lease(patch: Patch) -> None:
    """Claim a job although it is leased."""
    claim = Store.claim
    patch.setattr(
        Store,
        "claim",
        lambda self, job, account, token, now, until, _skew: claim(self, job, account, token, now, until, -1e6),
    )


def any_account(patch: Patch) -> None:
    """Claim jobs of every account."""
    update = Store._update

    def unconditional(self: Store, job_id: str, expression: str, condition: str, names: Any) -> Any:
        condition = condition.replace("accountId = :account", "(accountId = :account OR attribute_exists(id))")
        return update(self, job_id, expression, condition, names)

    patch.setattr(Store, "_update", unconditional)


def no_outbox(patch: Patch) -> None:
    """Commit without an outbox entry."""
    transact = Store._transact
    patch.setattr(
        Store, "_transact", lambda self, items: transact(self, [each for each in items if "Outbox" not in str(each)])
    )


def marked_before_sent(patch: Patch) -> None:
    """Delete the outbox entry before the response is sent."""
    respond = Queues.respond

    def early(self: Queues, responses: Any) -> set[str]:
        table = {"Outbox": [{"DeleteRequest": {"Key": {"id": {"S": each.scoring_job_id}}}} for each in responses]}
        self.dynamodb.batch_write_item(RequestItems=table)  # type: ignore[attr-defined]  # given to it below
        return respond(self, responses)

    created = Store.__init__

    def share_client(self: Store, client: Any, *more: Any, **named: Any) -> None:
        created(self, client, *more, **named)
        patch.setattr(Queues, "dynamodb", client, raising=False)

    patch.setattr(Store, "__init__", share_client)
    patch.setattr(Queues, "respond", early)


def random_ids(patch: Patch) -> None:
    """Give each attempt a result id of its own."""
    patch.setattr(Job, "result_id", property(lambda _job: str(uuid.uuid4())))


def all_counted_as_sent(patch: Patch) -> None:
    """Mark every response as sent, although SendMessageBatch refused some."""
    respond = Queues.respond

    def every(self: Queues, responses: Any) -> set[str]:
        respond(self, responses)
        return {each.scoring_job_id for each in responses}

    patch.setattr(Queues, "respond", every)


def stale_batches(patch: Patch) -> None:
    """Read the job's records without consistency."""
    requests = Store._get_requests

    def stale(self: Store, keys: Any) -> Any:
        return {table: {**each, "ConsistentRead": False} for table, each in requests(self, keys).items()}

    patch.setattr(Store, "_get_requests", stale)


def stale_gets(patch: Patch) -> None:
    """Read single records without consistency."""

    def stale(self: Store, table: str, record_id: str) -> Any:
        answer = self._client.get_item(TableName=self._tables.name(table), Key={"id": {"S": record_id}})
        return attribute_values.decode_fields(answer["Item"]) if "Item" in answer else None

    patch.setattr(Store, "_get", stale)


def unprocessed_keys_forgotten(patch: Patch) -> None:
    """Take the keys that BatchGetItem left unprocessed for missing records."""

    def once(self: Store, keys: Any) -> Any:
        answer = self._client.batch_get_item(RequestItems=self._get_requests(sorted(set(keys))))
        return {
            (self._tables.table(table), item["id"]["S"]): attribute_values.decode_fields(item)
            for table, items in answer["Responses"].items()
            for item in items
        }

    patch.setattr(Store, "read", once)


MUTANTS: list[Callable[[Patch], None]] = [
    no_fence_at_release,
    no_lease,
    any_account,
    no_outbox,
    marked_before_sent,
    random_ids,
    stale_batches,
    stale_gets,
    unprocessed_keys_forgotten,
]


Script = Callable[[Jobs], None]
COMMIT = 7  # a worker's call, after the account, two claims, two for the dead letter of the foreign job, and the read


def _take_over_early(machine: Jobs) -> None:
    """Deliver a job again 40 s after its claim, to a worker whose clock is 30 s ahead of its owner's."""
    machine.hurry(COMMIT, "before", behind=-15.0, ahead=15.0, seconds=40.0)


def _commit_late(machine: Jobs) -> None:
    """Suspend a worker before its commit, until another one, which reads two suspects first, is about to commit too."""
    machine.overtake(COMMIT, COMMIT + 2, "before", throttled=False)


def _refuse_a_response(machine: Jobs) -> None:
    machine.send()
    machine.answer_in_part(0, {0}, 0)


SCRIPTS: list[tuple[Callable[[Patch], None], Script]] = [
    (no_skew, _take_over_early),
    (no_fence_at_commit, _commit_late),
    (all_counted_as_sent, _refuse_a_response),
]
"""Mutants that need several coincidences, each with the steps that show it: chance finds them late, or not at all."""


def run_script(script: Script) -> None:
    """Run a machine's steps in that order, and its end. Raises for a broken promise."""
    machine = Jobs()
    machine.send_foreign(status="PENDING", owner=None)
    try:
        script(machine)
        machine.nothing_is_wrong_yet()
    finally:
        machine.teardown()


@pytest.mark.parametrize(("mutant", "script"), SCRIPTS, ids=lambda each: each.__name__)
def test_the_machine_finds_by_its_steps(mutant: Callable[[Patch], None], script: Script, monkeypatch: Patch) -> None:
    """The steps break no promise of the worker, and one of the mutant."""
    run_script(script)
    mutant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_script(script)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_machine_finds(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """A worker that breaks a promise violates an invariant of the machine."""
    mutant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):  # a group, where it breaks several
        _run_machine()


def _run_machine() -> None:
    """Run random steps of five seeds until the first violation. Raises for it."""
    for number in range(5):
        # A mutant's calls may depend on the speed of its threads, the worker's do not: such a seed shows nothing.
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(
                seed(number)(type("SeededJobs", (Jobs,), {})),
                settings=settings(
                    Jobs.TestCase.settings,
                    max_examples=600,  # a mutant that needs rare timing must not pass
                    phases=[Phase.generate],
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
