"""Compare the parameters of requests: what the nodes of two scorecards send to their models beside the prompts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from plexus.configuration.card import AnyScore
from plexus.configuration.graph import LangGraphScore, ModelNode
from plexus.exceptions import ScoringFailed
from plexus.graph.node_outputs import as_model_node
from plexus.graph.providers import Settings


@dataclass(frozen=True)
class ParameterDifference:
    """A parameter of one node's requests that OLD and NEW do not write alike; None on a side that does not send it."""

    node: str
    parameter: str
    old: object
    new: object

    def as_dict(self) -> dict[str, object]:
        """Return the difference as JSON values."""
        return asdict(self)


def compare_parameters(old: AnyScore, new: AnyScore) -> list[ParameterDifference]:
    """Return the differences of the nodes that ask a model in both scores, in the order of OLD's nodes.

    Nodes are paired by name. An `explanation_model` counts as a node of its own. No text and no provider is needed:
    these parameters are the same for every text.
    """
    before, after = _list_requests(old), _list_requests(new)
    return [
        ParameterDifference(node, name, first.get(name), second.get(name))
        for node, first in before.items()
        if (second := after.get(node)) is not None
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]


def _list_requests(score: AnyScore) -> dict[str, dict[str, object]]:
    """Return node → parameters of its requests."""
    requests: dict[str, dict[str, object]] = {}
    if not isinstance(score, LangGraphScore):
        return requests
    for node in score.graph:
        if (asking := as_model_node(node)) is None:
            continue
        requests[node.name] = _list_parameters(asking, score)
        if (explainer := asking.create_explainer()) is not None:
            requests[f"{node.name}, explanation"] = _list_parameters(explainer, score)
    return requests


def _list_parameters(node: ModelNode, score: LangGraphScore) -> dict[str, object]:
    try:
        settings = Settings.of(node, score)
    except ScoringFailed:  # reported where the score runs
        return {}
    names = {"model_provider": settings.provider, "model_name": settings.name}
    places = {"model_region": settings.region, "base_url": settings.base_url}
    structured = {"structured": True} if getattr(node, "structured", False) else {}
    return {**names, **places, **settings.parameters, **structured}
