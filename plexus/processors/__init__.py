"""What is done to a text before it is scored. A processor that fails fails the score: never the unprocessed text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plexus.exceptions import PlexusError, ScoringFailed
from plexus.processors import speakers, transcript, windows, words
from plexus.processors.step import Process
from plexus.values import Item

PROCESSORS: dict[str, Callable[[Any], Process]] = {
    "RemoveSpeakerIdentifiers": speakers.remove_identifiers,
    "CustomerTurnsOnly": speakers.customer_only,
    "EnumerateSpeakers": speakers.enumerate_speakers,
    "RemoveStopWords": words.remove_stop_words,
    "ExpandContractions": words.expand_contractions,
    "RelevantWindows": windows.relevant_windows,
    "TranscriptFormat": transcript.formatted,
    "TimeSlice": transcript.time_slice,
}


def chain(configurations: Sequence[Any]) -> Process:
    """All processors, in order, as one function; raises ScoringFailed naming the processor that failed."""
    steps = [(each.class_name, PROCESSORS[each.class_name](each)) for each in configurations]
    if not steps:
        return _unchanged

    def process(item: Item) -> Item:
        for name, step in steps:
            try:
                item = step(item)
            except PlexusError as error:
                raise ScoringFailed(f"the processor {name} failed: {error}") from error
            except Exception as error:
                # An unexpected message may quote the text, and this one ends in logs: its kind must do.
                raise ScoringFailed(f"the processor {name} failed: {type(error).__name__}") from error
        if not (item.text or "").strip():
            raise ScoringFailed(f"after the processors ({', '.join(name for name, _ in steps)}) no text is left")
        return item

    return process


def _unchanged(item: Item) -> Item:
    return item
