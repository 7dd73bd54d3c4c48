"""Events at the emulator's path."""

from local_aws.emulator import find_json_problem


def test_an_event_nested_without_end_is_refused_as_any_other_that_is_no_json() -> None:
    """An event that no JSON parser accepts is reported, and the caller gets a response."""
    assert "recursion" in str(find_json_problem(b"[" * 100_000))
    assert find_json_problem(b'{"check": 1}') is None
