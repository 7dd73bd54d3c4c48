"""Transcripts as text: lines that begin with a speaker, and what the speaker says until the next one begins."""

from __future__ import annotations

from dataclasses import dataclass

from plexus import patterns

# Up to three capitalised or numbered words before a colon; a time or a URL is not a speaker.
SPEAKER = r"(?m)^[ \t]*(\pL[\pL\pN_'.-]*(?: [\pL\pN#][\pL\pN_'.-]*){0,2})[ \t]*:(?:[ \t]+|$)"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at a stretch; `speaker` is None for what stands before the first speaker."""

    speaker: str | None
    text: str

    def __str__(self) -> str:
        return self.text if self.speaker is None else f"{self.speaker}: {self.text}"


def turns(text: str) -> list[Turn]:
    """The turns of a transcript in order; a text without speakers is one turn."""
    pattern = patterns.compiled(SPEAKER)
    found = list(pattern.finditer(text))
    starts = [match.start() for match in found] + [len(text)]
    made = [Turn(None, text[: starts[0]].strip())] if text[: starts[0]].strip() else []
    for match, end in zip(found, starts[1:], strict=True):
        made.append(Turn(match.group(1), text[match.end() : end].strip()))
    return made
