import re
from dataclasses import replace
from pathlib import Path

import pytest

from handler import settings
from handler.exceptions import SettingsError
from handler.redact import describe_error
from handler.settings import REQUIRED

ROOT = Path(__file__).resolve().parents[3]
COMPLETE = {name: f"https://example/{number}" for number, name in enumerate(REQUIRED)}


def test_all_missing_variables_are_reported_at_once() -> None:
    """One error names all missing or empty variables and the next step, within the length of a response's reason."""
    with pytest.raises(SettingsError) as caught:
        settings.load({REQUIRED[0]: "  "})
    line = describe_error(caught.value, quotable=True)
    assert all(name in line for name in REQUIRED)
    assert "make config" in line


def test_invalid_values_are_reported_with_missing_variables() -> None:
    """Invalid values are reported together with missing variables, each with what is expected."""
    with pytest.raises(SettingsError) as caught:
        settings.load({"LOG_LEVEL": "loud", "PLEXUS_LEASE_SECONDS": "nan", REQUIRED[1]: "x", REQUIRED[2]: "y"})
    assert REQUIRED[0] in str(caught.value)
    assert REQUIRED[1] not in str(caught.value)
    assert "'LOUD', expected one of DEBUG" in str(caught.value)
    assert "'nan', expected a number from 1 to 900" in str(caught.value)


def test_only_the_required_variables_are_needed() -> None:
    """With the three required variables, all others have defaults."""
    loaded = settings.load(COMPLETE)
    requests, responses, account = COMPLETE.values()
    assert loaded == settings.Settings(requests, responses, account)
    assert (loaded.lease, loaded.clock_skew, loaded.concurrency) == (60, 30, 10)
    assert loaded.cache_dir.parts == ("/", "tmp", "scorecards")
    assert loaded.dead_letter_queue_url is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (settings.DEAD_LETTER_QUEUE, "dead_letter_queue_url"),
        ("PLEXUS_ATTACHMENT_BUCKET", "attachment_bucket"),
        ("PLEXUS_ARTIFACT_BUCKET", "artifact_bucket"),
        ("SCORECARD_CACHE_DIR", "cache_dir"),
        ("environment", "environment"),
    ],
)
def test_a_text_has_the_value_of_its_variable(name: str, field: str) -> None:
    """A setting that is a text has its variable's value, and no other setting changes."""
    default, loaded = settings.load(COMPLETE), settings.load(COMPLETE | {name: "/given"})
    assert str(getattr(loaded, field)) == "/given"
    assert replace(loaded, **{field: getattr(default, field)}) == default


def test_the_wait_of_a_poll_is_a_setting() -> None:
    """A manual poll waits for 10 s or the value of its variable, at most SQS's 20 s."""
    assert settings.load(COMPLETE).poll == 10
    assert settings.load({**COMPLETE, "PLEXUS_POLL_SECONDS": "1"}).poll == 1
    with pytest.raises(SettingsError, match=r"PLEXUS_POLL_SECONDS is '21', expected a number from 0 to 20"):
        settings.load({**COMPLETE, "PLEXUS_POLL_SECONDS": "21"})


def test_records_are_kept_unless_a_period_is_set() -> None:
    """Without its variable no record expires; a period that is not a number from 0 to 3650 is reported."""
    name = "PLEXUS_EXPIRE_AFTER_DAYS"
    assert settings.load(COMPLETE).expire_after_days == 0
    assert settings.load(COMPLETE | {name: "90"}).expire_after_days == 90
    with pytest.raises(SettingsError, match=f"{name} is '-1', expected a number from 0 to 3650"):
        settings.load(COMPLETE | {name: "-1"})


@pytest.mark.parametrize(
    ("name", "field"),
    [("PLEXUS_EXTERNAL_TRACING", "external_tracing"), ("PLEXUS_ORIGINAL_METRICS", "original_metrics")],
)
def test_a_switch_is_off_unless_it_is_true(name: str, field: str) -> None:
    """A switch is on only if its variable is `true`, in any case; anything but `true` and `false` is reported."""
    assert [getattr(settings.load(COMPLETE | {name: text}), field) for text in ("", "false", "True")] == [0, 0, 1]
    with pytest.raises(SettingsError, match=f"{name} is 'yes', expected true or false"):
        settings.load(COMPLETE | {name: "yes"})


@pytest.mark.parametrize(
    ("name", "low", "high", "field"),
    [
        ("PLEXUS_LEASE_SECONDS", 1, 900, "lease"),
        ("PLEXUS_CLOCK_SKEW_SECONDS", 0, 300, "clock_skew"),
        ("PLEXUS_RETRY_BASE_SECONDS", 0, 900, "retry_base"),
        ("PLEXUS_RESERVE_SECONDS", 0, 300, "reserve"),
        ("PLEXUS_CONCURRENCY", 1, 10, "concurrency"),
        ("PLEXUS_CRASH_LIMIT", 1, 100, "crash_limit"),
        ("PLEXUS_EXPIRE_AFTER_DAYS", 0, 3650, "expire_after_days"),
        ("PLEXUS_POLL_SECONDS", 0, 20, "poll"),
    ],
)
def test_a_number_may_equal_its_limits_and_not_exceed_them(name: str, low: int, high: int, field: str) -> None:
    """Each number of the environment has the limits that its error states."""
    assert [getattr(settings.load(COMPLETE | {name: str(value)}), field) for value in (low, high)] == [low, high]
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=f"{name} is '{value}', expected a number from {low} to {high}"):
            settings.load(COMPLETE | {name: str(value)})


def test_texts_of_the_environment_are_stripped() -> None:
    """Every variable has its own field, white space around a value is not part of it, and a blank one is not set."""
    texts = {
        "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL": "dead_letter_queue_url",
        "PLEXUS_ARTIFACT_BUCKET": "artifact_bucket",
        "environment": "environment",
    }
    loaded = settings.load(COMPLETE | {name: f" {field} " for name, field in texts.items()})
    assert [getattr(loaded, field) for field in texts.values()] == list(texts.values())
    blank = settings.load(COMPLETE | dict.fromkeys(texts, " "))
    assert [getattr(blank, field) for field in texts.values()] == [None, None, "unknown"]
    assert settings.load(COMPLETE | {"LOG_LEVEL": "debug"}).log_level == "DEBUG"
    assert (loaded.request_queue_url, loaded.response_queue_url, loaded.account_key) == tuple(COMPLETE.values())


def test_the_page_lists_every_variable_with_its_limits() -> None:
    """docs/reference/worker.md has each variable that the worker reads, and the limits that it reports."""
    page = (ROOT / "docs/reference/worker.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \|([^|]*)\|([^|]*)\|[^|]+\|$", page, re.MULTILINE)
    known = set(
        re.findall(r'"((?:PLEXUS|SCORECARD|LOG)_[A-Z_]+)"', Path(settings.__file__).read_text(encoding="utf-8"))
    )
    assert {name for name, *_ in rows} == known - set(REQUIRED)
    for name, _, limits in rows:
        if match := re.fullmatch(r" (\d+) to (\d+) ", limits):
            with pytest.raises(
                SettingsError, match=f"{name} is '-1', expected a number from {match[1]} to {match[2]};"
            ):
                settings.load(COMPLETE | {name: "-1"})
