"""What scores can give, and what others expect of them: conditions that can never hold, scores that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus import patterns
from plexus.conditions import same
from plexus.problems import Finding, Path, nearest
from plexus.validation import violation

SKIPPED = "skipped"


def check(models: dict[int, Any]) -> list[Finding]:
    """Findings about conditions on dependencies, and about disabled scores."""
    named = {model.name: model for model in models.values()}
    needed = {name for model in models.values() if not model.disabled for name in model.depends_on}
    found: list[Finding] = []
    for index, model in models.items():
        path: Path = ("scores", index)
        found += _conditions(model, named, path)
        found += _disabled(model, named, needed, path)
        found += _tests(model, path)
        found += _uncertain(model, path)
    return found


def declared(model: Any) -> list[str] | None:
    """Every value that a score can give; None where that is open."""
    rule = model.validation.value if model.validation is not None else None
    if rule is not None and rule.valid_classes:
        return list(rule.valid_classes)
    values = getattr(model, "values", None)
    if model.class_name == "LangGraphScore":
        from plexus.graph.classes import values_of

        values = values_of(model)
    return list(dict.fromkeys(values)) if values else None


def _conditions(model: Any, named: dict[str, Any], path: Path) -> Iterator[Finding]:
    for name, condition in model.depends_on.items():
        if condition is None:
            continue
        known = declared(named[name]) if name in named else None
        wanted = condition.value if isinstance(condition.value, list) else [condition.value]
        if known is None:
            yield from _truths(name, wanted, path)
            continue
        for value in wanted:
            if not any(same(value, each) for each in [*known, SKIPPED]):
                message = f"{name!r} never has the value {value!r}{nearest(str(value), known)}"
                message += f"; it gives {', '.join(known)}"
                yield Finding((*path, "depends_on", name), message, rule="impossible-value")


def _truths(name: str, wanted: list[Any], path: Path) -> Iterator[Finding]:
    """A score's value is text; the truth of an expression is Yes or No, so that a YAML boolean would never match."""
    for value in wanted:
        if isinstance(value, bool):
            said = str(value).lower()
            message = f'{name!r} never has the boolean {said} as value; put "{"Yes" if value else "No"}", or quote it'
            yield Finding((*path, "depends_on", name), message, rule="impossible-value")


def _tests(model: Any, path: Path) -> Iterator[Finding]:
    known = declared(model)
    for place, case in enumerate(model.tests):
        inside = (*path, "tests", place)
        if known is not None and not any(same(case.value, each) for each in [*known, SKIPPED]):
            message = f"{model.name!r} never has the value {case.value!r}{nearest(case.value, known)}"
            yield Finding((*inside, "value"), f"{message}; it gives {', '.join(known)}", rule="impossible-value")
        for name in case.results:
            if name not in model.depends_on:
                message = f"{model.name!r} does not depend on {name!r}{nearest(name, model.depends_on)}"
                yield Finding((*inside, "results", name), message, rule="unknown-result", on_key=True)
        missing = [name for name in model.depends_on if case.results and name not in case.results]
        if missing:
            message = f"the test gives no value for {', '.join(map(repr, missing))}: give all, or none"
            yield Finding((*inside, "results"), message, rule="unknown-result", on_key=True)


def _uncertain(model: Any, path: Path) -> Iterator[Finding]:
    """The value that a trained score gives below its least confidence must pass its own validation."""
    rule = model.validation.value if model.validation is not None else None
    if (
        rule is None
        or getattr(model, "minimum_confidence", None) is None
        or any(map(patterns.problem, rule.patterns or ()))
    ):
        return
    why = violation(model.uncertain, rule)
    if why:
        message = f"below `minimum_confidence` the value is {model.uncertain!r}, which `validation` refuses ({why})"
        message += ": such a text fails; allow it there, or put another value in `uncertain`"
        yield Finding((*path, "minimum_confidence"), message, "warning", "uncertain", on_key=True)


def _disabled(model: Any, named: dict[str, Any], needed: set[str], path: Path) -> Iterator[Finding]:
    if model.disabled and model.name not in needed:
        message = f"{model.name!r} is disabled and nothing needs it: enable it, or take it out"
        yield Finding((*path, "disabled"), message, "warning", "unused", on_key=True)
    for name in model.depends_on:
        if not model.disabled and name in named and named[name].disabled:
            message = f"{model.name!r} needs {name!r}, which is disabled: it fails for every text"
            yield Finding((*path, "depends_on"), message, "warning", "needs-disabled", on_key=True)
