"""Every error that the library raises on purpose; all derive from PlexusError."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.problems import Problem


class PlexusError(Exception):
    """The root of all errors here; `transient` says whether trying again later can help.

    `origin` is set where a score fails because of another: the name of the one that failed first, and why.
    """

    transient = False
    origin: tuple[str, str] | None = None


class InvalidScorecard(PlexusError):
    """A scorecard's YAML cannot be used; `problems` holds every reason with its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnknownScore(PlexusError):
    """The scorecard has no score of that name, key or id."""


class DisabledScore(PlexusError):
    """The score, or one that it depends on, is disabled."""


class NotApplicable(PlexusError):
    """A condition on a dependency is not met, so the score does not apply to the item."""


class ItemWithoutText(PlexusError):
    """The item has no text to score."""


class ScoringFailed(PlexusError):
    """A processor, a provider, a parser or a validation failed: there is no value."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class DeadlineExceeded(ScoringFailed):
    """The context's deadline passed before the score had its value."""

    def __init__(self, message: str) -> None:
        super().__init__(message, transient=True)


class BudgetExceeded(ScoringFailed):
    """The next call to a model would pass the score's budget."""


class CassetteMiss(ScoringFailed):
    """A replayed model was asked something that its cassette does not hold."""


class UnsafeCode(ScoringFailed):
    """Logical code in a scorecard uses more than the restricted language allows, or ran out of its limits."""


class ArtifactMissing(PlexusError):
    """An artifact is not where the scorecard says, or the score names none."""


class InvalidArtifact(PlexusError):
    """An artifact's content does not have the digest, format or library version that it must have."""


class InvalidData(PlexusError):
    """A file of items or labels cannot be used."""


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """An OSError from here names the place: a full disk itself does not say which file it was."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(place)
        raise
