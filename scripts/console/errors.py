"""The errors and exit codes of every command. An error is printed as a message, never as a traceback."""

from __future__ import annotations

DONE, FAILED, MISUSED, FOUND, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: success; failure; wrong usage; a check that ran and found a problem; Ctrl-C, SIGTERM or SIGHUP."""


class OperationFailed(Exception):
    """Raised if a command cannot do what it was asked to; the root of every error that is printed as one message.

    `problem` names what failed and where, with what was found and expected; `remedy` is the next step.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  next: {self.remedy}" if self.remedy else self.problem


class InvalidStage(OperationFailed):
    """Raised if a stage is unknown, or its file is invalid."""


class NotRunning(OperationFailed):
    """Raised if the stage's services do not respond."""


class TooSlow(OperationFailed):
    """Raised if the stage's services take a request and do not answer in time: it may have taken effect."""


class NotFound(OperationFailed):
    """Raised if a resource that the stage file names does not exist."""


class Refused(OperationFailed):
    """Raised if a rule of the stage forbids the operation, or its confirmation was declined."""


class Conflict(OperationFailed):
    """Raised if another process is changing, or has just changed, the same resource."""


class RegistryFailed(OperationFailed):
    """Raised if the registry refuses a request, keeps failing, or holds other bytes than expected."""
