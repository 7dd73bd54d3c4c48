"""Keeps item texts out of tracing services, to which LangChain sends whole runs if the environment says so.

With `LANGSMITH_TRACING=true` LangChain posts the text and every reply, also of a graph without a model and of a replay.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

_PREFIXES = (
    "LANGSMITH_",
    "LANGCHAIN_TRACING",
    "LANGCHAIN_HANDLER",  # with it, and with LANGCHAIN_TRACING alone, LangChain refuses every run
    "LANGCHAIN_CALLBACKS",
    "LANGCHAIN_ENDPOINT",
    "LANGCHAIN_API_KEY",
    "LANGCHAIN_PROJECT",
    "LANGCHAIN_SESSION",
    "OTEL_",
)


def remove_variables(environ: MutableMapping[str, str]) -> list[str]:
    """Remove the tracing variables of LangSmith, LangChain and OpenTelemetry; returns their names, sorted.

    Among them is LANGSMITH_GATEWAY, which sends the calls to providers through another service. Call it before the
    first run: LangChain caches what it read.
    """
    names = sorted(name for name in environ if name.upper().startswith(_PREFIXES))
    for name in names:
        del environ[name]
    return names


@contextmanager
def untraced() -> Iterator[None]:
    """Trace no run in this block, whatever the environment says; also holds in the threads that a graph starts."""
    from langsmith import tracing_context

    with tracing_context(enabled=False):
        yield
