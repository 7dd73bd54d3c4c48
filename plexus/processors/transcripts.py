"""Processors of transcripts: texts with labels of speakers (`Agent: Hello.`), and `metadata.transcript`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from plexus.exceptions import ScoringFailed
from plexus.processors.attribution import drop_notices, find_doubtful
from plexus.processors.speakers import Label, Names, find_labels
from plexus.text import fold
from plexus.values import Item

if TYPE_CHECKING:
    from plexus.configuration.processors import CustomerTurnsOnly, EnumerateSpeakers, TimeSlice, TranscriptFormat


# The lines before each part of subtitles (SRT, WebVTT): its number, and its times.
_CUE = re.compile(r"(?m)^(?:\d{1,6}\r?\n)?[\d:.,]{5,12} --> [\d:.,]{5,12}.{0,80}$")


@dataclass(frozen=True, slots=True)
class Turn:
    """The words of one speaker until the next one; `speaker` is None for the text before the first label."""

    speaker: str | None
    text: str

    def __str__(self) -> str:
        return self.text if self.speaker is None else f"{self.speaker}: {self.text}"


def split_turns(text: str, labels: Sequence[Label] | None = None) -> list[Turn]:
    """Split a transcript into turns, in order, at the labels that are certain; a text without speakers is one turn."""
    certain = [each for each in labels or find_labels(text, Names()) if each.is_certain]
    starts = [each.start for each in certain] + [len(text)]
    listed = [Turn(None, text[: starts[0]].strip())] if text[: starts[0]].strip() else []
    for label, end in zip(certain, starts[1:], strict=True):
        listed.append(Turn(label.name, _read_words(text, label, end)))
    return listed


def remove_identifiers(item: Item) -> str:
    """Remove the speakers of a transcript: `Agent: hello` becomes `hello`.

    A text is a transcript if a speaker recurs, if two speakers have the names of roles, or if it begins with one of the
    usual roles. In any other text, such as a review with headings, nothing is removed.
    """
    text = item.text or ""
    labels = [each for each in find_labels(text, Names()) if each.is_certain]
    names = {fold(each.name) for each in labels}
    roles = sum(Names().is_known(each.name) for each in labels)
    begins = bool(labels) and labels[0].is_core and not text[: labels[0].start].strip()
    if not (begins or roles > 1 or len(names) < len(labels)):
        return text
    pieces, at = [], 0
    for label in labels:
        before = text[at : label.start]
        pieces.append(before + " " if before and not before[-1].isspace() else before)
        at = label.end
    return "".join([*pieces, text[at:]]).replace("</v>", "")


def create_customer_filter(configuration: CustomerTurnsOnly) -> Callable[[Item], str]:
    """Create the processor that keeps the customer's turns, without the speaker.

    It raises ScoringFailed if there are none, and if another speaker's words may be among them: a privacy filter never
    lets pass what it cannot attribute.
    """
    names = Names(configuration.speakers, configuration.others, configuration.not_speakers)

    def process(item: Item) -> str:
        text = item.text or ""
        labels = find_labels(text, names)
        certain = [each for each in labels if each.is_certain]
        following = zip_longest(certain, certain[1:])
        kept = [(label, after.start if after else len(text)) for label, after in following if label.is_customer]
        if not kept:
            listed = ", ".join(sorted(names.customers))
            count = f"{len(certain)} turns with a speaker"
            raise ScoringFailed(f"no turn is the customer's: got {count}, expected a speaker among {listed}")
        _refuse_ambiguous(text, labels, kept, names)
        return "\n".join(drop_notices(_read_words(text, label, end)) for label, end in kept)

    return process


def _create_ambiguity(offset: int) -> ScoringFailed:
    return ScoringFailed(
        f"the turns are ambiguous: the words before character {offset} may be a speaker's label. "
        "next: name it in `others` or in `not_speakers`"
    )


def _refuse_ambiguous(text: str, labels: Sequence[Label], kept: Sequence[tuple[Label, int]], names: Names) -> None:
    """Raise ScoringFailed if a possible label, or an unlabelled line, could be another speaker's within the turns."""
    for entry in labels:
        within = any(label.start < entry.start < end for label, end in kept)
        if not entry.is_certain and (within or entry.is_customer):
            raise _create_ambiguity(entry.end)
    doubtful = find_doubtful(text, kept, labels, names)
    if doubtful is not None:
        raise _create_ambiguity(doubtful + 1)
    if all(label.is_customer for label in labels if label.is_certain):
        for label, end in kept:
            if "\n" in _read_words(text, label, end):
                raise ScoringFailed(
                    "the turns are ambiguous: only the customer has a label, and a line after character "
                    f"{label.end} has none. next: name the other speakers in `others`"
                )


def _read_words(text: str, label: Label, end: int) -> str:
    """Return the words between a label and the next one, without the times and tags of subtitles."""
    return _CUE.sub("", text[label.end : end]).replace("</v>", "").strip()


def create_enumerator(configuration: EnumerateSpeakers) -> Callable[[Item], str]:
    """Create the processor that replaces each speaker's name by the label and a number, by first appearance."""

    def process(item: Item) -> str:
        listed = split_turns(item.text or "")
        names = dict.fromkeys(fold(turn.speaker) for turn in listed if turn.speaker is not None)
        numbers = {name: number for number, name in enumerate(names, start=1)}
        renamed = [
            turn if turn.speaker is None else Turn(f"{configuration.label} {numbers[fold(turn.speaker)]}", turn.text)
            for turn in listed
        ]
        return "\n".join(map(str, renamed))

    return process


def create_renderer(configuration: TranscriptFormat) -> Callable[[Item], str]:
    """Create the processor that renders `metadata.transcript`, a line per turn: `[01:05] Agent: Hello.`"""

    def process(item: Item) -> str:
        return _render(_read_transcript(item), timestamps=configuration.timestamps)

    return process


def create_time_slicer(configuration: TimeSlice) -> Callable[[Item], str]:
    """Create the processor that renders the turns of `metadata.transcript` that begin within the slice, end excluded.

    It raises ScoringFailed if there are none.
    """

    def process(item: Item) -> str:
        kept = [turn for turn in _read_transcript(item) if _is_inside(_read_start(turn), configuration)]
        if not kept:
            raise ScoringFailed("no turn of the transcript begins within the slice")
        return _render(kept, timestamps=False)

    return process


def _is_inside(start: float, configuration: TimeSlice) -> bool:
    return start >= configuration.start and (configuration.end is None or start < configuration.end)


def _render(listed: Iterable[Mapping[str, object]], *, timestamps: bool) -> str:
    return "\n".join(_render_turn(turn, timestamps=timestamps) for turn in listed)


def _render_turn(turn: Mapping[str, object], *, timestamps: bool) -> str:
    time = ""
    if timestamps:
        minutes, seconds = divmod(int(_read_start(turn)), 60)
        time = f"[{minutes:02}:{seconds:02}] "
    speaker = turn.get("speaker")
    return f"{time}{speaker}: {turn['text']}" if speaker else f"{time}{turn['text']}"


def _read_start(turn: Mapping[str, object]) -> float:
    start = turn.get("start")
    if isinstance(start, bool) or not isinstance(start, (int, float)):
        raise ScoringFailed("a turn of the transcript has no `start` in seconds")
    return float(start)


def _read_transcript(item: Item) -> list[Mapping[str, object]]:
    """Return the item's transcript. Raises ScoringFailed if it has none, or one of another shape."""
    listed = item.metadata.get("transcript")
    if not isinstance(listed, list) or not listed:
        raise ScoringFailed("the item's metadata has no `transcript` (a list of {speaker, text, start, end})")
    if not all(isinstance(turn, Mapping) and isinstance(turn.get("text"), str) for turn in listed):
        raise ScoringFailed("a turn of the transcript is not a map with a `text`")
    return listed
