"""Which code runs a class of score. A scorer's module, and with it its library, is imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scores.base import Scorer

SCORERS = {
    "KeywordClassifier": "plexus.scores.keyword:KeywordScorer",
    "SVMClassifier": "plexus.scores.svm:SVMScorer",
    "ExplainableClassifier": "plexus.scores.explainable:ExplainableScorer",
    "LangGraphScore": "plexus.scores.langgraph:GraphScorer",
    "CompositeScore": "plexus.scores.composite:CompositeScorer",
}


def scorer(configuration: Any, configuration_hash: str, context: Context) -> Scorer[Any]:
    """Makes the scorer of a validated configuration; may load a model (ArtifactMissing, InvalidArtifact)."""
    module, name = SCORERS[configuration.class_name].split(":")
    made: Scorer[Any] = getattr(importlib.import_module(module), name)(configuration, configuration_hash, context)
    return made
