import pytest

from handler import settings
from handler.exceptions import SettingsError
from handler.redact import reason
from handler.settings import REQUIRED

COMPLETE = {name: f"https://example/{number}" for number, name in enumerate(REQUIRED)}


def test_every_missing_variable_is_named_at_once() -> None:
    """One error names all required variables that are missing or empty, and what to do; an answer has room for it."""
    with pytest.raises(SettingsError) as caught:
        settings.load({REQUIRED[0]: "  "})
    told = reason(caught.value, quotable=True)
    assert all(name in told for name in REQUIRED)
    assert "make config" in told


def test_wrong_values_are_named_beside_missing_ones() -> None:
    """What is wrong is told together with what is missing, each with what was expected."""
    with pytest.raises(SettingsError) as caught:
        settings.load({"LOG_LEVEL": "loud", "PLEXUS_LEASE_SECONDS": "nan", REQUIRED[1]: "x", REQUIRED[2]: "y"})
    assert REQUIRED[0] in str(caught.value)
    assert REQUIRED[1] not in str(caught.value)
    assert "'LOUD', expected one of DEBUG" in str(caught.value)
    assert "'nan', expected a number from 1 to 900" in str(caught.value)


def test_only_the_required_variables_are_needed() -> None:
    """With the three required variables the rest has defaults, the cache below /tmp."""
    loaded = settings.load(COMPLETE)
    assert (loaded.lease, loaded.clock_skew, loaded.concurrency) == (60, 30, 10)
    assert loaded.cache_dir.parts == ("/", "tmp", "scorecards")
    assert loaded.dead_letter_queue_url is None


def test_how_long_a_poll_waits_is_a_setting() -> None:
    """A manual poll waits 10 s, or what the variable says up to SQS's 20; more is refused by name."""
    assert settings.load(COMPLETE).poll == 10
    assert settings.load({**COMPLETE, "PLEXUS_POLL_SECONDS": "1"}).poll == 1
    with pytest.raises(SettingsError, match=r"PLEXUS_POLL_SECONDS is '21', expected a number from 0 to 20"):
        settings.load({**COMPLETE, "PLEXUS_POLL_SECONDS": "21"})
