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

    name: str = Field(min_length=1, description="What people call the scorecard.")
    key: str = Field(pattern=r"^[a-z0-9_-]+$", description="Its name for commands and records.")
    id: str | None = Field(None, description="Its id where it is stored.")
    external_id: str | None = Field(None, alias="externalId", description="Its id elsewhere.")
    description: str | None = Field(None, description="What it is for.")
    processors: list[Processor] = Field(default_factory=list, description="Default for all scores.")


class Card(CardHead):
    """A scorecard: several scores that are read together."""

    scores: list[AnyScore] = Field(
        min_length=1, description="The scores; those that do not depend on each other are scored at the same time."
    )
