"""Deploys, canaries and rollbacks: what callers get changes only when the new version works; the ledger tells it."""

import os
import threading
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest

from scripts import _drift_function, _function, _guard, _ledger, _release, configure, deploy, history, rollback, verify
from scripts._aws import Aws
from scripts._command import Shell
from scripts._errors import Conflict, NotFound, OperationFailed, Refused
from scripts.deploy import Canary
from tests.e2e.staged import Staged


@pytest.fixture
def stage(released: Staged) -> Staged:
    """The stage that these tests share with others."""
    return released


@pytest.fixture(autouse=True)
def first_again(stage: Staged) -> None:
    """Every test begins with the first image behind the alias."""
    deploy.deploy(stage.aws, stage.image("first"), commit="1" * 40)


def actions(stage: Staged, count: int) -> list[str]:
    """The last entries of the ledger, the newest first."""
    return [entry.action for entry in history.history(stage.aws, count).entries]


def test_a_deploy_moves_the_alias_and_is_remembered(stage: Staged) -> None:
    """Callers get the new image, and the ledger says what, from what, by whom and from which commit."""
    before, digest = stage.alias()["FunctionVersion"], stage.image("second")
    done = deploy.deploy(stage.aws, digest, commit="2" * 40)
    assert (done.action, stage.answer()) == ("deployed", "second")
    entry = history.history(stage.aws, 1).entries[0]
    assert (entry.action, entry.digest, entry.commit) == ("deploy", digest, "2" * 40)
    assert (entry.previous_version, entry.version) == (before, stage.alias()["FunctionVersion"])
    assert entry.who


def test_a_deploy_that_changes_nothing_does_nothing(stage: Staged) -> None:
    """The image that is served already is not deployed again: no version, no entry."""
    versions = len(stage.aws.client("lambda").list_versions_by_function(FunctionName=stage.function)["Versions"])
    entries = len(history.history(stage.aws, 1000).entries)
    assert deploy.deploy(stage.aws, stage.image("first")).action == "unchanged"
    assert (
        len(stage.aws.client("lambda").list_versions_by_function(FunctionName=stage.function)["Versions"]) == versions
    )
    assert len(history.history(stage.aws, 1000).entries) == entries


def test_a_ledger_that_lacks_the_last_deploy_gets_it_from_the_next(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the connection broke between alias and ledger, the same deploy again writes the entry, and drift ends."""
    digest = stage.image("second")

    def cut(*_: object) -> bool:
        raise OperationFailed("the connection was cut")

    with monkeypatch.context() as broken:
        broken.setattr(_ledger, "write", cut)
        with pytest.raises(OperationFailed, match="was cut"):
            deploy.deploy(stage.aws, digest, commit="2" * 40)
    assert stage.answer() == "second"
    assert [one.setting for one in _drift_function.release(stage.aws)] == ["version", "image"]
    done = deploy.deploy(stage.aws, digest, commit="2" * 40)
    assert (done.action, done.note) == ("unchanged", "the ledger lacked this: written by a later deploy")
    assert list(_drift_function.release(stage.aws)) == []
    assert deploy.deploy(stage.aws, digest, commit="2" * 40).note == ""


def test_a_version_that_fails_its_smoke_test_gets_no_calls(stage: Staged) -> None:
    """The alias stays, and the error says so and shows the answer."""
    with pytest.raises(OperationFailed, match="does not pass its smoke test") as caught:
        deploy.deploy(stage.aws, stage.image("unready", smokes=False))
    assert "the alias was not moved" in caught.value.remedy
    assert stage.answer() == "first"


def test_an_image_that_is_not_there_is_refused(stage: Staged) -> None:
    """A digest that the registry does not hold is named, with the command that pushes."""
    with pytest.raises(NotFound, match="holds no image sha256:0000") as caught:
        deploy.deploy(stage.aws, "sha256:" + "0" * 64)
    assert caught.value.remedy == "make push"


def test_a_canary_that_works_gets_every_call_in_the_end(stage: Staged) -> None:
    """After its time without a failed call the new version serves alone, and the ledger tells what was seen."""
    done = deploy.deploy(stage.aws, stage.image("second"), canary=Canary(50, 0.5))
    assert stage.alias().get("RoutingConfig", {}) in ({}, {"AdditionalVersionWeights": {}})
    assert stage.answer() == "second"
    assert done.note == history.history(stage.aws, 1).entries[0].note
    assert done.note.startswith("canary 50 % for 0.5 s: ")


def test_a_canary_that_fails_gives_its_calls_back(stage: Staged) -> None:
    """One failed call of the new version sends every call to the old one again, and the ledger says so."""
    version, digest = stage.alias()["FunctionVersion"], stage.image("failing", fails=True)
    end = threading.Event()

    def call() -> None:
        while not end.wait(0.05):
            stage.aws.invoker.invoke(FunctionName=stage.function, Qualifier=stage.aws.stage.function.alias)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        with pytest.raises(OperationFailed, match=r"did worse than version \d+: \d+ calls, [1-9]\d* failed"):
            deploy.deploy(stage.aws, digest, canary=Canary(60, 30))
    finally:
        end.set()
        caller.join()
    assert (stage.alias()["FunctionVersion"], stage.answer()) == (version, "first")
    assert not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")
    assert actions(stage, 1) == ["canary-back"]


def test_an_alias_that_was_moved_during_a_canary_is_not_moved_over(stage: Staged) -> None:
    """Whoever changed the alias while the canary ran keeps what he made of it, and the deploy is refused."""
    client, alias = stage.aws.client("lambda"), stage.aws.stage.function.alias
    third = stage.alias()["FunctionVersion"]
    moved = {"FunctionName": stage.function, "Name": alias, "FunctionVersion": third}

    def somebody(told: str) -> None:
        if told.startswith("version "):  # the canary is running
            client.update_alias(**moved, RoutingConfig={"AdditionalVersionWeights": {}}, Description="by hand")

    with pytest.raises(Conflict, match="somebody else is changing"):
        deploy.deploy(stage.aws, stage.image("second"), canary=Canary(50, 0.1), say=somebody)
    assert (stage.alias()["FunctionVersion"], stage.alias()["Description"]) == (third, "by hand")


def test_a_lock_holds_for_as_long_as_the_canary_is_to_run(stage: Staged) -> None:
    """Whoever comes during an hour's canary is refused, and told when a lock that was left behind would open."""
    with _ledger.locked(stage.aws, 3600), pytest.raises(Conflict) as caught, _ledger.locked(stage.aws):
        raise AssertionError("two hold the lock")
    assert caught.value.remedy.endswith("opens by itself in 75 minutes")


def test_a_rollback_goes_to_the_image_before(stage: Staged) -> None:
    """Without a target the last other image serves again, as the version that it was."""
    version = stage.alias()["FunctionVersion"]
    deploy.deploy(stage.aws, stage.image("second"))
    assert rollback.rollback(stage.aws).action == "rolled back"
    assert (stage.alias()["FunctionVersion"], stage.answer()) == (version, "first")
    assert actions(stage, 2) == ["rollback", "deploy"]


def test_a_second_rollback_does_not_go_back_to_what_was_rolled_back(stage: Staged) -> None:
    """It goes one further back, to what was served before the image that the first one went to."""
    deploy.deploy(stage.aws, stage.image("third"))
    deploy.deploy(stage.aws, stage.image("fourth"))
    deploy.deploy(stage.aws, stage.image("second"))
    assert [rollback.rollback(stage.aws).digest for _ in range(2)] == [stage.image("fourth"), stage.image("third")]
    assert stage.answer() == "third"


@pytest.mark.parametrize("by", ["version", "digest", "beginning"])
def test_a_rollback_takes_a_version_or_a_digest(stage: Staged, by: str) -> None:
    """A target is a version's number, a digest, or the first digits of one; `make verify` takes the same."""
    digest = stage.image("second")
    version = deploy.deploy(stage.aws, digest).version
    deploy.deploy(stage.aws, stage.image("first"))
    to = {"version": version, "digest": digest, "beginning": digest.removeprefix("sha256:")[:10]}[by]
    assert verify.whole(stage.aws, to) == digest
    rollback.rollback(stage.aws, to)
    assert stage.answer() == "second"


def test_a_rollback_whose_version_is_gone_publishes_the_image_again(stage: Staged) -> None:
    """A version that was deleted is made anew from its image."""
    old = deploy.deploy(stage.aws, stage.image("second")).version
    deploy.deploy(stage.aws, stage.image("first"))
    stage.aws.client("lambda").delete_function(FunctionName=stage.function, Qualifier=old)
    done = rollback.rollback(stage.aws, stage.image("second"))
    assert (done.version != old, stage.answer()) == (True, "second")


def test_a_rollback_to_a_deleted_image_changes_nothing(stage: Staged) -> None:
    """The registry is asked before anything moves."""
    digest = stage.image("doomed")
    deploy.deploy(stage.aws, digest)
    deploy.deploy(stage.aws, stage.image("first"))
    repository = stage.aws.stage.repository
    stage.aws.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    with pytest.raises(NotFound, match="holds no image"):
        rollback.rollback(stage.aws, digest)
    assert stage.answer() == "first"


def test_a_rollback_before_any_deploy_says_so(stage: Staged) -> None:
    """Where nothing was deployed there is nothing to go back to, and the first deploy is the next step."""
    nobody = replace(stage.aws.stage, function=replace(stage.aws.stage.function, name="nobody"))
    with pytest.raises(NotFound, match=f"nothing was deployed to {nobody.name}") as caught:
        rollback.rollback(replace(stage.aws, stage=nobody))
    assert "make deploy" in caught.value.remedy


def test_a_rollback_to_what_was_never_deployed_is_refused(stage: Staged) -> None:
    """An unknown target is named, with the command that lists the known ones."""
    with pytest.raises(NotFound, match="is called abcdef123") as caught:
        rollback.rollback(stage.aws, "abcdef123")
    assert caught.value.remedy == "make history"


def test_a_configuration_after_a_rollback_keeps_the_image(stage: Staged) -> None:
    """$LATEST still holds the image that was rolled back: new settings reach callers without it."""
    commit = _release.read_live(stage.aws).commit
    deploy.deploy(stage.aws, stage.image("second"), commit="2" * 40)
    rollback.rollback(stage.aws)
    done = configure.configure(stage.aws, extra={"AFTER_ROLLBACK": "1"})
    assert (done.action, stage.answer()) == ("configured", "first")
    entry = history.history(stage.aws, 1).entries[0]
    assert (entry.action, entry.digest, entry.commit) == ("config", stage.image("first"), commit)


def test_of_two_deploys_at_once_one_is_told_who_is_at_it(stage: Staged) -> None:
    """While a deploy holds the lock another one is refused with its holder and since when, and changes nothing."""
    with (
        _ledger.locked(stage.aws),
        pytest.raises(Conflict, match=rf"process {os.getpid()} is deploying to local since"),
    ):
        deploy.deploy(stage.aws, stage.image("second"))
    assert stage.answer() == "first"


def test_an_alias_that_somebody_moved_is_not_moved_over_him(stage: Staged) -> None:
    """A deploy that looked at the alias before another change of it is refused."""
    seen = _function.read_alias(stage.aws)
    stage.aws.client("lambda").update_alias(
        FunctionName=stage.function, Name=stage.aws.stage.function.alias, Description=f"moved {time.time()}"
    )
    with pytest.raises(Conflict, match="somebody else is changing"):
        _function.move_alias(stage.aws, stage.alias()["FunctionVersion"], seen)


def test_an_entry_of_a_newer_format_is_not_misread(stage: Staged) -> None:
    """A ledger written by a later version of the project says that the checkout is too old."""
    key = {"function": {"S": stage.function}, "at": {"S": "9999"}}
    table = stage.aws.stage.table("Deployment")
    stage.aws.client("dynamodb").put_item(TableName=table, Item={**key, "format": {"N": "99"}})
    try:
        with pytest.raises(OperationFailed, match="format 99; this checkout knows up to"):
            history.history(stage.aws)
    finally:
        stage.aws.client("dynamodb").delete_item(TableName=table, Key=key)


def test_credentials_of_another_account_are_refused(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is signed in to another account than the stage file's is told both numbers, and nothing is changed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    elsewhere = replace(stage.aws.stage, name="staging", account="111111111111")
    with pytest.raises(Refused, match="of the account 000000000000, and stage staging is the account 111111111111"):
        _guard.require_account(Aws(elsewhere, stage.aws.endpoint))


def test_a_yes_to_the_wrong_account_is_refused(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that asks looks at the account first: a function of that name is in each of them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    shell = Shell("staging", stage.aws.endpoint, yes=True)
    for account in ("111111111111", "000000000000"):
        vars(shell)["stage"] = replace(stage.aws.stage, name="staging", account=account)
        vars(shell).pop("aws", None)
        refused = pytest.raises(Refused, match="of the account 000000000000") if account[0] == "1" else nullcontext()
        with refused:
            shell.confirm("Changes 7 settings of it.")


def test_without_a_ledger_the_versions_tell_the_history(stage: Staged) -> None:
    """A stage whose table is gone still deploys and rolls back by version; the history comes from descriptions."""
    stage.aws.client("dynamodb").delete_table(TableName=stage.aws.stage.table("Deployment"))
    done = deploy.deploy(stage.aws, stage.image("last"), commit="3" * 40)
    assert (done.action, done.ledger) == ("deployed", False)
    found = history.history(stage.aws)
    assert not found.ledger
    assert (found.entries[0].version, found.entries[0].commit) == (done.version, "3" * 12)
    rollback.rollback(stage.aws)
    assert stage.answer() != "last"
