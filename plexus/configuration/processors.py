"""Processors: how a text is prepared before it is scored."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

#: Text that is not blank or invisible: an empty keyword would match everywhere or never, and an empty value is none.
VISIBLE = r"[^\s\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]"
Words = Annotated[str, Field(pattern=VISIBLE)]

_CUSTOMERS = (
    *(
        "customer",
        "caller",
        "client",
        "guest",
        "patient",
        "kunde",
        "kundin",
        "anrufer",
        "anruferin",
        "cliente",
        "klant",
    ),
    *("stranka", "клиент", "客户", "客戶", "顾客", "顧客", "お客様", "고객"),
)


def check_order(least_name: str, least: float | None, most_name: str, most: float | None) -> None:
    """Raise ValueError if no value lies between the two; either may be None."""
    if least is not None and most is not None and least > most:
        raise ValueError(f"no value lies between {least_name!r} and {most_name!r}: got {least:g} and {most:g}")


class _Processor(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RemoveSpeakerIdentifiers(_Processor):
    """`Agent: hello` becomes `hello`."""

    class_name: Literal["RemoveSpeakerIdentifiers"] = Field(alias="class")


class CustomerTurnsOnly(_Processor):
    """Keeps the customer's turns. A transcript without any, or with ambiguous ones, fails the score."""

    class_name: Literal["CustomerTurnsOnly"] = Field(alias="class")
    speakers: list[Words] = Field(
        default_factory=lambda: [*_CUSTOMERS],
        min_length=1,
        description="Names of the customer; case is folded, a number after the name is ignored unless it is given.",
    )
    others: list[Words] = Field(default_factory=list, description="Names of other speakers, besides the usual roles.")
    not_speakers: list[Words] = Field(default_factory=list, description="Words before a colon that are not speakers.")


class RemoveStopWords(_Processor):
    """Removes words that carry no meaning of their own; negations stay."""

    class_name: Literal["RemoveStopWords"] = Field(alias="class")
    keep: list[str] = Field(default_factory=list, description="Stop words to keep.")
    also: list[str] = Field(default_factory=list, description="More words to remove.")


class ExpandContractions(_Processor):
    """`don't` becomes `do not`."""

    class_name: Literal["ExpandContractions"] = Field(alias="class")


class EnumerateSpeakers(_Processor):
    """Replaces names by `Speaker 1`, `Speaker 2`, in order of first appearance."""

    class_name: Literal["EnumerateSpeakers"] = Field(alias="class")
    label: str = Field("Speaker", description="The text before the number.")


class RelevantWindows(_Processor):
    """Keeps the text around keywords. A text without any becomes `placeholder`, or fails if there is no placeholder."""

    class_name: Literal["RelevantWindows"] = Field(alias="class")
    keywords: list[Words] = Field(min_length=1, description="The keywords to find.")
    fuzzy: bool = Field(False, description="Whether misspelt keywords match too.")
    fuzzy_threshold: float = Field(0.8, gt=0, le=1, description="The least similarity of a fuzzy match.")
    before: int = Field(1, ge=0, description="How many units to keep before a match.")
    after: int = Field(1, ge=0, description="How many units to keep after it.")
    whole_words: bool = Field(True, description="Whether keywords are whole words, or also parts of others.")
    case_sensitive: bool = Field(False, description="Whether A and a differ, unless `fuzzy` compares whole words.")
    unit: Literal["sentences", "words", "turns", "lines"] = Field(
        "sentences", description="The unit that `before` and `after` count."
    )
    separator: str = Field(" … ", description="The text between two windows.")
    edges: bool = Field(
        False, description="Whether it also replaces what is omitted before the first and after the last."
    )
    placeholder: str | None = Field(None, description="The text if no keyword matches.")

    @model_serializer(mode="wrap")
    def _omit_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Omit the newer keys where they have no effect: such a processor has the hash from before they existed."""
        newer = {"whole_words": True, "case_sensitive": False, "edges": False}
        return {key: value for key, value in dump(self).items() if newer.get(key) is not value}


class TranscriptFormat(_Processor):
    """Renders `metadata.transcript` (a list of `{speaker, text, start, end}`) as the text."""

    class_name: Literal["TranscriptFormat"] = Field(alias="class")
    timestamps: bool = Field(False, description="Whether to begin each turn with its time.")


class TimeSlice(_Processor):
    """Keeps the turns of `metadata.transcript` that begin from `from` to before `to`."""

    class_name: Literal["TimeSlice"] = Field(alias="class")
    start: float = Field(0, ge=0, alias="from", description="In seconds.")
    end: float | None = Field(None, gt=0, alias="to", description="In seconds; default: the end of the transcript.")

    @model_validator(mode="after")
    def _check_slice(self) -> TimeSlice:
        check_order("from", self.start, "to", None if self.end is None else math.nextafter(self.end, 0))
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
