"""Figures that a reader takes for exact: the age of a measured message, and the duration of the demo."""

import time

import pytest

from scripts.demo.command import BEGAN, read_start
from scripts.status import format_age


def test_an_age_names_the_minute_that_it_was_measured_in() -> None:
    """CloudWatch measures each minute, so that an age is printed with its time."""
    assert format_age(7.0, "2026-12-01T10:59Z") == ", oldest 7.0 s as of 10:59 UTC"


def test_the_demo_counts_the_time_since_make_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """The downloads and the environment that `make demo` prepares before its first step belong to its duration."""
    monkeypatch.setenv(BEGAN, "1700000000")
    assert read_start() == 1_700_000_000
    for value in ("", "tomorrow"):
        monkeypatch.setenv(BEGAN, value)
        before = time.time()
        assert before <= read_start() <= time.time()
