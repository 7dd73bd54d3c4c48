"""Events at the emulator's path."""

from local_aws.emulator import no_json


def test_an_event_nested_without_end_is_refused_as_any_other_that_is_no_json() -> None:
    """What no JSON reader takes is told, and the caller is not left without an answer."""
    assert "recursion" in str(no_json(b"[" * 100_000))
    assert no_json(b'{"check": 1}') is None
