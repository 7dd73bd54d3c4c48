"""Scorecards: read from YAML, validated, and ready to score."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.exceptions import InvalidScorecard, UnknownScore
from plexus.problems import Finding, Position, Problem, suggest
from plexus.text import hash_value

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore, CardHead
    from plexus.configuration.common import Condition
    from plexus.configuration.processors import Processor
    from plexus.context import Context
    from plexus.document import Document
    from plexus.scores.scorer import Scorer
    from plexus.values import Item


@dataclass(frozen=True)
class Score:
    """One score of a scorecard.

    `index` is its place in the YAML, from 0. `processors` are the ones that apply to it: its own, otherwise the
    scorecard's. `configuration_hash` is the SHA-256 of all that decides its results, in hex.
    """

    name: str
    key: str | None
    id: str | None
    index: int
    configuration: AnyScore
    processors: tuple[Processor, ...]
    configuration_hash: str

    @property
    def depends_on(self) -> Mapping[str, Condition | None]:
        """Name of another score → condition on its value; None if that score only has to run first."""
        return self.configuration.depends_on


@dataclass(frozen=True, eq=False)
class Scorecard:
    """A loaded scorecard.

    It caches its compiled scorers and their models, so keep it as long as it is used. Safe for several threads.
    `folder` is where relative paths in the YAML start; None if it was loaded from a text alone.
    """

    name: str
    key: str
    id: str | None
    scores: tuple[Score, ...]
    document: Document
    folder: Path | None = None
    _scorers: dict[str, Scorer[Any]] = field(default_factory=dict, repr=False, compare=False)
    _processes: dict[str, Callable[[Item], Item]] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def __reduce__(self) -> tuple[type[Scorecard], tuple[object, ...]]:
        """Pickle the scorecard without what it caches, which another process makes for itself."""
        return Scorecard, (self.name, self.key, self.id, self.scores, self.document, self.folder)

    def find(self, name: str) -> Score:
        """Return the score with that name, else key, else id. Raises UnknownScore, with the nearest name."""
        for attribute in ("name", "key", "id"):
            for score in self.scores:
                if getattr(score, attribute) == name:
                    return score
        known = [score.name for score in self.scores]
        guess = suggest(name, known) or f"; it has: {', '.join(known)}"
        raise UnknownScore(f"the scorecard {self.key!r} has no score {name!r}{guess}")

    def create_scorer(self, score: Score, context: Context) -> Scorer[Any]:
        """Return the score's scorer, created on first use and cached.

        Creating it may import a library and load a model: raises MissingDependency, ArtifactMissing or
        InvalidArtifact, and tries again at the next call.
        """
        with self._lock:
            if score.name not in self._scorers:
                from plexus.scores import create_scorer

                context = replace(context, card=self.document.name)
                scorer = create_scorer(score.configuration, score.configuration_hash, context)
                self._scorers[score.name] = scorer
            return self._scorers[score.name]

    def process(self, score: Score) -> Callable[[Item], Item]:
        """Return what prepares the score's items as one function, created on first use and cached."""
        with self._lock:
            if score.name not in self._processes:
                from plexus import items, processors

                process = processors.create_chain(score.processors)
                preparation = score.configuration.item
                if preparation is not None and preparation.decode_metadata:
                    self._processes[score.name] = lambda item: process(items.decode_metadata(item))
                else:
                    self._processes[score.name] = process
            return self._processes[score.name]


def load(text: str, *, name: str = "scorecard.yaml", folder: Path | None = None) -> Scorecard:
    """Load a scorecard from YAML text. Raises InvalidScorecard with all problems at once; `name` is their file name.

    One score in the original Plexus's form becomes a scorecard of that score, see `plexus.original`.
    """
    from plexus import checks, document, original

    parsed = document.parse(text, name)
    if original.is_original(parsed.value):
        translation = original.translate(parsed)
        if translation.problems:
            raise InvalidScorecard(translation.problems)
        parsed = translation.document
    head, scores, findings = read_scores(parsed)
    findings += checks.find_problems(parsed.value, scores)
    # Warnings are for authors: the worker must keep scoring with a card that only has warnings.
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors or head is None:
        raise InvalidScorecard(locate_findings(parsed, errors))
    compiled = tuple(_create_score(head, index, scores[index]) for index in sorted(scores))
    return Scorecard(head.name, head.key, head.id, compiled, parsed, folder)


def load_file(path: Path | str) -> Scorecard:
    """Load a scorecard from a UTF-8 file; relative paths in it start at the file's folder. Raises InvalidScorecard."""
    path = Path(path)
    return load(read_text(path), name=str(path), folder=path.resolve().parent)


def read_text(path: Path) -> str:
    """Return the text of a scorecard's file. Raises InvalidScorecard if it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidScorecard([create_read_problem(path, error.strerror or str(error))]) from None
    except UnicodeDecodeError:
        raise InvalidScorecard([create_read_problem(path, "not UTF-8 text")]) from None


def read_scores(parsed: Document) -> tuple[CardHead | None, dict[int, AnyScore], list[Finding]]:
    """Validate the shape of a parsed scorecard.

    Returns its head (None if it is invalid), the valid scores by index, and the findings about everything else.
    """
    from plexus.configuration import validation

    if not isinstance(parsed.value, dict):
        return None, {}, [Finding((), "expected a map with the keys name, key and scores")]
    head, findings = validation.validate_head(parsed.value)
    listed = parsed.value.get("scores")
    if not isinstance(listed, list) or not listed:
        missing = "the required key 'scores' is missing" if listed is None else "expected a list of at least one score"
        return head, {}, [*findings, Finding(("scores",), missing)]
    scores = {}
    for index, value in enumerate(listed):
        model, score_findings = validation.validate_score(value, ("scores", index))
        findings += score_findings
        if model is not None:
            scores[index] = model
    return head, scores, findings


def locate_findings(parsed: Document, findings: list[Finding]) -> list[Problem]:
    """Return the findings with their line and column, each once, in the order of the file."""
    problems = [
        Problem(
            parsed.name,
            parsed.find_position(finding.path, on_key=finding.on_key),
            finding.message,
            finding.path,
            finding.severity,
            finding.rule,
        )
        for finding in findings
    ]
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.position)


def _create_score(head: CardHead, index: int, configuration: AnyScore) -> Score:
    own = [part.processors for part in (configuration.item, configuration.data) if part is not None]
    processors = next((listed for listed in own if listed is not None), head.processors)
    # Tests and descriptions do not change a result, so editing them must not look like another configuration. How a
    # model is trained, and how its labelled texts are read, shows in the digest of the artifact.
    unhashed: dict[str, bool | set[str]] = {
        "tests": True,
        "description": True,
        "data": {"encoding", "sheet", "header_row", "labels"},
    }
    unhashed["optimise"] = True
    content = configuration.model_dump(mode="json", by_alias=True, exclude=unhashed)
    content["processors"] = [processor.model_dump(mode="json", by_alias=True) for processor in processors]
    return Score(
        configuration.name,
        configuration.key,
        configuration.id,
        index,
        configuration,
        tuple(processors),
        hash_value(content),
    )


def create_read_problem(path: Path, reason: str) -> Problem:
    """Return the problem of a scorecard's file that cannot be read."""
    return Problem(str(path), Position(1, 1), f"cannot read the scorecard: {reason}", rule="yaml")
