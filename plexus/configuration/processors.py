"""Processors: what is done to a text before it is scored."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Text with something in it: an empty keyword would be found everywhere, and an empty value is none.
Words = Annotated[str, Field(pattern=r"\S")]


def in_order(least_name: str, least: float | None, most_name: str, most: float | None) -> None:
    """Raises ValueError where nothing lies between the two."""
    if least is not None and most is not None and least > most:
        raise ValueError(f"nothing lies between {least_name!r} and {most_name!r}: the second is too small")


class _Processor(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RemoveSpeakerIdentifiers(_Processor):
    """`Agent: hello` becomes `hello`."""

    class_name: Literal["RemoveSpeakerIdentifiers"] = Field(alias="class")


class CustomerTurnsOnly(_Processor):
    """Keeps what the customer said. A transcript in which no turn is the customer's fails the score."""

    class_name: Literal["CustomerTurnsOnly"] = Field(alias="class")
    speakers: list[Words] = Field(
        default_factory=lambda: ["customer", "caller", "client", "guest", "patient"],
        min_length=1,
        description="Who counts as the customer; case is folded, a number after the name is ignored.",
    )


class RemoveStopWords(_Processor):
    """Drops words that carry no meaning of their own; negations stay."""

    class_name: Literal["RemoveStopWords"] = Field(alias="class")
    keep: list[str] = Field(default_factory=list, description="Words that stay all the same.")
    also: list[str] = Field(default_factory=list, description="More words to drop.")


class ExpandContractions(_Processor):
    """`don't` becomes `do not`."""

    class_name: Literal["ExpandContractions"] = Field(alias="class")


class EnumerateSpeakers(_Processor):
    """Names become `Speaker 1`, `Speaker 2`, in order of first appearance."""

    class_name: Literal["EnumerateSpeakers"] = Field(alias="class")
    label: str = Field("Speaker", description="What stands before the number.")


class RelevantWindows(_Processor):
    """Keeps what stands around keywords. A text without any of them becomes `placeholder`, or fails without one."""

    class_name: Literal["RelevantWindows"] = Field(alias="class")
    keywords: list[Words] = Field(min_length=1, description="What is looked for.")
    fuzzy: bool = Field(False, description="Whether misspelt keywords count too.")
    fuzzy_threshold: float = Field(0.8, gt=0, le=1, description="Least similarity of a fuzzy match.")
    before: int = Field(1, ge=0, description="How many units before are kept.")
    after: int = Field(1, ge=0, description="How many units after are kept.")
    unit: Literal["sentences", "words", "turns"] = Field("sentences", description="What is counted.")
    separator: str = Field(" … ", description="What stands between two windows.")
    placeholder: str | None = Field(None, description="The text where there is no keyword.")


class TranscriptFormat(_Processor):
    """Renders `metadata.transcript` (a list of `{speaker, text, start, end}`) as the text."""

    class_name: Literal["TranscriptFormat"] = Field(alias="class")
    timestamps: bool = Field(False, description="Whether each turn begins with its time.")


class TimeSlice(_Processor):
    """Keeps the turns of `metadata.transcript` that begin within the seconds `from` to `to`."""

    class_name: Literal["TimeSlice"] = Field(alias="class")
    start: float = Field(0, ge=0, alias="from", description="Seconds from the beginning.")
    end: float | None = Field(None, gt=0, alias="to", description="Seconds from the beginning; without it to the end.")

    @model_validator(mode="after")
    def _in_order(self) -> TimeSlice:
        in_order("from", self.start, "to", None if self.end is None else math.nextafter(self.end, 0))
        return self


Processor = Annotated[
    RemoveSpeakerIdentifiers
    | CustomerTurnsOnly
    | RemoveStopWords
    | ExpandContractions
    | EnumerateSpeakers
    | RelevantWindows
    | TranscriptFormat
    | TimeSlice,
    Field(discriminator="class_name"),
]
