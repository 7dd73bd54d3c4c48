"""The scorecard as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from plexus.configuration.common import Model
from plexus.configuration.graph import LangGraphScore
from plexus.configuration.keyword import KeywordClassifier
from plexus.configuration.learned import CompositeScore, ExplainableClassifier, SVMClassifier
from plexus.configuration.processors import Processor

AnyScore = Annotated[
    KeywordClassifier | SVMClassifier | ExplainableClassifier | LangGraphScore | CompositeScore,
    Field(discriminator="class_name"),
]


class CardHead(Model):
    """A scorecard without its scores."""

    name: str = Field(min_length=1)
    key: str = Field(pattern=r"^[a-z0-9_-]+$")
    id: str | None = None
    external_id: str | None = Field(None, alias="externalId")
    description: str | None = None
    processors: list[Processor] = Field(default_factory=list, description="Default for all scores.")


class Card(CardHead):
    """A scorecard: several scores that are read together."""

    scores: list[AnyScore] = Field(min_length=1)
