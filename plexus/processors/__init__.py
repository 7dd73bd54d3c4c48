"""Processors prepare a text before it is scored. If one fails, the score fails; the raw text is never scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from plexus import limits
from plexus.exceptions import DeadlineExceeded, PlexusError, ProcessorFailed
from plexus.language.prices import weigh
from plexus.limits import Meter
from plexus.processors import transcripts, windows, words
from plexus.values import Item

if TYPE_CHECKING:
    from plexus.configuration.processors import Processor

#: Units of work that each processor takes for a character, on the text that is slowest for it. RelevantWindows pays for
#: fuzzy matches as it compares them.
PRICES = {
    "CustomerTurnsOnly": 100,
    "EnumerateSpeakers": 200,
    "ExpandContractions": 300,
    "RelevantWindows": 300,
    "RemoveSpeakerIdentifiers": 100,
    "RemoveStopWords": 300,
    "TimeSlice": 50,
    "TranscriptFormat": 50,
}
_FROM_METADATA = ("TimeSlice", "TranscriptFormat")
_LONG = 1_000_000
_PIECE_BYTES = 150  # a word, sentence or turn, with its place and its pointers


def create_processor(configuration: Processor) -> Callable[[Item], str]:
    """Create one processor: a function from an item to its new text, which raises ScoringFailed if it cannot."""
    if configuration.class_name == "RemoveSpeakerIdentifiers":
        return transcripts.remove_identifiers
    if configuration.class_name == "CustomerTurnsOnly":
        return transcripts.create_customer_filter(configuration)
    if configuration.class_name == "EnumerateSpeakers":
        return transcripts.create_enumerator(configuration)
    if configuration.class_name == "TranscriptFormat":
        return transcripts.create_renderer(configuration)
    if configuration.class_name == "TimeSlice":
        return transcripts.create_time_slicer(configuration)
    if configuration.class_name == "RemoveStopWords":
        return words.create_stop_word_filter(configuration)
    if configuration.class_name == "ExpandContractions":
        return words.expand_contractions
    return windows.create_window_filter(configuration)


def create_chain(configurations: Sequence[Processor]) -> Callable[[Item], Item]:
    """Return all processors, in order, as one function of an item; without any, the item is returned unchanged.

    The function raises ProcessorFailed, naming the processor, if one fails, and if no text is left at the end,
    unless a placeholder is empty; DeadlineExceeded passes unchanged.
    """
    steps = [(configuration.class_name, create_processor(configuration)) for configuration in configurations]
    if not steps:  # no copy of the item, no try block: most scores have no processors
        return _return_unchanged

    # An empty placeholder is an author's wish: the original's windows score an empty text.
    may_be_empty = any(getattr(each, "placeholder", None) == "" for each in configurations)

    def process(item: Item) -> Item:
        meter = limits.create_score_meter("the processors")
        for name, step in steps:
            try:
                _pay(meter, name, item)
                with limits.use_meter(meter):
                    item = replace(item, text=step(item))
            except DeadlineExceeded:
                raise
            except PlexusError as error:
                raise ProcessorFailed(f"the processor {name} failed: {error}") from error
            except Exception as error:
                # The exception's own message may quote the text, and this one is logged.
                raise ProcessorFailed(f"the processor {name} failed: {type(error).__name__}") from error
        if not may_be_empty and not (item.text or "").strip():
            raise ProcessorFailed(f"no text is left after the processors ({', '.join(name for name, _ in steps)})")
        return item

    return process


def _pay(meter: Meter, name: str, item: Item) -> None:
    text = item.text or ""
    meter.pay(PRICES[name] * (weigh(item.metadata.get("transcript")) if name in _FROM_METADATA else len(text)))
    if len(text) > _LONG:  # a shorter one cannot fill the memory
        meter.need(_PIECE_BYTES * sum(map(str.isspace, text)))


def _return_unchanged(item: Item) -> Item:
    return item
