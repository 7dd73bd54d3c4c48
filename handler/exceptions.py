"""The worker's errors; `error_policy.py` defines what is done for each."""


class HandlerError(Exception):
    """Root of the errors that this package raises on purpose. Their messages may be logged and stored."""


class SettingsError(HandlerError):
    """Environment variables are missing or invalid; the message names all of them."""


class InvalidMessage(HandlerError):
    """A message's body does not name a scoring job, so that no delivery of it can succeed."""


class InvalidEvent(HandlerError):
    """An SQS or fan-out event has a missing or invalid field."""


class UnknownEvent(HandlerError):
    """The invocation's event has none of the shapes that the function accepts."""


class UnknownJob(HandlerError):
    """No scoring job has the id that the message names."""


class UnknownStatus(HandlerError):
    """The scoring job has a status that this version of the worker does not define."""


class OtherAccount(HandlerError):
    """The scoring job belongs to an account other than the worker's, or its record names none."""


class ForeignRecord(HandlerError):
    """A record that the scoring job names belongs to an account other than the job's."""


class ForeignResult(HandlerError):
    """A result with the scoring job's id exists, and was made for another item, score or account."""


class IncompleteJob(HandlerError):
    """A record that the scoring job names does not exist, or has no value in a field that scoring needs."""


class JobLeased(HandlerError):
    """Another worker has leased the scoring job; the lease may be taken over in `free_in` seconds."""

    def __init__(self, message: str, free_in: float):
        super().__init__(message)
        self.free_in = free_in


class AlreadyFailed(HandlerError):
    """The scoring job is FAILED, and the worker that failed it may have ended before it sent the dead letter."""


class EndedProcesses(HandlerError):
    """Several workers claimed the scoring job, and the process of each ended before it recorded an outcome."""


class LastReceive(HandlerError):
    """The scoring job may end its process, and SQS will not deliver its message again."""


class LeaseLost(HandlerError):
    """The lease passed to another worker while this one was scoring; nothing was written."""


class Unavailable(HandlerError):
    """An AWS service throttled, failed or did not answer, even after the client's own retries."""


class Misconfigured(HandlerError):
    """An AWS service refused a call for a reason that only an operator can remove: permissions, a missing table."""


class InvalidResult(HandlerError):
    """The engine returned something that cannot be stored as a result."""


class OutOfTime(HandlerError):
    """Too little of the invocation is left to score the job and to record the outcome."""


class DamagedObject(HandlerError):
    """An S3 object's digest differs from the one in the record that refers to it, or that record is malformed."""
