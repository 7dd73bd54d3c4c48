import pytest

from handler import settings
from handler.exceptions import SettingsError
from handler.redact import describe_error
from handler.settings import REQUIRED

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
    assert (loaded.lease, loaded.clock_skew, loaded.concurrency) == (60, 30, 10)
    assert loaded.cache_dir.parts == ("/", "tmp", "scorecards")
    assert loaded.dead_letter_queue_url is None


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


def test_tracing_is_off_unless_it_is_allowed() -> None:
    """Tracing variables take effect only if the setting is `true`; anything but `true` and `false` is reported."""
    name = "PLEXUS_EXTERNAL_TRACING"
    assert [settings.load(COMPLETE | {name: text}).external_tracing for text in ("", "false", "True")] == [0, 0, 1]
    with pytest.raises(SettingsError, match=f"{name} is 'yes', expected true or false"):
        settings.load(COMPLETE | {name: "yes"})
