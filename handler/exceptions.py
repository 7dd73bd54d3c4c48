"""What can go wrong in the worker; `fate.py` says what follows from each."""


class HandlerError(Exception):
    """Root of this package's errors."""


class SettingsError(HandlerError):
    """The environment lacks variables, or holds wrong ones; names all of them at once."""


class InvalidMessage(HandlerError):
    """A message's body is not a request for a scoring job; no delivery of it can succeed."""


class InvalidEvent(HandlerError):
    """The event has the shape of a fan-out, but a field of it is missing or wrong."""


class UnknownJob(HandlerError):
    """No scoring job has the id that the message names."""


class UnknownStatus(HandlerError):
    """The scoring job's record has a status that nobody here writes; whoever wrote it has to say what it means."""


class OtherAccount(HandlerError):
    """The scoring job, or a record that it names, belongs to another account than this worker's."""


class IncompleteJob(HandlerError):
    """A record that the scoring job names is missing, or lacks what scoring needs."""


class JobLeased(HandlerError):
    """Another worker holds the scoring job's lease; `free_in` seconds from now it may be taken over."""

    def __init__(self, message: str, free_in: float):
        super().__init__(message)
        self.free_in = free_in


class LeaseLost(HandlerError):
    """The lease passed to another worker while this one was scoring; nothing was written."""


class Unavailable(HandlerError):
    """An AWS service throttled, failed or did not answer, after the client's own retries."""


class Misconfigured(HandlerError):
    """An AWS service refused a call for a reason that only an operator can remove (rights, a missing table)."""


class InvalidResult(HandlerError):
    """The engine returned something that cannot be stored as a result."""


class OutOfTime(HandlerError):
    """Too little of the invocation is left to score the job and record the outcome."""


class DamagedObject(HandlerError):
    """An object in S3 is missing, or its digest is not the one that its pointer states."""
