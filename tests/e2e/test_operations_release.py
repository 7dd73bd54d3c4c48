"""Deploys, canaries and rollbacks: callers get working versions only, and the ledger records every change."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from scripts.aws import lambda_function, ledger, lock
from scripts.aws.account import require_account
from scripts.aws.clients import Aws
from scripts.command.shell import Shell
from scripts.console.errors import Conflict, NotFound, OperationFailed, Refused
from scripts.differences import function_drift
from scripts.release import canary, configuration, deployment, history, rollback, verification, versions
from scripts.release.deployment import Canary
from tests.e2e.staged import Staged


@pytest.fixture
def stage(released: Staged) -> Staged:
    """Return the stage that several test files share."""
    return released


@pytest.fixture(autouse=True)
def first_again(stage: Staged) -> None:
    """Serve the first image before every test."""
    deployment.deploy(stage.aws, stage.image("first"), commit="1" * 40)


def actions(stage: Staged, count: int) -> list[str]:
    """Return the last entries of the ledger, newest first."""
    return [entry.action for entry in history.read_history(stage.aws, count).entries]


def test_a_deploy_moves_the_alias_and_is_remembered(stage: Staged) -> None:
    """A deploy serves the new image, and the ledger records versions, digests, user and commit."""
    before, digest = stage.alias()["FunctionVersion"], stage.image("second")
    done = deployment.deploy(stage.aws, digest, commit="2" * 40)
    assert (done.action, stage.answer()) == ("deployed", "second")
    entry = history.read_history(stage.aws, 1).entries[0]
    assert (entry.action, entry.digest, entry.commit) == ("deploy", digest, "2" * 40)
    assert (entry.previous_version, entry.version) == (before, stage.alias()["FunctionVersion"])
    assert entry.who


def test_a_deploy_that_changes_nothing_does_nothing(stage: Staged) -> None:
    """Deploying the served image publishes no version and writes no entry."""
    versions = len(stage.aws.client("lambda").list_versions_by_function(FunctionName=stage.function)["Versions"])
    entries = len(history.read_history(stage.aws, 1000).entries)
    assert deployment.deploy(stage.aws, stage.image("first")).action == "unchanged"
    assert (
        len(stage.aws.client("lambda").list_versions_by_function(FunctionName=stage.function)["Versions"]) == versions
    )
    assert len(history.read_history(stage.aws, 1000).entries) == entries


def test_a_ledger_that_lacks_the_last_deploy_gets_it_from_the_next(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy cut off before its ledger entry is completed by the next one, which ends the drift."""
    digest = stage.image("second")

    def cut(*_: object) -> bool:
        raise OperationFailed("the connection was cut")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "write", cut)
        with pytest.raises(OperationFailed, match="was cut"):
            deployment.deploy(stage.aws, digest, commit="2" * 40)
    assert stage.answer() == "second"
    assert [one.setting for one in function_drift.release(stage.aws)] == ["version", "image"]
    done = deployment.deploy(stage.aws, digest, commit="2" * 40)
    assert (done.action, done.note) == ("unchanged", "recorded by a later change: this entry was missing")
    assert list(function_drift.release(stage.aws)) == []
    assert deployment.deploy(stage.aws, digest, commit="2" * 40).note == ""


def test_a_version_that_fails_its_smoke_test_gets_no_calls(stage: Staged) -> None:
    """A version that fails its smoke test receives no calls, and the error has its response."""
    with pytest.raises(OperationFailed, match="fails its smoke test") as caught:
        deployment.deploy(stage.aws, stage.image("unready", smokes=False))
    assert "the alias was not moved" in caught.value.remedy
    assert stage.answer() == "first"


def test_an_image_that_is_not_there_is_refused(stage: Staged) -> None:
    """A digest that the registry lacks is an error that says from where to push it."""
    with pytest.raises(NotFound, match="has no image sha256:0000") as caught:
        deployment.deploy(stage.aws, "sha256:" + "0" * 64)
    assert "push" in caught.value.remedy


def test_a_canary_that_works_gets_every_call_in_the_end(stage: Staged) -> None:
    """A successful canary ends with all calls at the new version, and its counts in the ledger."""
    with stage.call_meanwhile():
        done = deployment.deploy(stage.aws, stage.image("second"), canary=Canary(90, 10))
    assert stage.alias().get("RoutingConfig", {}) in ({}, {"AdditionalVersionWeights": {}})
    assert stage.answer() == "second"
    assert done.note == history.read_history(stage.aws, 1).entries[0].note
    assert re.fullmatch(r"canary 90 % for 10 s: [1-9]\d* calls?, 0 failed, 0 jobs without a result", done.note)


def test_a_canary_without_calls_is_inconclusive(stage: Staged) -> None:
    """A canary that received no call does not promote: the alias stays, and the remedy names a longer one."""
    with pytest.raises(OperationFailed, match=r"canary inconclusive: version \d+ received none of 0 calls") as caught:
        deployment.deploy(stage.aws, stage.image("second"), canary=Canary(50, 0.5))
    assert "make deploy CANARY=50 WATCH=900" in caught.value.remedy
    assert (stage.answer(), actions(stage, 1)) == ("first", ["canary-back"])
    assert not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_a_canary_that_fails_gives_its_calls_back(stage: Staged) -> None:
    """One failed call of the canary sends all calls to the old version, and the ledger records it."""
    version, digest = stage.alias()["FunctionVersion"], stage.image("failing", fails=True)
    failed = pytest.raises(OperationFailed, match=r"did worse than version \d+: \d+ calls?, [1-9]\d* failed")
    with stage.call_meanwhile(), failed:
        deployment.deploy(stage.aws, digest, canary=Canary(60, 60))
    assert (stage.alias()["FunctionVersion"], stage.answer()) == (version, "first")
    assert not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")
    assert actions(stage, 1) == ["canary-back"]


def test_an_alias_that_was_moved_during_a_canary_is_not_moved_over(stage: Staged) -> None:
    """A concurrent change of the alias during a canary is kept, and the deploy is a Conflict."""
    client, alias = stage.aws.client("lambda"), stage.aws.stage.function.alias
    third = stage.alias()["FunctionVersion"]
    moved = {"FunctionName": stage.function, "Name": alias, "FunctionVersion": third}

    def somebody(output: str) -> None:
        if output.startswith("version "):  # the canary is running
            client.update_alias(**moved, RoutingConfig={"AdditionalVersionWeights": {}}, Description="by hand")

    with pytest.raises(Conflict, match="another process is changing"):
        deployment.deploy(stage.aws, stage.image("second"), canary=Canary(50, 0.1), say=somebody)
    assert (stage.alias()["FunctionVersion"], stage.alias()["Description"]) == (third, "by hand")


def test_a_lock_holds_for_as_long_as_the_canary_is_to_run(stage: Staged) -> None:
    """The lock lasts as long as the canary, and the Conflict says when it expires, and how to remove it."""
    with lock.hold(stage.aws, 3600), pytest.raises(Conflict) as caught, lock.hold(stage.aws):
        raise AssertionError("two hold the lock")
    assert caught.value.remedy.endswith("if it was killed: make unlock (the lock expires in 75 min)")


def test_a_rollback_goes_to_the_image_before(stage: Staged) -> None:
    """A rollback without a target serves the previous image's version."""
    version = stage.alias()["FunctionVersion"]
    deployment.deploy(stage.aws, stage.image("second"))
    assert rollback.roll_back(stage.aws).action == "rolled back"
    assert (stage.alias()["FunctionVersion"], stage.answer()) == (version, "first")
    assert actions(stage, 2) == ["rollback", "deploy"]


def test_a_second_rollback_does_not_go_back_to_what_was_rolled_back(stage: Staged) -> None:
    """A second rollback goes one image further back, not to the one that was rolled back from."""
    deployment.deploy(stage.aws, stage.image("third"))
    deployment.deploy(stage.aws, stage.image("fourth"))
    deployment.deploy(stage.aws, stage.image("second"))
    assert [rollback.roll_back(stage.aws).digest for _ in range(2)] == [stage.image("fourth"), stage.image("third")]
    assert stage.answer() == "third"


@pytest.mark.parametrize("by", ["version", "digest", "beginning"])
def test_a_rollback_takes_a_version_or_a_digest(stage: Staged, by: str) -> None:
    """A rollback's target is a version, a digest or a digest prefix; `verify` accepts the same."""
    digest = stage.image("second")
    version = deployment.deploy(stage.aws, digest).version
    deployment.deploy(stage.aws, stage.image("first"))
    to = {"version": version, "digest": digest, "beginning": digest.removeprefix("sha256:")[:10]}[by]
    assert verification.resolve_digest(stage.aws, to) == digest
    rollback.roll_back(stage.aws, to)
    assert stage.answer() == "second"


def test_a_rollback_whose_version_is_gone_publishes_the_image_again(stage: Staged) -> None:
    """A rollback to a deleted version publishes its image again."""
    old = deployment.deploy(stage.aws, stage.image("second")).version
    deployment.deploy(stage.aws, stage.image("first"))
    stage.aws.client("lambda").delete_function(FunctionName=stage.function, Qualifier=old)
    done = rollback.roll_back(stage.aws, stage.image("second"))
    assert (done.version != old, stage.answer()) == (True, "second")


def test_a_rollback_to_a_deleted_image_changes_nothing(stage: Staged) -> None:
    """A rollback to an image that the registry lacks changes nothing."""
    digest = stage.image("doomed")
    deployment.deploy(stage.aws, digest)
    deployment.deploy(stage.aws, stage.image("first"))
    repository = stage.aws.stage.repository
    stage.aws.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    with pytest.raises(NotFound, match="has no image"):
        rollback.roll_back(stage.aws, digest)
    assert stage.answer() == "first"


def test_a_rollback_before_any_deploy_says_so(stage: Staged) -> None:
    """A rollback before the first deploy is an error with the remedy `make deploy`."""
    nobody = replace(stage.aws.stage, function=replace(stage.aws.stage.function, name="nobody"))
    with pytest.raises(NotFound, match=f"stage {nobody.name} has no deployment") as caught:
        rollback.roll_back(replace(stage.aws, stage=nobody))
    assert "make deploy" in caught.value.remedy


def test_a_rollback_to_what_was_never_deployed_is_refused(stage: Staged) -> None:
    """An unknown target is an error with the command that lists the known ones."""
    with pytest.raises(NotFound, match="has no deployment abcdef123") as caught:
        rollback.roll_back(stage.aws, "abcdef123")
    assert caught.value.remedy == "make history"


def test_a_configuration_after_a_rollback_keeps_the_image(stage: Staged) -> None:
    """A configuration after a rollback serves the image that was rolled back to."""
    commit = versions.read_live(stage.aws).commit
    deployment.deploy(stage.aws, stage.image("second"), commit="2" * 40)
    rollback.roll_back(stage.aws)
    done = configuration.configure(stage.aws, extra={"AFTER_ROLLBACK": "1"})
    assert (done.action, stage.answer()) == ("configured", "first")
    entry = history.read_history(stage.aws, 1).entries[0]
    assert (entry.action, entry.digest, entry.commit) == ("config", stage.image("first"), commit)


def test_of_two_deploys_at_once_one_is_told_who_is_at_it(stage: Staged) -> None:
    """A concurrent deploy is a Conflict with the lock's holder and age, and changes nothing."""
    with (
        lock.hold(stage.aws),
        pytest.raises(Conflict, match=rf"process {os.getpid()} has been deploying to local for"),
    ):
        deployment.deploy(stage.aws, stage.image("second"))
    assert stage.answer() == "first"


def test_an_alias_that_somebody_moved_is_not_moved_over_him(stage: Staged) -> None:
    """A deploy that read the alias before another change of it is a Conflict."""
    current = lambda_function.read_alias(stage.aws)
    stage.aws.client("lambda").update_alias(
        FunctionName=stage.function, Name=stage.aws.stage.function.alias, Description=f"moved {time.time()}"
    )
    with pytest.raises(Conflict, match="another process is changing"):
        lambda_function.move_alias(stage.aws, stage.alias()["FunctionVersion"], current)


def test_an_entry_of_a_newer_format_is_not_misread(stage: Staged) -> None:
    """A ledger entry of a newer format is an error, not misread."""
    key = {"function": {"S": stage.function}, "at": {"S": "9999"}}
    table = stage.aws.stage.table("Deployment")
    stage.aws.client("dynamodb").put_item(TableName=table, Item={**key, "format": {"N": "99"}})
    try:
        with pytest.raises(OperationFailed, match="got format 99, expected at most"):
            history.read_history(stage.aws)
    finally:
        stage.aws.client("dynamodb").delete_item(TableName=table, Key=key)


def test_credentials_of_another_account_are_refused(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of another account are refused with both account numbers, and nothing changes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    elsewhere = replace(stage.aws.stage, name="staging", account="111111111111")
    with pytest.raises(Refused, match="account 000000000000, but stage staging expects account 111111111111"):
        require_account(Aws(elsewhere, stage.aws.endpoint))


def test_a_yes_to_the_wrong_account_is_refused(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is compared before the confirmation: names are alike in every account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    shell = Shell("staging", stage.aws.endpoint, yes=True)
    for account in ("111111111111", "000000000000"):
        vars(shell)["stage"] = replace(stage.aws.stage, name="staging", account=account)
        vars(shell).pop("aws", None)
        refused = pytest.raises(Refused, match="account 000000000000") if account[0] == "1" else nullcontext()
        with refused:
            shell.confirm("Changes 7 settings of it.")


def test_without_a_ledger_the_versions_tell_the_history(stage: Staged) -> None:
    """Without a ledger deploys and rollbacks work, and the history comes from the versions' descriptions."""
    with without_ledger(stage):
        done = deployment.deploy(stage.aws, stage.image("last"), commit="3" * 40)
        assert (done.action, done.ledger) == ("deployed", False)
        result = history.read_history(stage.aws)
        assert not result.ledger
        assert (result.entries[0].version, result.entries[0].commit) == (done.version, "3" * 12)
        rollback.roll_back(stage.aws)
        assert stage.answer() != "last"
        with pytest.raises(NotFound, match=r"there is no table .*Deployment") as caught:
            ledger.find_serving(stage.aws, done.digest)
        assert caught.value.remedy == "make infra-deploy"


@contextmanager
def without_ledger(stage: Staged) -> Iterator[None]:
    """Delete the ledger's table, and create an empty one afterwards: other files' tests share the stage."""
    tables = stage.aws.client("dynamodb")
    name = stage.aws.stage.table("Deployment")
    table = tables.describe_table(TableName=name)["Table"]
    tables.delete_table(TableName=name)
    try:
        yield
    finally:
        tables.create_table(
            TableName=name,
            KeySchema=table["KeySchema"],
            AttributeDefinitions=table["AttributeDefinitions"],
            BillingMode="PAY_PER_REQUEST",
        )


def test_a_canary_that_somebody_overtook_is_not_recorded(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary that does not get the alias, because somebody has just changed it, leaves the ledger as it is."""
    watch, before = canary.watch, history.read_history(stage.aws, 1).entries[0]

    def overtake(*values: Any, **words: Any) -> Any:
        name = stage.aws.stage.function.alias
        stage.aws.client("lambda").update_alias(FunctionName=stage.function, Name=name, Description="somebody else's")
        return watch(*values, **words)

    monkeypatch.setattr(deployment, "watch", overtake)
    with pytest.raises(Conflict):
        deployment.deploy(stage.aws, stage.image("second"), commit="2" * 40, canary=Canary(percent=50, seconds=1))
    assert history.read_history(stage.aws, 1).entries[0] == before
