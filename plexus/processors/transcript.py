"""TranscriptFormat and TimeSlice: the text made of `metadata.transcript`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plexus.exceptions import ScoringFailed
from plexus.processors.step import Process, with_text
from plexus.values import Item


def formatted(configuration: Any) -> Process:
    """One line for each turn: `[01:05] Agent: Hello.`, the time only where it is asked for."""

    def process(item: Item) -> Item:
        return with_text(item, _lines(_transcript(item), timestamps=configuration.timestamps))

    return process


def time_slice(configuration: Any) -> Process:
    """The turns that begin within the slice (its end excluded), one line each."""

    def process(item: Item) -> Item:
        kept = [turn for turn in _transcript(item) if _inside(_start(turn), configuration)]
        if not kept:
            raise ScoringFailed("no turn of the transcript begins within the slice")
        return with_text(item, _lines(kept, timestamps=False))

    return process


def _inside(start: float, configuration: Any) -> bool:
    return bool(start >= configuration.start and (configuration.end is None or start < configuration.end))


def _lines(turns: Iterable[Mapping[str, Any]], *, timestamps: bool) -> str:
    return "\n".join(_line(turn, timestamps=timestamps) for turn in turns)


def _line(turn: Mapping[str, Any], *, timestamps: bool) -> str:
    time = ""
    if timestamps:
        minutes, seconds = divmod(int(_start(turn)), 60)
        time = f"[{minutes:02}:{seconds:02}] "
    speaker = turn.get("speaker")
    return f"{time}{speaker}: {turn['text']}" if speaker else f"{time}{turn['text']}"


def _start(turn: Mapping[str, Any]) -> float:
    start = turn.get("start")
    if isinstance(start, bool) or not isinstance(start, (int, float)):
        raise ScoringFailed("a turn of the transcript has no `start` in seconds")
    return float(start)


def _transcript(item: Item) -> list[Mapping[str, Any]]:
    """Raises ScoringFailed when the item has no transcript, or one of another shape."""
    turns = item.metadata.get("transcript")
    if not isinstance(turns, list) or not turns:
        raise ScoringFailed("the item's metadata hold no `transcript` (a list of {speaker, text, start, end})")
    if not all(isinstance(turn, Mapping) and isinstance(turn.get("text"), str) for turn in turns):
        raise ScoringFailed("a turn of the transcript is not a map with a `text`")
    return turns
