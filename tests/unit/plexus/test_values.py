"""Results: both ways to create one are equal."""

from copy import deepcopy
from dataclasses import FrozenInstanceError, replace

import pytest

from plexus import values
from plexus.values import Result

QUICK = values.create_result("Yes", "Found “x”.", 0.5, {"matches": [[0, 1]]}, "abc")
PLAIN = Result("Yes", "Found “x”.", 0.5, trace={"matches": [[0, 1]]}, configuration_hash="abc")


def test_a_result_made_for_a_batch_is_a_result() -> None:
    """`create_result` equals, prints and copies as `Result(...)` does."""
    assert type(QUICK) is Result
    assert (QUICK, repr(QUICK), QUICK.as_dict()) == (PLAIN, repr(PLAIN), PLAIN.as_dict())
    assert deepcopy(QUICK) == PLAIN
    assert replace(QUICK, value="No") == replace(PLAIN, value="No")


def test_a_result_made_for_a_batch_is_sealed() -> None:
    """A result is immutable, however it was created."""
    with pytest.raises(FrozenInstanceError):
        QUICK.value = "No"  # type: ignore[misc]  # what is tried
