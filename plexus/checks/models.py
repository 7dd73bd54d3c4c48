"""Which language model each node asks: that there is one, and that its provider is known."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from plexus.graph import providers
from plexus.problems import Finding, Path, nearest


def check(score: Any, path: Path) -> Iterator[Finding]:
    """Findings about the models that a LangGraphScore and its nodes name."""
    yield from _provider(score.model_provider, path)
    for place, node in enumerate(score.graph):
        if hasattr(node, "model_provider"):
            inside = (*path, "graph", place)
            yield from _provider(node.model_provider, inside)
            yield from _missing(node, score, inside)


def _missing(node: Any, score: Any, path: Path) -> Iterator[Finding]:
    keys = ("model_provider", "model_name")
    missing = [key for key in keys if getattr(node, key) is None and getattr(score, key) is None]
    if missing:
        told = " and ".join(f"`{key}`" for key in missing)
        message = f"the node {node.name!r} asks a model, and neither it nor the score has {told}"
        yield Finding((*path, "name"), message, rule="no-model")


def _provider(given: str | None, path: Path) -> Iterator[Finding]:
    """A typo can only fail; another name may be a provider of LangChain's whose package is installed elsewhere."""
    if given is None or providers.provider(given) in providers.KNOWN or _installed(providers.provider(given)):
        return
    at, guess = (*path, "model_provider"), nearest(given, providers.NAMES)
    if guess:
        yield Finding(at, f"there is no provider {given!r}{guess}", rule="provider")
    else:
        message = f"the provider {given!r} is not one of {', '.join(providers.SHOWN)}: it needs a package of its own"
        yield Finding(at, message, "warning", "strange-provider")


def _installed(name: str) -> bool:
    return name.isidentifier() and find_spec(f"langchain_{name}") is not None
