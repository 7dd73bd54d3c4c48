"""A deploy that is interrupted at any moment, by any signal, leaves a working version serving everyone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import control
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import lambda_function, lock
from scripts.release import configuration, deployment, versions
from tests.checkouts import git
from tests.e2e.conftest import ROOT, run, wait_for
from tests.e2e.faults_by_hand import environment
from tests.e2e.staged import Staged, start_staged

FAULTS = "/_local_aws/faults"
HOLD_S = 60.0  # an answer that arrives before the signal would be taken for the service's own
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEPLOY = (
    ("lambda.GetFunctionConfiguration", 0),
    ("dynamodb.PutItem", 0),  # the lock
    ("lambda.UpdateFunctionCode", 0),
    ("lambda.PublishVersion", 0),
    ("lambda.Invoke", 0),
    ("ecr.BatchGetImage", 0),
    ("lambda.UpdateAlias", 0),
    ("dynamodb.PutItem", 1),  # the ledger's entry
    ("dynamodb.DeleteItem", 0),  # the end of the lock
)
"""The calls of a deploy in their order, each with the calls of the same operation before it."""
CONFIGURE = (("lambda.UpdateFunctionConfiguration", 0), ("lambda.PublishVersion", 0), ("lambda.UpdateAlias", 0))
ROLLBACK = (("lambda.Invoke", 0), ("lambda.UpdateAlias", 0), ("lambda.UpdateFunctionCode", 0))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Yield the local stage on an instance of its own."""
    with start_staged("killed", tmp_path_factory.mktemp("images")) as result:
        yield result


@pytest.fixture
def instance(stage: Staged) -> Iterator[Instance]:
    """Yield the stage's instance while the first image serves; remove all faults afterwards."""
    result = control.find(stage.name)
    assert result is not None
    ask(result, FAULTS, [])
    for name in ("second", "first"):
        deployment.deploy(stage.aws, stage.image(name), commit="1" * 40)
    configuration.configure(stage.aws)
    yield result
    ask(result, FAULTS, [])


def start_verb(stage: Staged, *words: str) -> subprocess.Popen[str]:
    """Start a verb of `score-processor`, which a SIGHUP ends although `nohup` may have started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", *words],
        cwd=ROOT,
        env=environment(stage),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGHUP, before)
    return process


def interrupted_at(
    stage: Staged, instance: Instance, moment: tuple[str, int], number: signal.Signals, *words: str
) -> tuple[int, str]:
    """Run a verb and signal it while the answer of a call is on its way; its exit code, and what it printed."""
    operation, skip = moment
    ask(instance, FAULTS, [{"operation": operation, "when": "after", "status": 200, "delay": HOLD_S, "skip": skip}])
    process = start_verb(stage, *words)
    try:
        wait_for(lambda: not ask(instance, FAULTS)[0]["times"] or process.poll() is not None, operation)
        assert process.poll() is None, process.communicate()
        process.send_signal(number)
        output, errors = process.communicate(timeout=600)
    finally:
        process.kill()
        ask(instance, FAULTS, [])
    assert "Traceback" not in errors
    return process.returncode, output + errors


def check_whole(stage: Staged, number: signal.Signals) -> None:
    """Everybody gets one working version. After a signal that can be handled, no lock and no other image is left."""
    live = versions.read_live(stage.aws)
    assert not live.is_split
    assert stage.answer() in ("first", "second")
    if number != signal.SIGKILL:
        assert lock.read(stage.aws)[0] is None
        assert lambda_function.read(stage.aws).digest == live.digest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", DEPLOY, ids=str)
def test_a_deploy_may_be_killed_after_each_call(
    stage: Staged, instance: Instance, moment: tuple[str, int], number: signal.Signals
) -> None:
    """A deploy killed after any of its calls leaves a working version serving; the next one succeeds at once."""
    interrupted_at(stage, instance, moment, number, "deploy", "--digest", stage.image("second"))
    check_whole(stage, number)
    done = run(stage.name, "deploy", "--digest", stage.image("third"))
    assert (done.returncode, stage.answer()) == (0, "third"), done.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("moment", CONFIGURE, ids=str)
def test_a_configuration_may_be_killed_after_each_call(
    stage: Staged, instance: Instance, moment: tuple[str, int], number: signal.Signals
) -> None:
    """A change of settings killed after any of its calls leaves a working version; the next deploy succeeds at once."""
    interrupted_at(stage, instance, moment, number, "configure", "--set", f"MARK={moment[0]}{number}")
    check_whole(stage, number)
    done = run(stage.name, "deploy", "--digest", stage.image("third"))
    assert (done.returncode, stage.answer()) == (0, "third"), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("moment", ROLLBACK, ids=str)
def test_a_rollback_may_be_killed_after_each_call(
    stage: Staged, instance: Instance, moment: tuple[str, int], number: signal.Signals
) -> None:
    """A rollback killed after any of its calls leaves a working version; the next rollback succeeds at once."""
    interrupted_at(stage, instance, moment, number, "rollback")
    check_whole(stage, number)
    done = run(stage.name, "rollback", stage.image("second"))
    assert (done.returncode, stage.answer()) == (0, "second"), done.stderr


@pytest.mark.parametrize("moment", DEPLOY[2:4] + DEPLOY[6:8], ids=str)
def test_a_stopped_deploy_changes_nothing_after_a_later_one(
    stage: Staged, instance: Instance, moment: tuple[str, int]
) -> None:
    """A deploy that was stopped at a call, and runs again after another deploy, leaves what that one serves."""
    operation, skip = moment
    ask(instance, FAULTS, [{"operation": operation, "when": "after", "status": 200, "delay": HOLD_S, "skip": skip}])
    process = start_verb(stage, "deploy", "--digest", stage.image("second"))
    try:
        wait_for(lambda: not ask(instance, FAULTS)[0]["times"] or process.poll() is not None, operation)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGSTOP)
        ask(instance, FAULTS, [])
        assert run(stage.name, "unlock", "--yes").returncode == 0
        done = run(stage.name, "deploy", "--digest", stage.image("third"))
        assert done.returncode == 0, done.stderr
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=600)
    finally:
        process.kill()
    assert "Traceback" not in errors
    live = versions.read_live(stage.aws)
    assert (stage.answer(), live.is_split) == ("third", False), errors
    assert lambda_function.read(stage.aws).digest == live.digest, errors
    assert lock.read(stage.aws)[0] is None


def canary(stage: Staged) -> subprocess.Popen[str]:
    """Start a canary of the second image, and wait until it receives calls."""
    process = start_verb(stage, "deploy", "--digest", stage.image("second"), "--canary", "50", "--watch", "600")
    wait_for(lambda: versions.read_live(stage.aws).is_split or process.poll() is not None, "the canary")
    assert process.poll() is None, process.communicate()
    return process


@pytest.mark.parametrize("number", POLITE)
def test_an_interrupted_canary_gives_its_calls_back(stage: Staged, instance: Instance, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end a canary: every call goes to the old version, and no lock is left."""
    process = canary(stage)
    process.send_signal(number)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 130, errors
    check_whole(stage, number)
    assert stage.answer() == "first"


def test_any_clone_shows_a_running_canary(stage: Staged, instance: Instance, tmp_path: Path) -> None:
    """The status of another clone names who deploys, and the canary's share and calls; after its end it names none."""
    clone = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", str(ROOT), str(clone))

    def status(*options: str) -> str:
        command = [sys.executable, "-m", "scripts", "status", "--endpoint-url", instance.endpoint, *options]
        return subprocess.run(
            command, cwd=clone, env={**os.environ, "STAGE": "local"}, check=True, capture_output=True, text=True
        ).stdout

    process = canary(stage)
    with stage.call_meanwhile():
        wait_for(
            lambda: sum(one["calls"] for one in json.loads(status("--json"))["release"]["counts"].values()), "calls"
        )
    (line,) = [text for text in status().splitlines() if text.startswith("release: ")]
    assert re.fullmatch(
        rf"release: .*, process {process.pid}, for .*; version \d+ gets 50 % of the calls: \d+ calls?, .*", line
    )
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=600)
    assert json.loads(status("--json"))["release"] is None


def test_a_rollback_ends_a_killed_canary(stage: Staged, instance: Instance) -> None:
    """After kill -9 the split stays, and the doctor's remedy ends it, without waiting for the lock."""
    process = canary(stage)
    process.kill()
    process.communicate()
    version = versions.read_live(stage.aws).version
    assert run(stage.name, "rollback", version).returncode == 0
    check_whole(stage, signal.SIGTERM)
    assert stage.answer() == "first"


def test_a_stopped_canary_cannot_move_the_alias_after_a_rollback(stage: Staged, instance: Instance) -> None:
    """A deploy that was stopped during its canary finds the rollback's alias when it runs again, and leaves it."""
    process = canary(stage)
    process.send_signal(signal.SIGSTOP)
    version = versions.read_live(stage.aws).version
    try:
        done = run(stage.name, "rollback", version)
        assert done.returncode == 0, done.stderr
    finally:
        process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=600)
    live = versions.read_live(stage.aws)
    assert (live.version, live.is_split, stage.answer()) == (version, False, "first")
