"""Find expressions and templates that fail for every text, by running those that need only the text on a few texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from plexus import patterns
from plexus.conditions import find_violation
from plexus.exceptions import LimitExceeded, PlexusError, ScoringFailed
from plexus.graph.node_outputs import list_end_values
from plexus.language.expression import Expression
from plexus.language.templates import Template, find_variables
from plexus.lint import metadata
from plexus.problems import Finding, KeyPath
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore

# Sources may expect a number, a separator or many words; the texts of the score's tests are tried as well.
_TEXTS = ("", "7", "2.5", "Yes", "a: b, c; d | e - f\tg", "Ida: It broke, twice.\nKim: Sorry! 1/2\n\nBye. " * 20)
_RULE = "always-fails"
Parsed = TypeVar("Parsed")


def check(score: AnyScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a warning for each source that fails for all texts tried, and for values that validation rejects.

    The texts are a few of its own and those of the score's tests. A source that fails for some of them only may be
    right.
    """
    texts = [*_TEXTS, *(case.text for case in score.tests)]
    expressions, templates = metadata.list_sources(score, path)
    for at, source in expressions:
        node = score.graph[int(at[3])] if score.class_name == "LangGraphScore" else None
        classes = node.valid_classes if node is not None and node.class_name == "LogicalClassifier" else None
        if (expression := _parse(Expression, source)) is not None and expression.names <= {"text"}:
            yield from _check_runs(texts, at, partial(_evaluate, expression, classes))
    for at, source in templates:
        template = _parse(Template, source)
        if template is not None and source.strip() and find_variables(source) <= {"text"}:
            yield from _check_runs(texts, at, partial(_render, template, at[-1] == "user_message"))
    yield from _check_values(score, path)


def _parse(parse: Callable[[str], Parsed], source: str) -> Parsed | None:
    try:
        return parse(source)
    except PlexusError:
        return None  # reported by the rule `source`


def _evaluate(expression: Expression, classes: Sequence[str] | None, text: str) -> None:
    value = expression({"text": text})
    label = ("No", "Yes")[value] if isinstance(value, bool) else str(value)
    if classes and not expression.names and fold(label) not in map(fold, classes):
        raise ScoringFailed(f"the class {label!r} is none of {', '.join(classes)}")


def _render(template: Template, is_question: bool, text: str) -> None:
    if not template.render({"text": text}).strip() and is_question:
        raise ScoringFailed("the message is empty")


def _check_runs(texts: Sequence[str], path: KeyPath, run: Callable[[str], None]) -> Iterator[Finding]:
    failures: list[str] = []
    for text in texts:
        try:
            run(text)
        except LimitExceeded:
            return
        except PlexusError as error:
            failures.append(str(error))
        else:
            return
    message = f"this fails for each of {len(texts)} texts that were tried: {failures[-1]}"
    yield Finding(path, message, "warning", _RULE)


def _check_values(score: AnyScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a warning if the score's validation rejects every value that the score can give."""
    rule = score.validation.value if score.validation is not None else None
    values: Sequence[str] = ()
    if score.class_name in ("KeywordClassifier", "CompositeScore"):
        values = score.values or ()
    elif score.class_name == "LangGraphScore":
        values = list_end_values(score)
    # A pattern that does not compile is reported by the rule `pattern`.
    if rule is None or not values or any(map(patterns.find_problem, rule.patterns or ())):
        return
    violations = [find_violation(value, rule) for value in values]
    if all(violations):
        message = f"validation rejects every value of the score: got {', '.join(map(repr, values))}, {violations[0]}"
        yield Finding((*path, "validation", "value"), message, "warning", _RULE)
