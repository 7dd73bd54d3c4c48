"""Failures of AWS, of the registry, and interruptions."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_aws import control
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import lock
from scripts.aws.clients import Aws
from scripts.checkout.layout import read_image
from scripts.command.shell import Shell
from scripts.console.errors import NotFound, Refused
from scripts.images import push
from scripts.release import deployment, guard, versions
from tests.e2e.conftest import ROOT, run
from tests.e2e.staged import Staged
from tests.layouts import Layer, write_layout

FAULTS = "/_local_aws/faults"
NAME = f"test-{os.getpid()}-released"


@pytest.fixture
def stage(released: Staged) -> Staged:
    """Return the stage that several test files share."""
    return released


@pytest.fixture(autouse=True)
def instance(stage: Staged) -> Iterator[Instance]:
    """Yield the stage's instance; afterwards remove all faults and serve the first image."""
    result = control.find(NAME)
    assert result is not None
    yield result
    ask(result, FAULTS, [])
    deployment.deploy(stage.aws, stage.image("first"), commit="1" * 40)


def read_message(done: subprocess.CompletedProcess[str]) -> str:
    """Return the message of a failed command, without its progress."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("ExpiredTokenException", "the session has expired: sign in again"),
        ("UnrecognizedClientException", "the credentials are invalid"),
        ("AccessDeniedException", "request the permission in the message"),
        ("TooManyRequestsException", "AWS throttles the requests: wait a minute"),
    ],
)
def test_a_refusal_of_aws_says_what_to_do(instance: Instance, code: str, output: str) -> None:
    """An error of AWS is reported with its operation, its code, and a remedy."""
    ask(instance, FAULTS, [{"operation": "lambda.GetFunctionConfiguration", "code": code, "times": 50}])
    words = read_message(run(NAME, "status"))
    assert output in words
    assert f"GetFunctionConfiguration in stage local: {code}" in words


def test_a_throttle_that_passes_is_waited_out(stage: Staged, instance: Instance) -> None:
    """A throttled call is retried until it succeeds."""
    ask(instance, FAULTS, [{"operation": "lambda.UpdateFunctionCode", "code": "TooManyRequestsException", "times": 2}])
    assert run(NAME, "deploy", "--digest", stage.image("second")).returncode == 0
    assert stage.answer() == "second"


@pytest.mark.parametrize(
    "operation",
    [
        "dynamodb.PutItem",
        "dynamodb.DeleteItem",
        "lambda.UpdateFunctionCode",
        "lambda.PublishVersion",
        "lambda.UpdateAlias",
    ],
)
def test_a_write_whose_response_was_lost_is_recognized(stage: Staged, instance: Instance, operation: str) -> None:
    """A write that took effect although its response was lost, and is therefore sent again, is no conflict."""
    ask(instance, FAULTS, [{"operation": operation, "when": "after", "status": 500}])
    done = run(NAME, "deploy", "--digest", stage.image("second"))
    assert done.returncode == 0, done.stderr
    assert ask(instance, FAULTS)[0]["times"] == 0
    assert stage.answer() == "second"
    assert lock.read(stage.aws)[0] is None


def test_a_change_of_settings_whose_response_was_lost_is_recognized(stage: Staged, instance: Instance) -> None:
    """A change of settings that took effect although its response was lost is no conflict."""
    ask(instance, FAULTS, [{"operation": "lambda.UpdateFunctionConfiguration", "when": "after", "status": 500}])
    done = run(NAME, "configure", "--set", "MARK=lost")
    assert done.returncode == 0, done.stderr
    assert ask(instance, FAULTS)[0]["times"] == 0
    live = versions.read_live(stage.aws).facts
    assert live is not None
    assert live.environment["MARK"] == "lost"


def test_a_lock_of_which_nothing_is_known_is_released(stage: Staged, instance: Instance) -> None:
    """If no attempt at taking the lock gets a response, the deploy fails, and the lock that it may have is removed."""
    ask(instance, FAULTS, [{"operation": "dynamodb.PutItem", "when": "after", "status": 500, "times": 9}])
    read_message(run(NAME, "deploy", "--digest", stage.image("second")))
    assert lock.read(stage.aws)[0] is None


def test_an_update_in_progress_is_told_and_changes_nothing(stage: Staged, instance: Instance) -> None:
    """A deploy during an update in progress is a Conflict, and callers are not affected."""
    rule = {"operation": "lambda.UpdateFunctionCode", "code": "ResourceConflictException", "status": 409, "times": 9}
    ask(instance, FAULTS, [rule])
    words = read_message(run(NAME, "deploy", "--digest", stage.image("second")))
    assert "another process is changing plexus-score-processor-lambda" in words
    assert "make status history" in words
    assert stage.answer() == "first"


def test_an_alias_that_cannot_be_moved_stays(stage: Staged, instance: Instance) -> None:
    """If the alias cannot be moved, callers get the old version, and running the deploy again completes it."""
    rule = {"operation": "lambda.UpdateAlias", "code": "ServiceException", "status": 500, "times": 9}
    ask(instance, FAULTS, [rule])
    read_message(run(NAME, "deploy", "--digest", stage.image("second")))
    assert stage.answer() == "first"
    ask(instance, FAULTS, [])
    assert run(NAME, "deploy", "--digest", stage.image("second")).returncode == 0
    assert stage.answer() == "second"


def test_an_address_where_nothing_answers_is_told(stage: Staged) -> None:
    """An endpoint that does not respond is an error with a remedy."""
    assert "make local" in read_message(run(NAME, "status", "--endpoint-url", "http://127.0.0.1:9"))


def test_the_local_stage_heeds_nothing_that_the_person_has_set_up(
    stage: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local stage ignores the user's AWS profile, configuration files and proxies."""
    broken = tmp_path / "broken"
    broken.write_text("no [settings")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(broken))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    done = run(NAME, "status")
    assert done.returncode == 0, done.stderr
    digest = stage.image("third")  # pushed by this process, past the proxy too
    done = run(NAME, "lint-image", digest, "--json")
    assert json.loads(done.stdout)["image"] == digest, done.stderr


def test_a_missing_repository_is_told_before_anything_is_sent(stage: Staged) -> None:
    """A push to a stage without its repository is an error with the command that creates it."""
    elsewhere = Aws(replace(stage.aws.stage, repository="plexus/nowhere"), stage.aws.endpoint)
    with pytest.raises(NotFound, match="stage local has no repository plexus/nowhere") as caught:
        push.push(elsewhere, read_image(stage.folder / "second" / "layout"))
    assert caught.value.remedy == "make infra-deploy"


def test_an_interrupted_canary_gives_its_calls_back(stage: Staged) -> None:
    """Ctrl-C during a canary exits with 130, sends all calls to the old version, and releases the lock."""
    words = ["deploy", "--digest", stage.image("second"), "--canary", "50", "--watch", "120"]
    environment = {**os.environ, "LOCAL_AWS_NAME": NAME, "STAGE": "local"}
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", *words],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    end = time.monotonic() + 180
    while not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=600)
    assert process.returncode == 130, output.decode()
    assert b"Traceback" not in output
    assert not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")
    assert stage.answer() == "first"
    assert deployment.deploy(stage.aws, stage.image("second")).action == "deployed"


def test_an_image_that_breaks_a_rule_is_refused_by_its_digest(stage: Staged, tmp_path: Path) -> None:
    """A deploy of another builder's image lints it in the registry and lists the broken rules."""
    layout = tmp_path / "layout"
    write_layout(layout, [Layer(files={"var/task/function.py": b""})], {"Entrypoint": ["relative"], "Cmd": []})
    pushed = push.push(stage.aws, read_image(layout))
    with pytest.raises(Refused, match=f"the image {pushed.digest} breaks Lambda's rules: .*entry") as caught:
        guard.require_lint(Shell("local", stage.aws.endpoint), pushed.digest)
    assert f"make lint-image IMAGE={pushed.digest}" in caught.value.remedy
