"""The classes of score except LangGraphScore."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from plexus.configuration.common import Model, Score
from plexus.configuration.processors import Words


class KeywordClass(Model):
    """A value with the words and patterns that indicate it."""

    value: Words = Field(description="The value that the words and patterns indicate.")
    keywords: list[Words] = Field(default_factory=list, description="Words and phrases; whole words, folded.")
    patterns: list[Words] = Field(default_factory=list, description="Regular expressions in RE2's syntax.")

    @model_validator(mode="after")
    def _check_words(self) -> KeywordClass:
        if not (self.keywords or self.patterns):
            raise ValueError("a class needs keywords or patterns")
        return self


class KeywordClassifier(Score):
    """Finds words, phrases and regular expressions in linear time.

    Either `keywords` and `patterns` with the values `found` and `not_found`, or `classes` with a `default`.
    """

    class_name: Literal["KeywordClassifier"] = Field(alias="class")
    keywords: list[Words] = Field(default_factory=list, description="Words and phrases; whole words, folded.")
    patterns: list[Words] = Field(default_factory=list, description="Regular expressions in RE2's syntax.")
    found: Words = Field("Yes", description="The value if something is found.")
    not_found: Words = Field("No", description="The value if nothing is found.")
    classes: list[KeywordClass] = Field(default_factory=list, description="Several values, each with its own words.")
    default: Words | None = Field(None, description="The value if no class matches; without it, that is a failure.")
    choose: Literal["first", "most"] = Field(
        "first", description="Which class wins: the first in the list that matches, or the one with most matches."
    )
    negations: list[Words] = Field(
        default_factory=list,
        description="Words that negate a keyword up to three words after them, as in `not good`.",
    )
    case_sensitive: bool = Field(False, description="Whether A and a differ.")

    @model_validator(mode="after")
    def _check_form(self) -> KeywordClassifier:
        is_short_form = bool(self.keywords or self.patterns)
        if is_short_form == bool(self.classes):
            raise ValueError("needs either keywords and patterns, or classes")
        return self

    @property
    def values(self) -> list[str]:
        """Every value that the score can give."""
        if not self.classes:
            return [self.found, self.not_found]
        return [*(each.value for each in self.classes), *([self.default] if self.default is not None else [])]


class TrainedScore(Score):
    """A score whose model is an artifact made by `plexus train`."""

    artifact: str | None = Field(
        None,
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="Digest of the trained model; `plexus train --write` fills it in.",
    )
    minimum_confidence: float | None = Field(
        None, gt=0, lt=1, description="Below it the value is `uncertain`; without it, every text gets a class."
    )
    uncertain: Words = Field("Uncertain", description="The value below `minimum_confidence`.")


class RecallAtPrecision(Model):
    """Find as many texts of one value as possible while enough of those found are right."""

    recall_at_precision: float = Field(gt=0, lt=1, description="The least precision, 0 to 1.")
    of: Words = Field(description="The value.")


#: Written as a word, or as a map.
Optimise = Annotated[
    Annotated[Literal["accuracy", "macro_f1"], Tag("word")] | Annotated[RecallAtPrecision, Tag("map")],
    Discriminator(lambda value: "map" if isinstance(value, (dict, RecallAtPrecision)) else "word"),
]


class SVMClassifier(TrainedScore):
    """TF-IDF over words and characters, a linear support vector machine, calibrated confidence."""

    class_name: Literal["SVMClassifier"] = Field(alias="class")
    optimise: Optimise = Field(
        "accuracy", description="What `plexus train` chooses parameters, class weights and thresholds for."
    )


class ExplainableClassifier(TrainedScore):
    """TF-IDF n-grams and XGBoost; the explanation lists the terms that contributed most."""

    class_name: Literal["ExplainableClassifier"] = Field(alias="class")
    optimise: Literal["accuracy", "macro_f1"] = Field(
        "accuracy", description="What `plexus train` chooses parameters and class weights for."
    )
    top_terms: int = Field(5, ge=1, le=50, description="How many terms the explanation lists.")


class CompositeScore(Score):
    """An expression over the values of other scores, in the restricted language of logical nodes."""

    class_name: Literal["CompositeScore"] = Field(alias="class")
    expression: str = Field(min_length=1, description="Uses `results['Score'].value`, `text` and `metadata`.")
    explanation: str | None = Field(None, description="A template of the explanation.")
    values: list[Words] | None = Field(None, description="Every value that the expression may give.")
