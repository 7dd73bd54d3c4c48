"""Slips that load and run, and give other results than their author meant: all are warnings of `plexus lint` only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from plexus import prices
from plexus.checks.scores import list_values
from plexus.conditions import SKIPPED
from plexus.exceptions import PlexusError
from plexus.graph.node_outputs import as_model_node
from plexus.graph.providers import Settings
from plexus.language.expression import Expression
from plexus.language.templates import find_variables
from plexus.lint import metadata
from plexus.problems import Finding, KeyPath, suggest
from plexus.text import fold

if TYPE_CHECKING:
    from jinja2 import nodes

    from plexus.configuration.card import AnyScore
    from plexus.configuration.graph import LangGraphScore
    from plexus.configuration.scores import KeywordClassifier

# `refund*`, `.*`, `\b`, `[a-z]`, `(a|b)`, `^a`, `a$`: not `C++`, `A*`, `$5`, `[sic]`, `f*ck` or `what?`.
_PATTERN = re.compile(r"\w{2,}\*$|^\*\w{2,}|\.[*+]|\\[bBdDsSwW]|\[\w-\w|\(.+\|.+\)|^\^\w|\w\$$|^\w\*$")
#: Score and text that an expression compares its value with.
_Comparison = tuple[str, str]


def check(scores: Mapping[int, AnyScore]) -> Iterator[Finding]:
    """Yield findings about each score, and about the values that it expects of others."""
    values = {score.name: list_values(score) for score in scores.values()}
    for index, score in scores.items():
        path: KeyPath = ("scores", index)
        yield from _check_results(score, values, path)
        if score.class_name == "KeywordClassifier":
            yield from _check_keywords(score, path)
        elif score.class_name == "LangGraphScore":
            yield from _check_models(score, path)
            yield from _check_prompts(score, path)


def _check_results(score: AnyScore, values: Mapping[str, list[str] | None], path: KeyPath) -> Iterator[Finding]:
    expressions, templates = metadata.list_sources(score, path)
    compared = [(at, each) for at, source in expressions for each in _read_expression(source)]
    compared += [(at, each) for at, source in templates for each in _read_template(source)]
    for at, (name, value) in dict.fromkeys(compared):
        known = values.get(name)
        if known is not None and fold(value) not in {*map(fold, known), SKIPPED}:
            message = f"{name!r} never has the value {value!r}{suggest(value, known)}; its values are "
            yield Finding(at, message + ", ".join(known), "warning", "impossible-result")


def _read_expression(source: str) -> Iterator[_Comparison]:
    try:
        tree = Expression(source).tree
    except PlexusError:
        return  # reported by the rule `source`
    for node in ast.walk(tree):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        names = [name for side in sides if (name := _read_result(side)) is not None]
        texts = [part for side in sides for part in (side.elts if isinstance(side, (ast.List, ast.Tuple)) else [side])]
        for part in texts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield from ((name, part.value) for name in names)


def _read_result(node: ast.AST) -> str | None:
    """Return the score of `results['Score'].value`; None for anything else."""
    if isinstance(node, ast.Attribute) and node.attr == "value" and isinstance(node.value, ast.Subscript):
        owner, key = node.value.value, node.value.slice
        if isinstance(owner, ast.Name) and owner.id == "results" and isinstance(key, ast.Constant):
            return str(key.value)
    return None


def _read_template(source: str) -> Iterator[_Comparison]:
    from jinja2 import TemplateError, nodes
    from jinja2.sandbox import SandboxedEnvironment

    try:
        tree = SandboxedEnvironment().parse(source)
    except (TemplateError, RecursionError):
        return  # reported by the rule `source`
    for compared in tree.find_all(nodes.Compare):
        sides = [compared.expr, *(operand.expr for operand in compared.ops)]
        names = [name for side in sides if (name := _read_template_result(side)) is not None]
        texts = [
            part for side in sides for part in (side.items if isinstance(side, (nodes.List, nodes.Tuple)) else [side])
        ]
        for part in texts:
            if isinstance(part, nodes.Const) and isinstance(part.value, str):
                yield from ((name, part.value) for name in names)


def _read_template_result(node: nodes.Expr) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr) and node.attr == "value" and isinstance(node.node, nodes.Getitem):
        owner, key = node.node.node, node.node.arg
        if isinstance(owner, nodes.Name) and owner.name == "results" and isinstance(key, nodes.Const):
            return str(key.value)
    return None


def _check_keywords(score: KeywordClassifier, path: KeyPath) -> Iterator[Finding]:
    if score.classes:
        named = [((*path, "classes", index, "value"), each.value) for index, each in enumerate(score.classes)]
        named += [((*path, "default"), score.default)] if score.default is not None else []
    else:
        named = [((*path, "found"), score.found), ((*path, "not_found"), score.not_found)]
    first: dict[str, str] = {}
    for at, value in named:
        other = first.get(fold(value))
        first.setdefault(fold(value), value)
        # A default may be one of the classes, and a class may be listed twice, with its words apart.
        if other is not None and not (score.classes and other == value):
            message = f"{value!r} and {other!r} are the same value: case and white space are ignored"
            yield Finding(at, message, "warning", "equal-values")
    listed = [((*path, "keywords"), score.keywords)]
    listed += [((*path, "classes", index, "keywords"), each.keywords) for index, each in enumerate(score.classes)]
    for at, keywords in listed:
        for index, keyword in enumerate(keywords):
            if _PATTERN.search(keyword):
                message = f"the keyword {keyword!r} is matched as it is written. next: as a regular expression, "
                yield Finding((*at, index), message + "list it in `patterns`", "warning", "literal-pattern")


def _check_models(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a finding for each model name that is unknown, and resembles that of a known model of the provider."""
    known = prices.read_rows()[2]
    for index, node in enumerate(score.graph):
        if (model_node := as_model_node(node)) is None:
            continue
        try:
            settings = Settings.of(model_node, score)
        except PlexusError:
            continue  # reported by the rule `no-model`
        # A provider's alias of the newest version, which the table lists by its version.
        if any(prices.find_row(each, known) for each in (settings.model_id, settings.model_id.removesuffix("-latest"))):
            continue
        # Another number is another model, which may be newer than the table.
        alike = [name for name in known if re.findall(r"\d", name) == re.findall(r"\d", settings.model_id)]
        names = [name.partition(":")[2] for name in alike if name.startswith(f"{settings.provider}:")]
        name = settings.model_id.partition(":")[2]
        if guess := suggest(name, names):
            inside: KeyPath = (*path, "graph", index) if "model_name" in model_node.model_fields_set else path
            message = f"no known model of {settings.provider} has the name {name!r}{guess}"
            yield Finding((*inside, "model_name"), message, "warning", "unknown-model")


def _check_prompts(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a finding if no prompt has a variable: the model never sees the text."""
    asking = [(index, each) for index, node in enumerate(score.graph) if (each := as_model_node(node)) is not None]
    for _, node in asking:
        for message in node.templates.values():
            try:
                if not message.strip():
                    return  # reported by the rule `empty-message`
                if find_variables(message):
                    return
            except PlexusError:
                return  # reported by the rule `source`
    for index, node in asking[:1]:
        key = "user_message" if node.user_message is not None else "system_message"
        message = (
            "no prompt of the score has a variable, so that no model sees the text: write {{ text }} where it belongs"
        )
        yield Finding((*path, "graph", index, key), message, "warning", "constant-prompt")
