"""Lint a scorecard: every problem with its line, without calling a provider."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plexus import checks, document, original, scorecard
from plexus.artifacts import FolderArtifacts
from plexus.artifacts.manifest import is_digest
from plexus.exceptions import InvalidData, InvalidScorecard, MissingDependency, PlexusError
from plexus.lint import metadata, outputs, reach, requests, results, slips, trials
from plexus.lint.hidden_problems import find_hidden, list_doubtful
from plexus.problems import Finding, KeyPath, Problem

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore
    from plexus.configuration.common import Data


_MOST_LABELS = 5  # labels


@dataclass(frozen=True)
class LintRule:
    """`statement` is what a scorecard must satisfy; `severity` is "error" (it does not load) or "warning"."""

    name: str
    severity: str
    statement: str


RULES = (
    LintRule(
        "yaml", "error", "The file is YAML 1.2 of at most 1 MiB, without duplicate keys, foreign tags or alias bombs."
    ),
    LintRule("schema", "error", "Keys, classes and values are among those that `plexus schema` prints."),
    LintRule("duplicate", "error", "Names, keys and ids of scores are unique."),
    LintRule("dependency", "error", "`depends_on` names other scores of the scorecard."),
    LintRule("cycle", "error", "Dependencies between scores have no cycle."),
    LintRule("impossible-value", "error", "A condition or a test expects a value that the score can give."),
    LintRule("uncertain", "warning", "The value below `minimum_confidence` passes the score's own `validation`."),
    LintRule("needs-disabled", "warning", "An enabled score depends on enabled scores only."),
    LintRule("unused", "warning", "A disabled score is a dependency of another score."),
    LintRule("pattern", "error", "Patterns are regular expressions in RE2's syntax."),
    LintRule("source", "error", "Templates and expressions parse."),
    LintRule("graph", "error", "Node names are unique, and every edge leads to an existing node or to END."),
    LintRule("no-model", "error", "A node that calls a model names it, or its score does."),
    LintRule("provider", "error", "The provider's name is not a misspelling of a known one."),
    LintRule("strange-provider", "warning", "The provider is known, or its package is installed."),
    LintRule("unreachable-node", "error", "Every node can be reached."),
    LintRule("endless", "error", "From every node, END can be reached."),
    LintRule("impossible-class", "error", "A condition expects a class that its node can return."),
    LintRule(
        "colliding-classes", "error", "A reply can tell the classes of a Classifier apart: `NA` and `N/A` are one."
    ),
    LintRule("unreachable-condition", "error", "Earlier conditions leave a later condition something to match."),
    LintRule("undefined", "error", "Names in templates and expressions are defined by an earlier node."),
    LintRule("unknown-result", "error", "Expressions and tests use results of scores listed in `depends_on` only."),
    LintRule("sometimes-undefined", "warning", "Names in templates and expressions are defined on every path to them."),
    LintRule("no-value", "error", "The score's `output`, or an edge to END, sets `value`."),
    LintRule("output-twice", "warning", "An edge does not set an alias that its node's own `output` sets."),
    LintRule("original", "error", "A score in the original Plexus's form has no part without a counterpart here."),
    LintRule("near-miss", "warning", "A literal in an `output` is not a misspelled field name."),
    LintRule(
        "unknown-field", "error", "A word in an `output` is a field, or a value that is named (`plexus lint` only)."
    ),
    LintRule("absent-metadata", "warning", "Fields that an item may not have are guarded (`plexus lint` only)."),
    LintRule("absent-result", "warning", "Results of scores that may be skipped are guarded (`plexus lint` only)."),
    LintRule("refused-parameter", "error", "A model accepts the parameters of its requests (`plexus lint` only)."),
    LintRule(
        "never-reached", "warning", "Some text reaches every node and meets every condition (`plexus lint` only)."
    ),
    LintRule("always-fails", "warning", "A score does not fail for every text (`plexus lint` only)."),
    LintRule("empty-message", "error", "A node has something to ask (`plexus lint` only)."),
    LintRule("long-prompt", "warning", "A prompt is shorter than the model's window (`plexus lint` only)."),
    LintRule(
        "constant-prompt", "warning", "A prompt of the score has a variable, such as the text (`plexus lint` only)."
    ),
    LintRule("unknown-model", "warning", "The model's name is not a misspelling of a known one (`plexus lint` only)."),
    LintRule(
        "impossible-result", "warning", "A result is compared with values that its score can give (`plexus lint` only)."
    ),
    LintRule("equal-values", "warning", "Values of a KeywordClassifier differ by more than case (`plexus lint` only)."),
    LintRule("literal-pattern", "warning", "No keyword is written as a regular expression (`plexus lint` only)."),
    LintRule("rejected-label", "warning", "`valid_classes` have every label to train on (`plexus lint` only)."),
    LintRule("missing-file", "error", "Labelled texts and cassettes exist beside the scorecard (`plexus lint` only)."),
    LintRule("data", "error", "Labelled texts can be read, and have the named columns (`plexus lint` only)."),
    LintRule("missing-artifact", "error", "Artifacts are in the store (`plexus lint --store` only)."),
    LintRule("untrained", "warning", "A trained score names an artifact, or texts to train on (`plexus lint` only)."),
)
BY_NAME = {rule.name: rule for rule in RULES}


def lint(
    text: str, *, name: str = "scorecard.yaml", folder: Path | None = None, store: Path | None = None
) -> list[Problem]:
    """Return every problem of a scorecard's YAML text, errors and warnings, in the order of the file.

    With `folder`, files that the scorecard names must exist there; with `store`, its artifacts must exist in that
    folder of artifacts. `name` is what the problems call the file. Raises nothing for an invalid scorecard.
    """
    unread: list[Problem] = []
    try:
        parsed = document.parse(text, name, unread)
    except InvalidScorecard as error:
        return [replace(problem, rule="yaml") for problem in error.problems]
    problems: list[Problem] = []
    doubtful: set[int] = set()
    if original.is_original(parsed.value):
        translation = original.translate(parsed)
        problems = translation.problems
        doubtful = list_doubtful(problem.path for problem in problems)
        parsed = translation.document
    _, scores, findings = scorecard.read_scores(parsed)
    if problems:  # a score class without a counterpart is one of them
        findings = [finding for finding in findings if not finding.message.startswith("unknown class")]

    def check(models: Mapping[int, AnyScore]) -> list[Finding]:
        return [*checks.find_problems(parsed.value, models), *find_doubts(models)]

    sure = {index: model for index, model in scores.items() if index not in doubtful}
    findings += [*check(sure), *find_hidden(parsed.value, sure, doubtful, check)]
    # A text alone has no folder in which files could be missing.
    if folder is not None:
        findings += [*check_files(scores, folder, store), *_check_hidden_files(parsed.value, scores, folder)]
    located = [*problems, *scorecard.locate_findings(parsed, findings)]
    # An unreadable value is null here, of which more would be found.
    lines = {problem.position.line for problem in unread}
    located = [problem for problem in located if problem.position.line not in lines]
    located += [replace(problem, rule="yaml") for problem in unread]
    return sorted(located, key=lambda problem: problem.position)


def lint_file(path: Path, store: Path | None = None) -> list[Problem]:
    """Return every problem of a scorecard file, as `lint` does; an unreadable file is a problem too.

    `-` is standard input, whose scorecard names files relative to the working directory.
    """
    try:
        text = sys.stdin.buffer.read().decode() if str(path) == "-" else scorecard.read_text(path)
    except InvalidScorecard as error:
        return list(error.problems)
    except UnicodeDecodeError:
        return [scorecard.create_read_problem(path, "not UTF-8 text")]
    return lint(text, name=str(path), folder=path.parent, store=store)


def find_doubts(scores: Mapping[int, AnyScore]) -> list[Finding]:
    """Return findings that keep no scorecard from loading: it may be right, and the table of models outdated.

    `scores` are the valid ones, by their place in the card. Findings are errors or warnings; a card with these errors
    loads all the same.
    """
    findings = [*slips.check(scores), *results.check(scores)]
    for index, score in scores.items():
        path: KeyPath = ("scores", index)
        findings += [*metadata.check(score, path), *trials.check(score, path)]
        if score.class_name == "LangGraphScore":
            findings += [*requests.check(score, path), *outputs.check(score, path), *reach.check(score, path)]
    return findings


def check_files(scores: Mapping[int, AnyScore], folder: Path, store: Path | None) -> list[Finding]:
    """Return findings about missing files in `folder`, and about missing artifacts unless `store` is None."""
    findings: list[Finding] = []
    for index, score in scores.items():
        findings += _check_score_files(score, ("scores", index), folder, store)
    return findings


def _check_score_files(score: AnyScore, path: KeyPath, folder: Path, store: Path | None) -> Iterator[Finding]:
    if score.data is not None and score.data.file is not None:
        yield from _check_data(score.data, (*path, "data"), folder / score.data.file)
    if score.class_name == "LangGraphScore":
        cassette = score.cassette
        if cassette is not None and not cassette.startswith("sha256:") and not (folder / cassette).is_file():
            message = f"there is no cassette {cassette!r} beside the scorecard. next: plexus run --record {cassette}"
            yield Finding((*path, "cassette"), message, rule="missing-file")
        yield from _check_artifact(cassette, (*path, "cassette"), store)
    elif score.class_name in ("SVMClassifier", "ExplainableClassifier"):
        yield from _check_artifact(score.artifact, (*path, "artifact"), store)
        yield from _check_classes(score, path, folder)
        if score.artifact is None and (score.data is None or score.data.file is None):
            message = (
                "the score has neither an artifact nor labelled texts. next: name them in `data`, or train with --data"
            )
            yield Finding((*path, "class"), message, "warning", "untrained")


def _check_hidden_files(value: object, scores: Mapping[int, AnyScore], folder: Path) -> Iterator[Finding]:
    """Yield findings about missing tables of scores whose shape is invalid, which `check_files` does not get."""
    listed = value.get("scores") if isinstance(value, dict) else None
    for index, score in enumerate(listed if isinstance(listed, list) else []):
        data = score.get("data") if isinstance(score, dict) and index not in scores else None
        file = data.get("file") if isinstance(data, dict) else None
        if isinstance(file, str) and file and not (folder / file).is_file():
            yield _create_missing(file, ("scores", index, "data"))


def _create_missing(file: str, path: KeyPath) -> Finding:
    return Finding((*path, "file"), f"there is no file {file!r} beside the scorecard", rule="missing-file")


def _check_classes(score: AnyScore, path: KeyPath, folder: Path) -> Iterator[Finding]:
    """Yield a finding if the score's validation rejects labels that a model would learn."""
    from plexus.tables import as_text, labels, open_table

    rule = score.validation.value if score.validation is not None else None
    data = score.data
    if rule is None or not rule.valid_classes or data is None or data.file is None:
        return
    accepted = set(map(labels.fold_label, rule.valid_classes))
    mapped = {labels.fold_label(label): value for label, value in data.labels.items()}
    rejected: dict[str, str] = {}
    try:
        with open_table(folder / data.file, [data.text, data.label], **data.layout) as table:
            for number, row in table.read_rows():
                label = as_text(table, number, row, data.label)
                learnt = mapped.get(labels.fold_label(label), label)
                if learnt is not None and learnt.strip() and labels.fold_label(learnt) not in accepted:
                    rejected.setdefault(labels.fold_label(learnt), learnt)
    except (PlexusError, OSError):
        return  # reported by the rule `data`, or not needed to check a card
    if rejected:
        listed = ", ".join(map(repr, sorted(rejected.values())[:_MOST_LABELS])) + (
            ", …" if len(rejected) > _MOST_LABELS else ""
        )
        message = f"the labels to train on include {listed}, not listed here: the score would fail with such a value"
        yield Finding((*path, "validation", "value", "valid_classes"), message, "warning", "rejected-label")


def _check_data(data: Data, path: KeyPath, file: Path) -> Iterator[Finding]:
    """Check that the file is a table whose first row has both columns; training reports its rows."""
    from plexus.tables import as_text, open_table

    if not file.is_file():
        yield _create_missing(str(data.file), path)
        return
    at: KeyPath = (*path, "file")
    try:
        with open_table(file, [data.text, data.label], **data.layout) as table:
            for number, row in table.read_rows(1):
                for key, column in (("text", data.text), ("label", data.label)):
                    at = (*path, key if key in data.model_fields_set else "file")
                    as_text(table, number, row, column)
    except MissingDependency:
        return  # the extra that reads workbooks is not needed to check a card
    except (InvalidData, OSError) as error:
        yield Finding(at, str(error), rule="data")


def _check_artifact(digest: str | None, path: KeyPath, store: Path | None) -> Iterator[Finding]:
    if digest is None or not digest.startswith("sha256:"):
        return
    if not is_digest(digest):
        yield Finding(path, f"not a digest: got {digest!r}, expected sha256: and 64 hexadecimal digits")
    elif store is not None and digest not in FolderArtifacts(store):
        message = f"there is no artifact {digest[:19]}… in the store {store}. next: plexus train --store {store}"
        yield Finding(path, message, rule="missing-artifact")
