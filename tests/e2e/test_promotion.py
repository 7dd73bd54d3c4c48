"""An image is deployed to a stage once the stage before has served it, by that stage's own ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import stages
from scripts.aws import ledger
from scripts.aws.clients import Aws
from scripts.console.errors import OperationFailed, Refused
from scripts.release import deployment, guard, rollback
from scripts.release.deployment import Canary
from tests.e2e.staged import Staged


@pytest.fixture
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share, and leave the first image's release behind."""
    yield released
    deployment.deploy(released.aws, released.image("first"), commit="1" * 40)


@pytest.fixture
def earlier(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Return the same stage under the name of staging, as a deploy to production sees it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Aws(replace(stage.aws.stage, name="staging"), stage.aws.endpoint)


def test_only_what_was_served_is_accepted(stage: Staged, earlier: Aws) -> None:
    """An image that was pushed only, or whose canary failed, is refused with the command that releases it there."""
    digest = stage.image("promoted")
    with pytest.raises(Refused, match=f"{digest} cannot be deployed yet: stage staging has not served it") as caught:
        guard.require_served(earlier, digest)
    assert caught.value.remedy.startswith(f"make deploy STAGE=staging DIGEST={digest}")
    with pytest.raises(OperationFailed, match="canary inconclusive"):
        deployment.deploy(stage.aws, digest, canary=Canary(1, 0))
    with pytest.raises(Refused, match="has not served it"):
        guard.require_served(earlier, digest)
    deployment.deploy(stage.aws, digest, commit="6" * 40)
    last = ledger.read_last(stage.aws)
    assert last is not None
    assert guard.require_served(earlier, digest) == f"served by staging since {last.at[:19]}"
    deployment.deploy(stage.aws, stage.image("promoted later"), commit="7" * 40)
    assert guard.require_served(earlier, digest) == f"served by staging since {last.at[:19]}"


def test_what_was_rolled_back_is_refused_until_it_is_served_again(stage: Staged, earlier: Aws) -> None:
    """A rollback from an image withdraws it; deploying it once more offers it again."""
    digest = stage.image("withdrawn")
    deployment.deploy(stage.aws, digest, commit="6" * 40)
    rollback.roll_back(stage.aws)
    with pytest.raises(Refused, match=r"stage staging rolled back from it at 2\d{3}-\d\d-\d\dT"):
        guard.require_served(earlier, digest)
    deployment.deploy(stage.aws, digest, commit="6" * 40)
    assert guard.require_served(earlier, digest)


def test_the_committed_stages_follow_one_another() -> None:
    """Production is deployed after staging, and every stage that is named exists."""
    order = {name: stages.load(name).release.after for name in stages.list_stages()}
    assert order["production"] == "staging"
    assert {name for name in order.values() if name} <= set(order)
