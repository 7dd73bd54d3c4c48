import inspect

import pytest

from handler import error_policy
from handler import exceptions as ours
from handler.error_policy import JobEffect, MessageEffect
from plexus import exceptions as plexus

NOT_PER_JOB = {
    ours.HandlerError,
    ours.SettingsError,
    ours.InvalidEvent,
    ours.UnknownEvent,
}  # they end the invocation instead
OWN = [
    error
    for error in vars(ours).values()
    if inspect.isclass(error) and issubclass(error, ours.HandlerError) and error not in NOT_PER_JOB
]
ENGINE = [error for error in vars(plexus).values() if inspect.isclass(error) and issubclass(error, plexus.PlexusError)]


def instance(error: type[BaseException]) -> BaseException:
    """Return an instance, created without arguments."""
    return error.__new__(error)


@pytest.mark.parametrize("error", OWN, ids=lambda error: error.__name__)
def test_each_error_of_the_worker_has_a_policy_of_its_own(error: type[BaseException]) -> None:
    """No error of the worker is handled by the last policy."""
    assert error_policy.find_policy(instance(error)) is not error_policy.POLICIES[-1]


@pytest.mark.parametrize("error", ENGINE, ids=lambda error: error.__name__)
def test_each_error_of_the_engine_has_a_policy(error: type[BaseException]) -> None:
    """An error of the engine is quotable, so it is not handled by the last policy."""
    assert error_policy.find_policy(instance(error)).quotable


def test_an_unexpected_error_is_retried_and_not_quoted() -> None:
    """An error of another package is retried, and its message is not stored."""
    row = error_policy.find_policy(ZeroDivisionError("text"))
    assert (row.job, row.message, row.quotable) == (JobEffect.PENDING, MessageEffect.RETRIED, False)


def test_a_job_that_fails_permanently_leaves_no_message() -> None:
    """Every policy that sets a job to FAILED consumes or dead-letters the message."""
    ends = {row.message for row in error_policy.POLICIES if row.job is JobEffect.FAILED}
    assert ends == {MessageEffect.CONSUMED, MessageEffect.DEAD_LETTERED}
