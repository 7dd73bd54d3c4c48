"""The class that a reply names: whole words and signs, folded; a reply that names two classes names none."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from plexus.graph.assertions import ANSWERS, GLUED, is_asserted
from plexus.graph.attributions import find_retraction, is_declined
from plexus.graph.denials import LETTERS, drop_keys, fold_words, hide_negation, is_denied
from plexus.text import fold

_TOKEN = re.compile(rf"\d+(?:[.,]\d+)+|[{LETTERS}]+")
# `<5`, `-1`, `A+`, `50%`: these signs beside a word make another class of it.
_LEAD = "<>≤≥=±~≈+-$€£#@"
_TRAIL = re.compile(r"[+#%*-]*")
_WORDS = re.compile(rf"[{LETTERS}]+")
_INITIALS = re.compile(r"(?<![^\W_])[^\W\d_](?:(?:\.[^\W\d_])+\.?|(?:[./][^\W\d_])+)(?![^\W_])")
_PAUSE = re.compile(r"[—―]|–(?!\d)")
_MINUS = re.compile(r"\A\s*-\s+\d\W*")  # a number in a list, or minus a number
_BULLET = re.compile(r"^\s*[-*•]\s+(?=\S)")
# Two such items are a list of findings, and not the answer: `- Verified: Yes`, `- Closed politely: unclear`.
_FINDING = re.compile(
    rf"(?i)\A\s*+(?:[-*•]|\d+[.)])\s++(?![^:]*\b(?:{ANSWERS}|confidence|certainty)\b)[^:]{{1,80}}:\W*\w+(?:[ /]\w+)?\W*"
)
_WORD_END = re.compile(r"\w\Z")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
# The scale of `4 out of 5` and `4/5` is not a class of its own.
_SCALE = re.compile(r"(?<=\d)\s*\(?(?:/|(?:out )?of(?: the)?\b)\s*\d+\)?")
# `是` is "yes", and also the "is" of `答案是：否`.
_COPULA = re.compile(r"(?:答案|回答|结果|結果|结论|結論|判断|判斷|分类|分類|类别|類別)是(?=\s*[:\"'「『《])")
_INTRODUCING = {"is", "be", "es", "ist", "est", "è", "é", "är", "er", "jest"}

# `Yes, it does.` answers; `Positive: the colour` and `Positive words are rare` may be a list or a remark.
_OPENING = re.compile(r"[\"'*`)]*(?:\s*[,;.!]|\s+(?:because|since|as|weil|denn|car|parce|porque|perché|omdat)\b)")
# Characters before a class to look at for words that touch it; `\A` matches nothing within the text.
_NEAR = 40
# `A` is a grade, and the first word of `A good call`.
_LETTER = re.compile(r"[a-zà-ÿ]")
_GRADED = re.compile(r"(?:[:=]|\b(?:grade|class|category|option|answer|choice|label|rating|level|group))[^\w]*\Z")
_NEXT_WORD = re.compile(r"[\"'*`)]*\s+(?!(?:is|was|because|since|as|for|fits|applies|seems)\b)\w")


@dataclass(frozen=True)
class _Shape:
    """A class as it is compared: signs before it, its words, signs after it, and whether hyphens join the words."""

    lead: str
    words: tuple[str, ...]
    trail: str
    is_joined: bool

    def spellings(self) -> set[str]:
        """Return the spellings that are this class; those of two classes have to differ."""
        joints = (" ", "") if self.is_joined else (" ",)
        return {f"{self.lead}{joint.join(self.words)}{self.trail}" for joint in joints}


class _Named(NamedTuple):
    """A class in a segment of a reply; offsets in characters of the segment, end exclusive."""

    label: str
    start: int
    end: int
    is_negated: bool
    is_framed: bool  # by words that assert a class

    @property
    def is_asserted(self) -> bool:
        """Whether the reply gives the class as an answer here."""
        return self.is_framed and not self.is_negated


class _Segment(NamedTuple):
    """A folded line or sentence, and the classes that it names, in any order."""

    text: str
    is_line: bool
    named: tuple[_Named, ...]

    def find_conclusion(self, from_start: bool) -> str | None:
        """Return the class with which the segment ends, if it is introduced or stands alone; None otherwise."""
        if len({(each.label, each.is_negated) for each in self.named}) != 1 or self.named[0].is_negated:
            return None
        start, end = min(each.start for each in self.named), max(each.end for each in self.named)
        before = self.text[:start]
        is_alone = (self.is_line or from_start) and not _TOKEN.search(before)
        is_conclusion = (is_alone or _is_introduced(before)) and not _TOKEN.search(self.text[end:])
        return self.named[0].label if is_conclusion else None

    def find_opening(self) -> str | None:
        """Return the class with which the segment begins, if it is an answer: `Yes, because …`; None otherwise."""
        first = min(self.named, key=lambda each: each.start)
        is_opening = not _TOKEN.search(self.text[: first.start]) and _OPENING.match(self.text[first.end :])
        return first.label if is_opening and not first.is_negated else None


def parse_label(reply: str, classes: Sequence[str], *, from_start: bool = False) -> str | None:
    """Return the class that the reply names; None if it names none, or several and none of them as its conclusion.

    Case and punctuation are ignored and only whole words match; of overlapping classes the longer one wins. The
    conclusion is the last line or sentence that names a class: either a line with the class alone, or one that ends
    with it behind words such as `Answer:`. With `from_start` it is the first one, and a sentence with the class alone
    is enough. Another conclusion must not differ.
    """
    segments = _drop_mentions(_find_segments(reply, tuple(classes)))
    named = [each for each in segments if each.named]
    retraction = find_retraction([each.text for each in segments])
    is_last = from_start or not any(each.named for each in segments[retraction:])
    is_retracted = is_last and any(each.named for each in segments[:retraction])
    if is_retracted or is_declined(each.text for each in segments):
        return None
    everything = {(found.label, found.is_negated) for each in named for found in each.named}
    if len(everything) == 1:
        label, is_negated = everything.pop()
        return None if is_negated else label
    conclusions = [each.find_conclusion(from_start) for each in named]
    openings = [each.find_opening() for each in named]
    if len({label for label in (*conclusions, *openings) if label is not None}) != 1:
        return None
    return conclusions[0 if from_start else -1]


def _drop_mentions(segments: Sequence[_Segment]) -> list[_Segment]:
    """Return the segments without what names a class neither as an answer nor as denied, if another place asserts it.

    A mention of a class that no place asserts is kept as a denial: `The transcript rules a Yes out.`
    """
    asserted = {each.label for segment in segments for each in segment.named if each.is_asserted}
    return [
        segment._replace(
            named=tuple(
                each._replace(is_negated=not each.is_asserted)
                for each in segment.named
                if each.is_framed or each.is_negated or each.label not in asserted
            )
        )
        for segment in segments
    ]


def match_label(value: str, classes: Sequence[str]) -> str | None:
    """Return the class that a value consists of, None if it is not one of the classes."""
    spellings = _spellings(value)
    return next((label for label in classes if spellings & _spellings(label)), None)


def find_collisions(classes: Sequence[str]) -> list[tuple[str, str]]:
    """Return each pair of classes that a reply could not tell apart, and (class, "") for one without any sign."""
    owners: dict[str, str] = {}
    collisions: list[tuple[str, str]] = []
    for label in dict.fromkeys(classes):
        others = [owners[spelling] for spelling in sorted(_spellings(label)) if spelling in owners]
        collisions += [(label, other) for other in dict.fromkeys(others)]
        collisions += [(label, "")] if not fold(label) else []
        owners |= dict.fromkeys(_spellings(label), label)
    return collisions


def _find_segments(reply: str, classes: tuple[str, ...]) -> list[_Segment]:
    """Return the sentences of a reply with the classes that they name; a line without an inner full stop is one."""
    segments: list[_Segment] = []
    carried, is_signed = "", any(label[0] == "-" for label in classes)
    lines = _PAUSE.sub(" ; ", _join_initials(drop_keys(reply))).splitlines()
    findings = {line for line in lines if _FINDING.fullmatch(line)}
    for line in lines:
        bullet = None if is_signed and _MINUS.fullmatch(line) else _BULLET.match(line)
        sentences = _SENTENCE.split(line[bullet.end() :] if bullet else line)
        parts = [folded for part in sentences if (folded := fold_words(part).replace("_", " "))]
        for part in parts:
            begun = "" if bullet or part is not parts[0] else carried
            named = _find_named(part, classes, begun)
            if line in findings and len(findings) > 1:
                named = [each._replace(is_framed=False) for each in named]
            segments.append(_Segment(part, len(parts) == 1, tuple(named)))
        # A line that ends without a full stop may run on in the next.
        carried = parts[-1] if parts and _WORD_END.search(parts[-1]) else ""
    return segments


def _fold(text: str) -> str:
    """Fold a text; `N/A` is NA, `Didn't` is Didnt, and an underscore separates words."""
    return fold_words(_join_initials(text)).replace("_", " ")


def _join_initials(text: str) -> str:
    return _INITIALS.sub(lambda match: re.sub(r"[./]", "", match[0]), text)


@functools.lru_cache(maxsize=1024)
def _shape(label: str) -> _Shape | None:
    """Return the shape of a class; None if it has no words, such as `+`."""
    folded = _fold(label)
    runs = list(_WORDS.finditer(folded))
    if not runs:
        return None
    start, end = runs[0].start(), runs[-1].end()
    core, trail = folded[start:end], _TRAIL.match(folded, end)
    lead = folded[len(folded[:start].rstrip(_LEAD)) : start]
    is_joined = re.search(rf"[{LETTERS}]-[{LETTERS}]", core) is not None
    return _Shape(lead, tuple(_TOKEN.findall(core)), trail[0] if trail else "", is_joined)


def _is_introduced(before: str) -> bool:
    """Return whether a text ends with a word such as `is`, or with a colon and no word behind it."""
    runs = list(_WORDS.finditer(before))
    behind = before[runs[-1].end() :] if runs else before
    return ":" in behind or "=" in behind or bool(runs and runs[-1][0] in _INTRODUCING)


def _spellings(label: str) -> set[str]:
    shape = _shape(label)
    return {fold(label)} if shape is None else shape.spellings()


@functools.lru_cache(maxsize=1024)
def _pattern(label: str) -> re.Pattern[str]:
    """Return the pattern of a class in a folded text."""
    shape = _shape(label)
    if shape is None:
        sign = fold(label)
        return re.compile(
            rf"(?<![{LETTERS}{re.escape(sign[:1])}]){re.escape(sign)}(?![{LETTERS}{re.escape(sign[-1:])}])"
        )
    middle = rf"[^{LETTERS}]{'*' if shape.is_joined else '+'}".join(map(re.escape, shape.words))
    if _is_glued(label):
        return re.compile(f"{re.escape(shape.lead)}{middle}{re.escape(shape.trail)}")
    # `Yes` is a word of its own in `答えはYesです`; digits are not, as in `4月`.
    first, last = (r"" if word.isdigit() else rf"|(?<=[{GLUED}])" for word in (shape.words[0][0], shape.words[-1][-1]))
    last = last.replace("?<=", "?=")
    before, after = rf"(?:(?<![{LETTERS}])(?<![{LETTERS}]-){first})", rf"(?:(?![{LETTERS}])(?!-[{LETTERS}]){last})"
    if not shape.lead and shape.words[0][0].isdigit():
        before += r"(?<![<>≤≥~≈-])(?<![<>≤≥~≈-] )(?<![<>]=)(?<!\d[.,])"
    if shape.trail:
        after += "(?![+#])"
    elif shape.words[-1][-1].isdigit():
        after += r"(?![.,]\d)(?! ?%)(?!\+)"
    else:
        after += "(?![+#])" + ("(?!-)" if len("".join(shape.words)) == 1 else "")
    return re.compile(f"{before}{re.escape(shape.lead)}{middle}{re.escape(shape.trail)}{after}")


@functools.lru_cache(maxsize=256)
def _patterns(classes: tuple[str, ...]) -> tuple[list[tuple[str, str, re.Pattern[str]]], bool]:
    """Return (class, its first word, its pattern) of each class, and whether all of them are numbers."""
    firsts = [(label, shape.words[0] if (shape := _shape(label)) else fold(label)) for label in classes]
    return [(label, first, _pattern(label)) for label, first in firsts if first], all(map(_is_number, classes))


def _find_named(segment: str, classes: tuple[str, ...], carried: str) -> list[_Named]:
    """Return the classes that a folded segment names, without those inside a longer one.

    `carried` is the line before, if it runs on into the segment.
    """
    segment, spans = _find_outermost(segment, classes)
    if not spans:
        return []
    segment = _hide_negations(segment, spans)
    # Of two classes in one sentence none is read, asserted or not, unless one is only a part of the other's words.
    is_open = len({label for *_, label in spans}) > 1 and not any(
        before[1] > after[0] for before, after in pairwise(spans)
    )
    return _drop_shadowed(
        [
            _Named(
                label,
                start,
                end,
                is_open or is_denied(segment, start, end, carried, is_number=segment[start:end].isdecimal()),
                _is_framed(segment, start, end),
            )
            for start, end, label in spans
        ]
    )


def _find_outermost(segment: str, classes: tuple[str, ...]) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the segment without scales, with words apart, and (start, end, class) in it; none lies inside another."""
    patterns, are_numbers = _patterns(classes)
    if are_numbers:
        segment = _SCALE.sub("", segment)
    if not segment.isascii():
        segment = _COPULA.sub(lambda match: f"{match[0][:-1]} ", segment)
    # Looking for the word alone is ten times faster, and most sentences name no class.
    present = [(label, pattern) for label, first, pattern in patterns if first in segment]
    spans = [(*match.span(), label) for label, pattern in present for match in pattern.finditer(segment)]
    outermost: list[tuple[int, int, str]] = []
    reached, last = -1, (-1, -1)
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reached or (start, end) == last:
            outermost.append((start, end, label))
            last = (start, end)
        reached = max(reached, end)
    return segment, outermost


def _hide_negations(segment: str, spans: list[tuple[int, int, str]]) -> str:
    """Replace negations inside the classes: the No of `No, it is a yes` is an answer and negates nothing."""
    pieces: list[str] = []
    at = 0
    for start, end in dict.fromkeys(span[:2] for span in spans):
        pieces += (segment[at:start], hide_negation(segment[max(at, start) : end]))
        at = end
    return "".join((*pieces, segment[at:]))


def _drop_shadowed(named: list[_Named]) -> list[_Named]:
    """Leave out classes that share letters with an asserted one.

    In `答えはいいえ`, the last letter of a word and the first of the next make another class.
    """
    asserted = [each for each in named if each.is_asserted]
    starts = [each.start for each in asserted]

    def is_shadowed(each: _Named) -> bool:
        place = bisect_right(starts, each.start)
        return any(_overlaps(each, other) for other in asserted[max(0, place - 1) : place + 1])

    return [each for each in named if not is_shadowed(each)]


@functools.lru_cache(maxsize=1024)
def _is_glued(label: str) -> bool:
    """Return whether a class begins or ends in a script whose words touch each other."""
    shape = _shape(label)
    return shape is not None and any(re.match(f"[{GLUED}]", word) for word in (shape.words[0][0], shape.words[-1][-1]))


def _is_framed(segment: str, start: int, end: int) -> bool:
    """Return whether the words around a class assert it, and it is surely no part of another word."""
    if _LETTER.fullmatch(segment[start:end]):
        near = max(0, start - _NEAR)
        return _GRADED.search(segment, near, start) is not None or not _NEXT_WORD.match(segment, end)
    return is_asserted(segment, start, end)


def _overlaps(named: _Named, other: _Named) -> bool:
    """Return whether a class that is not named after all shares letters with one that is."""
    return not named.is_asserted and named.start < other.end and other.start < named.end


def _is_number(label: str) -> bool:
    shape = _shape(label)
    return shape is not None and all(word[0].isdigit() for word in shape.words)
