"""The scorecard as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from plexus.configuration.common import Model
from plexus.configuration.graph import LangGraphScore
from plexus.configuration.processors import Processor
from plexus.configuration.scores import CompositeScore, ExplainableClassifier, KeywordClassifier, SVMClassifier

AnyScore = Annotated[
    KeywordClassifier | SVMClassifier | ExplainableClassifier | LangGraphScore | CompositeScore,
    Field(discriminator="class_name"),
]


class CardHead(Model):
    """A scorecard without its scores."""

    name: str = Field(min_length=1, description="The scorecard's name for people.")
    key: str = Field(pattern=r"^[a-z0-9_-]+$", description="Its name in commands and records.")
    id: str | None = Field(None, description="Its id in the database.")
    external_id: str | None = Field(None, alias="externalId", description="Its id in another system.")
    description: str | None = Field(None, description="What the scorecard is for.")
    processors: list[Processor] = Field(default_factory=list, description="The default processors of all scores.")


class Card(CardHead):
    """A scorecard: several scores in one file."""

    scores: list[AnyScore] = Field(
        min_length=1, description="The scores; those that do not depend on each other run in parallel."
    )
