"""Fault → the doctor's first line → its remedy, run literally → healthy: one row for each fault, on the local AWS."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from scripts.doctor import queue_checks
from scripts.doctor.diagnosis import diagnose
from scripts.doctor.finding import Finding
from scripts.release import configuration, deployment
from tests.e2e import faults_by_hand as by_hand
from tests.e2e import faults_of_releases, faults_of_resources, faults_of_rights
from tests.e2e.conftest import ROOT, wait_for
from tests.e2e.faults_of_resources import Row
from tests.e2e.staged import Staged, start_staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Yield the local stage with two deploys of working images, of which the second serves."""
    with start_staged("faults", tmp_path_factory.mktemp("images")) as result:
        for name in ("good", "better"):
            deployment.deploy(result.aws, by_hand.image(result, name), commit="1" * 40)
        configuration.configure(result.aws)
        yield result


def run(stage: Staged, line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of make."""
    words = line.split()
    return subprocess.run(
        words, cwd=ROOT, env=by_hand.environment(stage), capture_output=True, text=True, timeout=1200, check=False
    )


def problems(stage: Staged) -> list[Finding]:
    """Return the findings that are neither ok nor skipped, in the order in which the doctor prints them."""
    return [one for one in diagnose(stage.aws).findings if one.verdict in ("fail", "warn")]


# A deleted role is the last: the versions before it keep its name, so that no row may return to one of them.
ROWS = [*faults_of_resources.ROWS, *faults_of_releases.ROWS, *faults_of_rights.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_doctors_remedy_heals(stage: Staged, row: Row) -> None:
    """The doctor's first line is the fault's cause, and its remedy, run as printed, leaves nothing to report."""
    assert problems(stage) == []
    row.fault(stage)
    first, *others = problems(stage)
    output = [f"{one.verdict} {one.name}: {one.detail}: next: {one.remedy}" for one in (first, *others)]
    assert (first.name, first.verdict) == (row.check, row.verdict), output
    assert re.search(row.message, first.detail), output
    assert re.fullmatch(row.remedy, first.remedy), output
    done = run(stage, first.remedy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert problems(stage) == [], done.stdout + done.stderr
    if first.verdict == "fail":
        assert stage.answer() in ("good", "better"), done.stdout


def test_a_full_queue_is_found_until_its_messages_return(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue at the limit of messages in flight is a failure, and healthy again after the printed wait."""
    monkeypatch.setitem(queue_checks.IN_FLIGHT, "standard", by_hand.CALLS)
    assert problems(stage) == []
    by_hand.receive_and_keep(stage, seconds=5)
    (finding,) = problems(stage)
    assert (finding.name, finding.verdict) == ("queues", "fail")
    assert re.search("-response delivers no message: got 4 in flight, expected fewer than 4$", finding.detail)
    assert "wait for their visibility timeout, then run make doctor again" in finding.remedy
    wait_for(lambda: problems(stage) == [], "the messages to return")
