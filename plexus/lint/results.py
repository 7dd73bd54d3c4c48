"""Results of dependencies in prompts: a score that was skipped has none, and the prompt that prints it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from plexus.lint.metadata import find_template_uses, list_sources
from plexus.problems import Finding

if TYPE_CHECKING:
    from jinja2 import nodes

    from plexus.configuration.card import AnyScore


def check(scores: Mapping[int, AnyScore]) -> Iterator[Finding]:
    """Yield a warning for each result that a template prints although its score may have been skipped.

    A score with a condition of its own on that result runs only if there is one.
    """
    skipped = {score.name for score in scores.values() if any(score.depends_on.values())}
    for index, score in scores.items():
        guarded = frozenset(name for name, condition in score.depends_on.items() if condition is not None)
        doubtful = skipped & score.depends_on.keys() - guarded
        for path, source in list_sources(score, ("scores", index))[1] if doubtful else ():
            for name, is_condition in find_template_uses(source, frozenset(), "results", read_result):
                if name in doubtful and not is_condition:
                    message = f"a text for which {name!r} is skipped fails here: add `| default('…')`, or test"
                    yield Finding(path, f"{message} `results[{name!r}]` with `if`", "warning", "absent-result")


def read_result(node: nodes.Node) -> str | None:
    """Return the score of `results['A']`, `results.A`, and of a field of these; None for anything else."""
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr) and not _is_results(node.node):
        return read_result(node.node) if isinstance(node.node, (nodes.Getattr, nodes.Getitem)) else None
    if isinstance(node, nodes.Getattr):
        return None if node.attr in ("get", "items", "keys", "values") else node.attr
    if isinstance(node, nodes.Getitem) and _is_results(node.node) and isinstance(node.arg, nodes.Const):
        return str(node.arg.value)
    return None


def _is_results(node: nodes.Node) -> bool:
    from jinja2 import nodes

    return isinstance(node, nodes.Name) and node.name == "results"
