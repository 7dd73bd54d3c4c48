"""What scores can give, and what others expect of them: conditions that can never hold, scores that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.conditions import same
from plexus.problems import Finding, Path, nearest

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
        known = declared(named[name]) if name in named else None
        if condition is None or known is None:
            continue
        wanted = condition.value if isinstance(condition.value, list) else [condition.value]
        for value in wanted:
            if not any(same(value, each) for each in [*known, SKIPPED]):
                message = f"{name!r} never has the value {value!r}{nearest(str(value), known)}"
                message += f"; it gives {', '.join(known)}"
                yield Finding((*path, "depends_on", name), message, rule="impossible-value")


def _disabled(model: Any, named: dict[str, Any], needed: set[str], path: Path) -> Iterator[Finding]:
    if model.disabled and model.name not in needed:
        message = f"{model.name!r} is disabled and nothing needs it: enable it, or take it out"
        yield Finding((*path, "disabled"), message, "warning", "unused", on_key=True)
    for name in model.depends_on:
        if not model.disabled and name in named and named[name].disabled:
            message = f"{model.name!r} needs {name!r}, which is disabled: it fails for every text"
            yield Finding((*path, "depends_on"), message, "warning", "needs-disabled", on_key=True)
