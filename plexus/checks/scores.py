"""Single scores: patterns, values that are expected but never returned, disabled scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from plexus import patterns
from plexus.conditions import SKIPPED, are_equal, find_violation
from plexus.problems import Finding, KeyPath, suggest

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore
    from plexus.configuration.scores import KeywordClassifier


def check(models: Mapping[int, AnyScore]) -> list[Finding]:
    """Return findings about each score by itself, and about the values that others expect of it."""
    by_name = {model.name: model for model in models.values()}
    # A disabled score never runs, so it needs nothing.
    needed = {name for model in models.values() if not model.disabled for name in model.depends_on}
    findings: list[Finding] = []
    for index, model in models.items():
        path: KeyPath = ("scores", index)
        findings += _check_conditions(model, by_name, path)
        findings += _check_disabled(model, by_name, needed, path)
        findings += _check_tests(model, path)
        findings += _check_uncertain(model, path)
        findings += _check_patterns(model, path)
    return findings


def list_values(model: AnyScore) -> list[str] | None:
    """Return every value that a score can give, each once; None if it may give any text."""
    rule = model.validation.value if model.validation is not None else None
    if rule is not None and rule.valid_classes:
        return list(rule.valid_classes)
    values: Sequence[str] | None = None
    if model.class_name in ("KeywordClassifier", "CompositeScore"):
        values = model.values
    elif model.class_name == "LangGraphScore":
        from plexus.graph.node_outputs import list_end_values

        values = list_end_values(model)
    return list(dict.fromkeys(values)) if values else None


def _check_conditions(model: AnyScore, by_name: Mapping[str, AnyScore], path: KeyPath) -> Iterator[Finding]:
    for name, condition in model.depends_on.items():
        if condition is None:
            continue
        known = list_values(by_name[name]) if name in by_name else None
        if known is None:
            yield from _check_booleans(name, condition.values, path)
            continue
        for value in condition.values:
            if not any(are_equal(value, candidate) for candidate in [*known, SKIPPED]):
                message = f"{name!r} never has the value {value!r}{suggest(str(value), known)}"
                message += f"; its values are {', '.join(known)}"
                yield Finding((*path, "depends_on", name), message, rule="impossible-value")


def _check_booleans(name: str, values: Sequence[object], path: KeyPath) -> Iterator[Finding]:
    """Reject YAML booleans: a score's value is text, and a true expression gives Yes."""
    for value in values:
        if isinstance(value, bool):
            message = f"{name!r} never has a boolean as its value: got {str(value).lower()}, "
            message += f'expected "{"Yes" if value else "No"}", or the word in quotes'
            yield Finding((*path, "depends_on", name), message, rule="impossible-value")


def _check_tests(model: AnyScore, path: KeyPath) -> Iterator[Finding]:
    known = list_values(model)
    for index, case in enumerate(model.tests):
        case_path = (*path, "tests", index)
        if known is not None and not any(are_equal(case.value, value) for value in [*known, SKIPPED]):
            message = f"{model.name!r} never has the value {case.value!r}{suggest(case.value, known)}"
            yield Finding(
                (*case_path, "value"), f"{message}; its values are {', '.join(known)}", rule="impossible-value"
            )
        for name in case.results:
            if name not in model.depends_on:
                message = f"{model.name!r} does not depend on {name!r}{suggest(name, model.depends_on)}"
                yield Finding((*case_path, "results", name), message, rule="unknown-result", on_key=True)
        missing = [name for name in model.depends_on if case.results and name not in case.results]
        if missing:
            message = (
                f"the test has no value for {', '.join(map(repr, missing))}: give all dependencies a value, or none"
            )
            yield Finding((*case_path, "results"), message, rule="unknown-result", on_key=True)


def _check_uncertain(model: AnyScore, path: KeyPath) -> Iterator[Finding]:
    """Check that the value of a trained score below its minimum confidence passes the score's own validation."""
    if model.class_name not in ("SVMClassifier", "ExplainableClassifier"):
        return
    rule = model.validation.value if model.validation is not None else None
    # A pattern that does not compile is reported by its own rule.
    if rule is None or model.minimum_confidence is None or any(map(patterns.find_problem, rule.patterns or ())):
        return
    violation = find_violation(model.uncertain, rule)
    if violation:
        message = (
            f"below `minimum_confidence` the value is {model.uncertain!r}, which `validation` rejects ({violation})"
        )
        message += ": allow it there, or set another value in `uncertain`"
        yield Finding((*path, "minimum_confidence"), message, "warning", "uncertain", on_key=True)


def _check_disabled(
    model: AnyScore, by_name: Mapping[str, AnyScore], needed: set[str], path: KeyPath
) -> Iterator[Finding]:
    if model.disabled and model.name not in needed:
        message = f"{model.name!r} is disabled and no score depends on it: enable it, or remove it"
        yield Finding((*path, "disabled"), message, "warning", "unused", on_key=True)
    for name in model.depends_on:
        if not model.disabled and name in by_name and by_name[name].disabled:
            message = f"{model.name!r} depends on {name!r}, which is disabled: it fails for every text"
            yield Finding((*path, "depends_on"), message, "warning", "needs-disabled", on_key=True)


def _check_patterns(model: AnyScore, path: KeyPath) -> Iterator[Finding]:
    if model.class_name == "KeywordClassifier":
        yield from _check_keyword_patterns(model, path)
    if model.validation is None:
        return
    for part, rule in (("value", model.validation.value), ("explanation", model.validation.explanation)):
        if rule is not None:
            yield from _check_sources(rule.patterns or [], (*path, "validation", part, "patterns"))


def _check_keyword_patterns(model: KeywordClassifier, path: KeyPath) -> Iterator[Finding]:
    yield from _check_sources(model.patterns, (*path, "patterns"))
    for index, keyword_class in enumerate(model.classes):
        yield from _check_sources(keyword_class.patterns, (*path, "classes", index, "patterns"))


def _check_sources(sources: Sequence[str], path: KeyPath) -> Iterator[Finding]:
    for index, source in enumerate(sources):
        reason = patterns.find_problem(source)
        if reason:
            advice = "" if "perl operator" not in reason else ". next: write it without look-around"
            yield Finding((*path, index), f"not a regular expression in RE2's syntax: {reason}{advice}", rule="pattern")
