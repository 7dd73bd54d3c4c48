"""Every error that the library raises deliberately. All derive from PlexusError."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.problems import Problem
    from plexus.usage import Usage


class PlexusError(Exception):
    """The root of the library's errors.

    `transient` is true if the same call may succeed later: a timeout, throttling, a provider's own failure. `origin`
    is set if the score failed because a dependency failed: the name of the score that failed first, and its message.
    `spent` is set if models were called before the failure: their usage and its cost (None if unknown). `trace` is set
    if the context keeps exchanges: the nodes of the graph that failed, as in a result.
    """

    transient = False
    origin: tuple[str, str] | None = None
    spent: tuple[Usage, Decimal | None] | None = None
    trace: Mapping[str, object] | None = None


class InvalidScorecard(PlexusError):
    """Raised when a scorecard's YAML does not load; `problems` lists every reason with its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InvalidScorecard], tuple[tuple[Problem, ...]]]:
        """Pickle the problems, of which the message is made."""
        return InvalidScorecard, (self.problems,)


class UnknownScore(PlexusError):
    """Raised when the scorecard has no score with the requested name, key or id."""


class DisabledScore(PlexusError):
    """Raised when the score, or a score it depends on, is disabled."""


class NotApplicable(PlexusError):
    """Raised when a condition on a dependency is not met: the score does not apply to this item."""


class ItemWithoutText(PlexusError):
    """Raised when the item's text is missing or blank."""


class ScoringFailed(PlexusError):
    """Raised when a processor, a provider, a parser or a validation failed and there is no value."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class DeadlineExceeded(ScoringFailed):
    """Raised when the context's deadline passed before the score had a value. Always transient."""

    def __init__(self, message: str) -> None:
        super().__init__(message, transient=True)


class BudgetExceeded(ScoringFailed):
    """Raised before a call to a model that the score's budget no longer covers."""


class CassetteMiss(ScoringFailed):
    """Raised when a replayed model receives a request that its cassette does not contain."""


class UnsafeCode(ScoringFailed):
    """Raised when an expression or a template leaves the restricted language."""


class LimitExceeded(ScoringFailed):
    """Raised when a text or a value is too long, or takes more work or memory than a score may use."""


class ProcessorFailed(ScoringFailed):
    """Raised when a processor fails, or the processors leave no text: the same item fails again."""


class ScoreEnded(ScoringFailed):
    """Raised when the process that computed a score was ended: by its limit of memory or time, or by a crash."""


FAILS_AGAIN = (UnsafeCode, LimitExceeded, BudgetExceeded, CassetteMiss, ProcessorFailed)
"""Failures of a score that the same scorecard and item cause again: a retry would only repeat their work and cost."""


class ArtifactMissing(PlexusError):
    """Raised when an artifact is not in the store, no store is configured, or the score names no artifact."""


class InvalidArtifact(PlexusError):
    """Raised when an artifact's content does not match its digest, or has an unsupported format or version."""


class InvalidData(PlexusError):
    """Raised when a file of items or labels cannot be used."""


class MissingDependency(PlexusError):
    """Raised when an optional dependency is not installed; the message names the extra that installs it."""


@contextmanager
def attach_filename(path: Path) -> Iterator[None]:
    """Set the file name of an OSError raised inside the block, unless it has one.

    A write to a full disk fails without naming the file that was being written. An error without an `errno`, as
    libraries raise it, keeps its own message, which a file name would replace.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = error.filename or str(path)
        raise


@contextmanager
def require_extra(extra: str, purpose: str) -> Iterator[None]:
    """Replace an ImportError inside the block by MissingDependency with the command that installs the extra.

    `purpose` names what needs it, such as `SVMClassifier`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "plexus":
            raise  # a fault of this package is not a missing extra
        raise _create_missing(extra, purpose, str(error.name)) from None


def require_packages(extra: str, purpose: str, *modules: str) -> None:
    """Raise MissingDependency, as `require_extra` does, if one of an extra's top-level modules is not installed.

    Nothing is imported: this comes before work whose own imports are late or in another process.
    """
    for module in modules:
        if find_spec(module) is None:
            raise _create_missing(extra, purpose, module)


def _create_missing(extra: str, purpose: str, package: str) -> MissingDependency:
    return MissingDependency(
        f"{purpose} needs the package {package!r}, which is not installed. next: pip install 'score-processor[{extra}]'"
    )
