"""A scorecard that has been read, validated and made ready to score."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus import text as texts
from plexus.exceptions import InvalidScorecard, UnknownScore
from plexus.problems import Finding, Problem, nearest

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.document import Document
    from plexus.processors.step import Process
    from plexus.scores.base import Scorer


@dataclass(frozen=True)
class Score:
    """One score of a scorecard: its validated configuration and where it stands in the YAML."""

    name: str
    key: str | None
    id: str | None
    index: int
    configuration: Any
    processors: tuple[Any, ...]
    configuration_hash: str

    @property
    def depends_on(self) -> Mapping[str, Any]:
        """Name of another score → condition on its value, None when it only has to come first."""
        found: Mapping[str, Any] = self.configuration.depends_on
        return found


@dataclass(frozen=True)
class Scorecard:
    """Made by `load`. Scorers are made on first use and kept, so keep the scorecard for as long as it is used."""

    name: str
    key: str
    id: str | None
    scores: tuple[Score, ...]
    document: Document
    folder: Path | None = None
    _scorers: dict[str, Scorer[Any]] = field(default_factory=dict, repr=False, compare=False)
    _processes: dict[str, Process] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def find(self, name: str) -> Score:
        """The score with that name, key or id. Raises UnknownScore."""
        for attribute in ("name", "key", "id"):
            for score in self.scores:
                if getattr(score, attribute) == name:
                    return score
        known = [score.name for score in self.scores]
        guess = nearest(name, known) or f"; it has: {', '.join(known)}"
        raise UnknownScore(f"the scorecard {self.key!r} has no score {name!r}{guess}")

    def scorer(self, score: Score, context: Context) -> Scorer[Any]:
        """The score's scorer, made once; the first call may import a library and load a model."""
        with self._lock:
            if score.name not in self._scorers:
                from plexus import registry

                made = registry.scorer(score.configuration, score.configuration_hash, context)
                self._scorers[score.name] = made
            return self._scorers[score.name]

    def process(self, score: Score) -> Process:
        """The score's processors as one function."""
        with self._lock:
            if score.name not in self._processes:
                from plexus import processors

                self._processes[score.name] = processors.chain(score.processors)
            return self._processes[score.name]


def load(text: str, *, name: str = "scorecard.yaml", folder: Path | None = None) -> Scorecard:
    """Raises InvalidScorecard with all problems at once; `name` is what they call the file."""
    from plexus import checks, document

    parsed = document.parse(text, name)
    head, scores, findings = read(parsed)
    findings += checks.findings(parsed.value, scores)
    errors = [each for each in findings if each.severity == "error"]
    if errors or head is None:
        raise InvalidScorecard(problems(parsed, errors))
    made = tuple(_score(head, index, scores[index]) for index in sorted(scores))
    return Scorecard(head.name, head.key, head.id, made, parsed, folder)


def load_file(path: Path | str) -> Scorecard:
    """Like `load`; relative paths in the YAML start at the file's folder."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidScorecard([_unreadable(path, error.strerror or str(error))]) from None
    except UnicodeDecodeError:
        raise InvalidScorecard([_unreadable(path, "not UTF-8 text")]) from None
    return load(text, name=str(path), folder=path.resolve().parent)


def read(parsed: Document) -> tuple[Any, dict[int, Any], list[Finding]]:
    """The head, the scores that are valid by their index, and what is wrong with the others."""
    from plexus.configuration import validation

    if not isinstance(parsed.value, dict):
        return None, {}, [Finding((), "expected a map with the keys name, key and scores")]
    head, findings = validation.head(parsed.value)
    listed = parsed.value.get("scores")
    if not isinstance(listed, list) or not listed:
        missing = "the required key 'scores' is missing" if listed is None else "expected a list of at least one score"
        return head, {}, [*findings, Finding(("scores",), missing)]
    scores = {}
    for index, value in enumerate(listed):
        model, found = validation.score(value, ("scores", index))
        findings += found
        if model is not None:
            scores[index] = model
    return head, scores, findings


def problems(parsed: Document, findings: list[Finding]) -> list[Problem]:
    """Findings with their places, in the order of the file."""
    made = [
        Problem(
            parsed.name,
            parsed.position(each.path, on_key=each.on_key),
            each.message,
            each.path,
            each.severity,
            each.rule,
        )
        for each in findings
    ]
    return sorted(dict.fromkeys(made), key=lambda problem: problem.position)


def _score(head: Any, index: int, configuration: Any) -> Score:
    own = [part.processors for part in (configuration.item, configuration.data) if part is not None]
    chosen = next((processors for processors in own if processors is not None), head.processors)
    content = configuration.model_dump(mode="json", by_alias=True, exclude={"tests", "description"})
    content["processors"] = [each.model_dump(mode="json", by_alias=True) for each in chosen]
    return Score(
        configuration.name,
        configuration.key,
        configuration.id,
        index,
        configuration,
        tuple(chosen),
        texts.digest(content),
    )


def _unreadable(path: Path, why: str) -> Problem:
    from plexus.problems import Position

    return Problem(str(path), Position(1, 1), f"cannot read the scorecard: {why}")
