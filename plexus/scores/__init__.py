"""Scorers, one class for each class of score. A scorer's module, and with it its library, is imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.exceptions import require_extra

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore
    from plexus.context import Context
    from plexus.scores.scorer import Scorer


def create_scorer(configuration: AnyScore, configuration_hash: str, context: Context) -> Scorer[Any]:
    """Create the scorer of a validated configuration, which may load a model.

    Raises MissingDependency if the class needs an extra that is not installed, ArtifactMissing or InvalidArtifact.
    """
    if configuration.class_name == "KeywordClassifier":
        from plexus.scores.keyword import KeywordScorer

        return KeywordScorer(configuration, configuration_hash, context)
    if configuration.class_name == "CompositeScore":
        from plexus.scores.composite import CompositeScorer

        return CompositeScorer(configuration, configuration_hash, context)
    if configuration.class_name == "LangGraphScore":
        with require_extra("llm", "LangGraphScore"):
            from plexus.scores.langgraph import GraphScorer

        return GraphScorer(configuration, configuration_hash, context)
    from plexus.scores import learned

    if configuration.class_name == "SVMClassifier":
        with require_extra("svm", "SVMClassifier"):
            return learned.SVMScorer(configuration, configuration_hash, context)
    with require_extra("xgboost", "ExplainableClassifier"):
        return learned.ExplainableScorer(configuration, configuration_hash, context)
