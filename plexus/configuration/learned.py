"""The scores that are trained: SVMClassifier and ExplainableClassifier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plexus.configuration.common import Score
from plexus.configuration.processors import Words


class Learned(Score):
    """A score whose model is an artifact that `plexus train` makes."""

    artifact: str | None = Field(
        None,
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="Digest of the trained model; `plexus train --write` fills it in.",
    )
    minimum_confidence: float | None = Field(
        None, gt=0, lt=1, description="Below it the value is `uncertain`; without it there is always a class."
    )
    uncertain: Words = Field("Uncertain", description="The value below `minimum_confidence`.")


class SVMClassifier(Learned):
    """TF-IDF over words and characters, a linear support vector machine, calibrated confidence."""

    class_name: Literal["SVMClassifier"] = Field(alias="class")


class ExplainableClassifier(Learned):
    """TF-IDF n-grams and XGBoost; the explanation names the terms that contributed most."""

    class_name: Literal["ExplainableClassifier"] = Field(alias="class")
    top_terms: int = Field(5, ge=1, le=50, description="How many terms the explanation names.")


class CompositeScore(Score):
    """An expression over the values of other scores, in the restricted language of logical nodes."""

    class_name: Literal["CompositeScore"] = Field(alias="class")
    expression: str = Field(min_length=1, description="Uses `results['Score'].value`, `text` and `metadata`.")
    explanation: str | None = Field(None, description="A template for the explanation.")
    values: list[Words] | None = Field(None, description="Every value that the expression may give.")
