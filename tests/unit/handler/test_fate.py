import inspect

import pytest

from handler import exceptions as ours
from handler import fate
from handler.fate import JobFate, MessageFate
from plexus import exceptions as plexus

NOT_PER_JOB = {ours.HandlerError, ours.SettingsError, ours.InvalidEvent}  # they end the invocation instead
OWN = [
    error
    for error in vars(ours).values()
    if inspect.isclass(error) and issubclass(error, ours.HandlerError) and error not in NOT_PER_JOB
]
ENGINE = [error for error in vars(plexus).values() if inspect.isclass(error) and issubclass(error, plexus.PlexusError)]


def instance(error: type[BaseException]) -> BaseException:
    """An instance, without knowing its arguments."""
    return error.__new__(error)


@pytest.mark.parametrize("error", OWN, ids=lambda error: error.__name__)
def test_each_of_our_errors_has_a_row_of_its_own(error: type[BaseException]) -> None:
    """No error of the worker falls into the last row."""
    assert fate.of(instance(error)) is not fate.TABLE[-1]


@pytest.mark.parametrize("error", ENGINE, ids=lambda error: error.__name__)
def test_each_error_of_the_engine_has_a_row(error: type[BaseException]) -> None:
    """An engine's error is quotable and has a fate of its own kind."""
    assert fate.of(instance(error)).quotable


def test_an_unknown_error_is_tried_again_and_not_quoted() -> None:
    """What nobody foresaw counts as a failure of a provider, and its message stays untold."""
    row = fate.of(ZeroDivisionError("text"))
    assert (row.job, row.message, row.quotable) == (JobFate.PENDING, MessageFate.RETRIED, False)


def test_a_job_fails_at_once_only_where_its_message_goes() -> None:
    """FAILED is for good: such a row never leaves the message in the queue."""
    assert {row.message for row in fate.TABLE if row.job is JobFate.FAILED} == {MessageFate.CONSUMED}
