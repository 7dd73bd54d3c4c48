"""What commands say and leave when AWS, the registry or the person stands in the way."""

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
from scripts import _guard, deploy, push
from scripts._aws import Aws
from scripts._command import Shell
from scripts._errors import NotFound, Refused
from scripts._image import read_image
from tests.e2e.conftest import ROOT, run
from tests.e2e.staged import Staged
from tests.layouts import Layer, write_layout

FAULTS = "/_local_aws/faults"
NAME = f"test-{os.getpid()}-released"


@pytest.fixture
def stage(released: Staged) -> Staged:
    """The stage that these tests share with others."""
    return released


@pytest.fixture(autouse=True)
def instance(stage: Staged) -> Iterator[Instance]:
    """The stage's instance; no fault stays, and the first image serves again."""
    found = control.find(NAME)
    assert found is not None
    yield found
    ask(found, FAULTS, [])
    deploy.deploy(stage.aws, stage.image("first"), commit="1" * 40)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said, without its progress."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ExpiredTokenException", "your session has expired: sign in again"),
        ("UnrecognizedClientException", "the credentials are not valid here"),
        ("AccessDeniedException", "ask for the permission that the message names"),
        ("TooManyRequestsException", "AWS is limiting the rate: wait a minute"),
    ],
)
def test_a_refusal_of_aws_says_what_to_do(instance: Instance, code: str, told: str) -> None:
    """The error has the operation, AWS's own code, and the next step."""
    ask(instance, FAULTS, [{"operation": "lambda.GetFunctionConfiguration", "code": code, "times": 50}])
    words = said(run(NAME, "scripts.status"))
    assert told in words
    assert f"GetFunctionConfiguration in stage local: {code}" in words


def test_a_throttle_that_passes_is_waited_out(stage: Staged, instance: Instance) -> None:
    """A deploy whose call is refused twice is done all the same."""
    ask(instance, FAULTS, [{"operation": "lambda.UpdateFunctionCode", "code": "TooManyRequestsException", "times": 2}])
    assert run(NAME, "scripts.deploy", "--digest", stage.image("second")).returncode == 0
    assert stage.answer() == "second"


def test_an_update_in_progress_is_told_and_changes_nothing(stage: Staged, instance: Instance) -> None:
    """Lambda refuses a second change at a time: the deploy says that somebody is at it, and callers notice nothing."""
    rule = {"operation": "lambda.UpdateFunctionCode", "code": "ResourceConflictException", "status": 409, "times": 9}
    ask(instance, FAULTS, [rule])
    words = said(run(NAME, "scripts.deploy", "--digest", stage.image("second")))
    assert "somebody else is changing plexus-score-processor-lambda" in words
    assert "make status history" in words
    assert stage.answer() == "first"


def test_an_alias_that_cannot_be_moved_stays(stage: Staged, instance: Instance) -> None:
    """The new version is published and tried, but callers get the old one; run again, the deploy ends."""
    rule = {"operation": "lambda.UpdateAlias", "code": "ServiceException", "status": 500, "times": 9}
    ask(instance, FAULTS, [rule])
    said(run(NAME, "scripts.deploy", "--digest", stage.image("second")))
    assert stage.answer() == "first"
    ask(instance, FAULTS, [])
    assert run(NAME, "scripts.deploy", "--digest", stage.image("second")).returncode == 0
    assert stage.answer() == "second"


def test_an_address_where_nothing_answers_is_told(stage: Staged) -> None:
    """A wrong endpoint is an error with the next step, after seconds and not minutes."""
    assert "make local" in said(run(NAME, "scripts.status", "--endpoint-url", "http://127.0.0.1:9"))


def test_the_local_stage_heeds_nothing_that_the_person_has_set_up(
    stage: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that is not there, broken files of settings and a proxy have no say on this machine's own ports."""
    broken = tmp_path / "broken"
    broken.write_text("no [settings")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(broken))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    done = run(NAME, "scripts.status")
    assert done.returncode == 0, done.stderr
    digest = stage.image("third")  # pushed by this process, past the proxy too
    done = run(NAME, "scripts.lint_image", digest, "--json")
    assert json.loads(done.stdout)["image"] == digest, done.stderr


def test_a_missing_repository_is_told_before_anything_is_sent(stage: Staged) -> None:
    """A push to a stage without its repository names the command that makes it."""
    elsewhere = Aws(replace(stage.aws.stage, repository="plexus/nowhere"), stage.aws.endpoint)
    with pytest.raises(NotFound, match="there is no repository plexus/nowhere") as caught:
        push.push(elsewhere, read_image(stage.folder / "second" / "layout"))
    assert caught.value.remedy == "make infra-deploy"


def test_an_interrupted_canary_gives_its_calls_back(stage: Staged) -> None:
    """Ctrl-C during a canary ends with 130, every call goes to the old version, and the lock is free."""
    words = ["scripts.deploy", "--digest", stage.image("second"), "--canary", "50", "--watch", "120"]
    environment = {**os.environ, "LOCAL_AWS_NAME": NAME, "STAGE": "local"}
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    end = time.monotonic() + 180
    while not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told.decode()
    assert b"Traceback" not in told
    assert not stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")
    assert stage.answer() == "first"
    assert deploy.deploy(stage.aws, stage.image("second")).action == "deployed"


def test_an_image_that_breaks_a_rule_is_refused_by_its_digest(stage: Staged, tmp_path: Path) -> None:
    """What another builder pushed is read from the registry, and the rules that it breaks are named."""
    layout = tmp_path / "layout"
    write_layout(layout, [Layer(files={"var/task/function.py": b""})], {"Entrypoint": ["relative"], "Cmd": []})
    pushed = push.push(stage.aws, read_image(layout))
    with pytest.raises(Refused, match=f"the image {pushed.digest} breaks Lambda's rules: .*entry") as caught:
        _guard.require_lint(Shell("local", stage.aws.endpoint), pushed.digest)
    assert f"make lint-image IMAGE={pushed.digest}" in caught.value.remedy
