import pytest

from plexus import backoff


@pytest.mark.parametrize(("attempt", "longest"), [(0, 5.0), (1, 5.0), (2, 10.0), (3, 20.0), (8, 640.0), (9, 900.0)])
def test_a_pause_doubles_with_each_attempt(attempt: int, longest: float) -> None:
    """The pause doubles from its base up to 15 minutes, and is at least half of that."""
    assert backoff.pause(attempt, 5.0, uniform=min) == longest / 2
    assert backoff.pause(attempt, 5.0, uniform=max) == longest


def test_a_pause_of_any_attempt_is_a_number() -> None:
    """A receive count of any size does not overflow."""
    assert 450 <= backoff.pause(10**9, 5.0) <= 900
