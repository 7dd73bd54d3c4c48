"""What a command can fail with: messages for people, never tracebacks."""

from __future__ import annotations


class OperationFailed(Exception):
    """When a command cannot do what it was asked to: the root of every error that is told in one message.

    `problem` says what happened and where, `remedy` what to do next.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  next: {self.remedy}" if self.remedy else self.problem


class InvalidStage(OperationFailed):
    """When a stage is not known, or its file does not say what a stage file must."""


class NotRunning(OperationFailed):
    """When nothing answers where the stage's services should be."""


class NotFound(OperationFailed):
    """When a resource that the stage file names does not exist."""


class Refused(OperationFailed):
    """When a rule of the stage forbids the act, or the person asked did not agree."""


class Conflict(OperationFailed):
    """When somebody else is changing, or has just changed, the same thing."""


class PushFailed(OperationFailed):
    """When the registry does not take the image, or would hold another one than was built."""
