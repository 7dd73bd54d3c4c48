"""A release that is interrupted at any moment, by any signal, leaves one working version serving everyone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import ledger, lock
from scripts.release import configuration, deployment, versions
from tests.checkouts import git
from tests.e2e.conftest import ROOT, run, wait_for
from tests.e2e.staged import Staged, start_staged
from tests.e2e.walk_away import (
    ARRIVE_S,
    FAULTS,
    HOLD_S,
    POLITE,
    SIGNALS,
    VERBS,
    Moment,
    callers,
    find_moments,
    interrupt,
    running,
    start,
)

SAMPLE = 10
"""Moments of each verb; `python -m bench.walk_away` interrupts at twenty, each by every signal."""

Moments = Callable[[str], list[Moment]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Yield the local stage on an instance of its own."""
    with start_staged("killed", tmp_path_factory.mktemp("images")) as result:
        configuration.configure(result.aws)
        yield result


@pytest.fixture(scope="module")
def moments(stage: Staged) -> Moments:
    """Return the moments of a verb, which runs once for that."""
    return cache(lambda verb: find_moments(stage, verb, SAMPLE))


@pytest.fixture
def instance(stage: Staged) -> Iterator[Instance]:
    """Yield the stage's instance while the first image serves; remove all faults afterwards."""
    result = running(stage)
    for name in ("second", "first"):
        deployment.deploy(stage.aws, stage.image(name), commit="1" * 40)
    yield result
    ask(result, FAULTS, [])


@pytest.mark.parametrize("number", range(SAMPLE))
@pytest.mark.parametrize("verb", VERBS)
def test_a_person_may_walk_away_from_a_release(stage: Staged, moments: Moments, verb: str, number: int) -> None:
    """An interrupted verb leaves one version for everyone, a true history, and a stage that can be released at once."""
    chosen = moments(verb)
    cell = interrupt(stage, verb, chosen[number % len(chosen)], SIGNALS[(number + VERBS.index(verb)) % len(SIGNALS)])
    assert not cell.problems, str(cell)


def test_a_rollback_after_a_killed_deploy_goes_back_to_what_was_served(stage: Staged, instance: Instance) -> None:
    """A deploy that was killed before its ledger entry is rolled back to the image before, and gets its entry then."""
    ask(instance, FAULTS, [{"operation": "lambda.UpdateAlias", "when": "after", "hold": HOLD_S}])
    process = start(stage, "deploy", "--digest", stage.image("third"))
    wait_for(lambda: "hit" in ask(instance, FAULTS)[0], "the alias to move")
    process.kill()
    process.communicate()
    ask(instance, FAULTS, [])
    assert stage.answer() == "third"
    done = run(stage.name, "rollback")
    assert (done.returncode, stage.answer()) == (0, "first"), done.stderr
    entries = ledger.read_entries(stage.aws, 2)
    assert entries is not None
    back, late = entries
    assert [back.action, late.action] == ["rollback", "deploy"]
    assert (back.previous_version, late.previous_version) == (late.version, back.version)
    assert "this entry was missing" in late.note


def canary(stage: Staged) -> subprocess.Popen[str]:
    """Start a canary of the second image, and wait until it receives calls."""
    process = start(stage, "deploy", "--digest", stage.image("second"), "--canary", "50", "--watch", "600")
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
    assert not versions.read_live(stage.aws).is_split
    assert (lock.read(stage.aws)[0], stage.answer()) == (None, "first")


def test_ctrl_c_after_a_canary_gives_its_calls_back(stage: Staged, instance: Instance) -> None:
    """Ctrl-C between a canary that works and the move of the alias sends every call to the old version again."""
    ask(instance, FAULTS, [{"operation": "ecr.BatchGetImage", "when": "before", "hold": HOLD_S}])
    with callers(stage, instance):
        process = start(stage, "deploy", "--digest", stage.image("second"), "--canary", "50", "--watch", "2")
        wait_for(lambda: "hit" in ask(instance, FAULTS)[0] or process.poll() is not None, "the canary's end")
        assert versions.read_live(stage.aws).is_split
        process.send_signal(signal.SIGINT)
        time.sleep(ARRIVE_S)
        ask(instance, FAULTS, [])
        _, errors = process.communicate(timeout=600)
    assert process.returncode == 130, errors
    assert not versions.read_live(stage.aws).is_split
    assert (lock.read(stage.aws)[0], stage.answer()) == (None, "first")


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


@pytest.mark.parametrize("change", ["rollback", "rollback to the served version", "deploy"])
def test_a_change_after_a_killed_canary_ends_it(stage: Staged, instance: Instance, change: str) -> None:
    """After kill -9 the split stays; a rollback ends it without going further back, and so does a deploy.

    Both print which canary they ended, and the ledger records it.
    """
    process = canary(stage)
    process.kill()
    process.communicate()
    before = versions.read_live(stage.aws)
    assert before.alias is not None
    (other,) = before.alias.shares
    words = {"rollback": ["rollback"], "deploy": ["deploy", "--digest", stage.image("third")]}
    done = run(stage.name, *words.get(change, ["rollback", before.version]))
    assert done.returncode == 0, done.stderr
    live = versions.read_live(stage.aws)
    assert (live.is_split, lock.read(stage.aws)[0]) == (False, None)
    if change != "deploy":
        assert (live.version, stage.answer()) == (before.version, "first")
        assert "previously" not in done.stdout
    ended = f"ended the canary of version {other} (50 % of the calls)"
    assert ended in done.stdout
    entries = ledger.read_entries(stage.aws, 1)
    assert entries is not None
    assert (entries[0].version, entries[0].note) == (live.version, ended)


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
