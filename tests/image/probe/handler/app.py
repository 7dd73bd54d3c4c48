"""A function that tries what the real one relies on; it takes the handler's place in a copy of the image."""

import importlib
import importlib.metadata
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def imports(names: list[str]) -> list[str]:
    """Import modules; return those that are loaded."""
    return [importlib.import_module(name).__name__ for name in names]


def versions(names: list[str]) -> dict[str, str]:
    """Return the versions of distributions, by their metadata."""
    return {name: importlib.metadata.version(name) for name in names}


def without_licence(_: Any) -> list[str]:
    """Return the distributions that bring no licence text."""
    words = ("licen", "copying", "notice")
    # The image keeps no RECORD, so a distribution's files are found only through `_path`, which types do not declare.
    return [
        item.name
        for item in importlib.metadata.distributions()
        if not any(word in path.name.lower() for path in item._path.rglob("*") for word in words)  # type: ignore[attr-defined]
    ]


def fit(_: Any) -> dict[str, Any]:
    """Train two small models and predict with them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC
    from xgboost import XGBClassifier

    texts, labels = ["a fine day", "a bad day", "fine work", "bad work"] * 5, [1, 0, 1, 0] * 5
    features = TfidfVectorizer().fit_transform(texts)
    linear = LinearSVC().fit(features, labels)
    boosted = XGBClassifier(n_estimators=4).fit(features.toarray(), labels)
    return {
        "linear": [int(value) for value in linear.predict(features[:4])],
        "boosted": [int(value) for value in boosted.predict(features[:4].toarray())],
    }


def graph(_: Any) -> dict[str, Any]:
    """Run a graph of one node."""
    from langgraph.graph import END, START, StateGraph

    builder: Any = StateGraph(dict)
    builder.add_node("double", lambda state: {"value": state["value"] * 2})
    builder.add_edge(START, "double")
    builder.add_edge("double", END)
    return dict(builder.compile().invoke({"value": 21}))


def certificates(_: Any) -> int:
    """Return how many authorities a TLS client here trusts."""
    return len(ssl.create_default_context().get_ca_certs())


def clients(names: list[str]) -> list[str]:
    """Make AWS clients; return the services that they are for."""
    import boto3

    client: Any = boto3.client  # typed for literal service names only
    return [client(name, region_name="us-west-2").meta.service_model.service_name for name in names]


def compiled_at_start(_: Any) -> list[str]:
    """Return the modules that Python had to compile, because the image holds no bytecode for them."""
    import langchain_core.messages
    import sklearn.linear_model

    assert sklearn.linear_model
    assert langchain_core.messages
    modules = list(sys.modules.values())
    cached = [(m.__name__, getattr(m, "__cached__", None), getattr(m, "__file__", None)) for m in modules]
    return [name for name, path, file in cached if path and file and file.endswith(".py") and not Path(path).exists()]


CHECKS: dict[str, Callable[[Any], Any]] = {
    check.__name__: check
    for check in (imports, versions, without_licence, fit, graph, certificates, clients, compiled_at_start)
}


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Run the named check."""
    return CHECKS[event["check"]](event.get("argument"))
