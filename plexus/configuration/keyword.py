"""KeywordClassifier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plexus.configuration.common import Model, Score
from plexus.configuration.processors import Words


class KeywordClass(Model):
    """One value, and what in a text speaks for it."""

    value: Words = Field(description="The value that its words and patterns speak for.")
    keywords: list[Words] = Field(default_factory=list, description="Words and phrases; whole words, case folded.")
    patterns: list[Words] = Field(default_factory=list, description="Regular expressions in RE2's syntax.")

    @model_validator(mode="after")
    def _something_to_find(self) -> KeywordClass:
        if not (self.keywords or self.patterns):
            raise ValueError("a class needs keywords or patterns")
        return self


class KeywordClassifier(Score):
    """Finds words, phrases and regular expressions in linear time.

    Either `keywords`/`patterns` with the values `found` and `not_found`, or `classes` with a `default`.
    """

    class_name: Literal["KeywordClassifier"] = Field(alias="class")
    keywords: list[Words] = Field(default_factory=list, description="Words and phrases; whole words, case folded.")
    patterns: list[Words] = Field(default_factory=list, description="Regular expressions in RE2's syntax.")
    found: Words = Field("Yes", description="The value when something is found.")
    not_found: Words = Field("No", description="The value when nothing is found.")
    classes: list[KeywordClass] = Field(default_factory=list, description="Several values, each with its own words.")
    default: Words | None = Field(None, description="The value when no class matches; without it that is a failure.")
    choose: Literal["first", "most"] = Field(
        "first", description="Which class wins: the first in the list that matches, or the one with most matches."
    )
    negations: list[Words] = Field(
        default_factory=list, description="Words that turn round a keyword at most three words after them: `not good`."
    )
    case_sensitive: bool = Field(False, description="Whether A and a differ.")

    @model_validator(mode="after")
    def _one_form(self) -> KeywordClassifier:
        short = bool(self.keywords or self.patterns)
        if short == bool(self.classes):
            raise ValueError("needs either keywords and patterns, or classes")
        return self

    @property
    def values(self) -> list[str]:
        """Every value that the score can give."""
        if not self.classes:
            return [self.found, self.not_found]
        return [*(each.value for each in self.classes), *([self.default] if self.default is not None else [])]
