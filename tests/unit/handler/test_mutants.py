"""The state machine can fail: it finds each of these workers that lack one of the promises."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from handler.queues import Queues
from handler.records import Job
from handler.store import Store
from tests.unit.handler.test_state_machine import Jobs

Patch = pytest.MonkeyPatch
_ANY = "attribute_exists(id) OR (leaseOwner = :token AND #status = :in_progress)"  # every job meets it


def no_fence_at_commit(patch: Patch) -> None:
    """Whoever scored completes the job."""
    completion = Store._completion

    def unfenced(self: Store, job: Job, token: str, now: str) -> dict[str, Any]:
        made = completion(self, job, token, now)
        made["Update"]["ConditionExpression"] = _ANY
        return made

    patch.setattr(Store, "_completion", unfenced)


def no_fence_at_release(patch: Patch) -> None:
    """Whoever had the job gives it back or fails it."""
    update = Store._update

    def unfenced(self: Store, job_id: str, expression: str, condition: str, names: Any) -> dict[str, Any]:
        condition = _ANY if condition.startswith("leaseOwner") else condition
        return update(self, job_id, expression, condition, names)

    patch.setattr(Store, "_update", unfenced)


def no_skew(patch: Patch) -> None:
    """A lease ends when the claimer's own clock says so."""
    claim = Store.claim
    patch.setattr(Store, "claim", lambda self, job, token, now, until, _skew: claim(self, job, token, now, until, 0.0))


def no_lease(patch: Patch) -> None:
    """A job in progress is claimed at once."""
    claim = Store.claim
    patch.setattr(Store, "claim", lambda self, job, token, now, until, _skew: claim(self, job, token, now, until, -1e6))


def no_outbox(patch: Patch) -> None:
    """A response that a crash kept back is forgotten."""
    transact = Store._transact
    patch.setattr(
        Store, "_transact", lambda self, items: transact(self, [each for each in items if "Outbox" not in str(each)])
    )


def marked_before_sent(patch: Patch) -> None:
    """The outbox entry goes before its response."""
    respond = Queues.respond

    def early(self: Queues, responses: Any) -> set[str]:
        table = {"Outbox": [{"DeleteRequest": {"Key": {"id": {"S": each.scoring_job_id}}}} for each in responses]}
        self.dynamodb.batch_write_item(RequestItems=table)  # type: ignore[attr-defined]  # given to it below
        return respond(self, responses)

    made = Store.__init__

    def shared(self: Store, client: Any, *more: Any) -> None:
        made(self, client, *more)
        patch.setattr(Queues, "dynamodb", client, raising=False)

    patch.setattr(Store, "__init__", shared)
    patch.setattr(Queues, "respond", early)


def random_ids(patch: Patch) -> None:
    """Each attempt has a result of its own."""
    patch.setattr(Job, "result_id", property(lambda _job: str(uuid.uuid4())))


MUTANTS: list[Callable[[Patch], None]] = [
    no_fence_at_commit,
    no_fence_at_release,
    no_skew,
    no_lease,
    no_outbox,
    marked_before_sent,
    random_ids,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_machine_finds(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """A worker without one of its promises breaks an invariant of the machine."""
    mutant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):  # a group, where it breaks several
        run_state_machine_as_test(
            Jobs,
            settings=settings(
                Jobs.TestCase.settings,
                phases=[Phase.generate],
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
