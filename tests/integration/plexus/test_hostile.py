"""Every hostile case ends in a clear failure, within its memory and its work."""

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plexus.limits import CHECK_EVERY, EVALUATION_WORK
from tests.integration.plexus.hostile import CPU_SECONDS, cases

ROOT = Path(__file__).resolve().parents[3]
CASES = sorted(cases())


@functools.cache
def outcomes() -> dict[str, dict[str, Any]]:
    """Return the outcome of every case by its name; they run one after the other, each in a fork of one process."""
    command = [sys.executable, "-m", "tests.integration.plexus.hostile"]
    limit = CPU_SECONDS * len(CASES)
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=limit)
    return {outcome["name"]: outcome for outcome in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_case_fails_clearly(name: str) -> None:
    """The failure is the library's, names a limit or a rule, and quotes no value; it is no MemoryError and no kill."""
    outcome = outcomes()[name]
    assert outcome["error"] in ("UnsafeCode", "LimitExceeded", "ScoringFailed", "DeadlineExceeded"), outcome
    assert outcome["message"]
    assert not any(value in outcome["message"] for value in ("w001 ", "aaaa", "\ufdfa", "999999999999999999 "))


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_case_stays_within_its_memory(name: str) -> None:
    """The process grows by less than the case's limit, which its address space enforces, too."""
    outcome = outcomes()[name]
    assert outcome["growth"] < outcome["limit"], outcome


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("card:")])
def test_a_hostile_case_looks_at_the_deadline(name: str) -> None:
    """The work between two checks of the deadline costs less than a whole evaluation may."""
    outcome = outcomes()[name]
    done = min(outcome["work"], EVALUATION_WORK)
    assert outcome["checks"] >= min(1, done // CHECK_EVERY), outcome


def test_the_corpus_is_large() -> None:
    """There are at least forty cases, of all three kinds."""
    assert len(CASES) >= 80
    assert {name.split(":")[0] for name in CASES} == {"expression", "template", "card"}
