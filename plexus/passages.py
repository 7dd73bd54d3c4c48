"""Passages of a text: its sentences, a quotation, and the passage most similar to a phrase."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from plexus import limits, patterns
from plexus.limits import Meter
from plexus.text import fold, fold_places

# A sentence ends with its marks (and quotes or brackets that close it) before white space, or with its line.
# Possessive quantifiers try a run of marks once, from its first mark: the time stays linear in the text.
_CLOSING = r"[\"'”’)\]]*+(?=\s|$)"
_SENTENCE = re.compile(
    rf"[.!?…]{{2,}}+{_CLOSING}|[^\s].*?(?:(?<![.!?…])[.!?…]++{_CLOSING}|$)",
    re.MULTILINE,
)
_LONGEST = 10  # characters of an abbreviation
_ABBREVIATION = re.compile(r"\b(?:[Mm]rs?|[Mm]s|[Dd]r|[Ss]t|vs|e\.g|i\.e|approx|[A-HJ-Z])\.$")
_WORD = re.compile(r"\S+")
#: A window has as many words as the phrase, or this many more or fewer: words may be split or joined.
_SLACK = 1
#: Units of work for a character of a window, and for a pair of equal characters.
_WINDOW, _PAIR = 100, 200
# Characters of a phrase that Python's integers compare with another at once.
_PAIRS = 60
#: The least similarity of a passage that a model's quotation may mean, from 0 to 1.
CUT_OFF = 0.87
# One wrong letter makes another word of a shorter quotation.
_SHORTEST = 6
_MARKS = ".,;:!?…\"'“”‘’«»()[]*`> \t\r\n"
_QUOTES = "\"'“”‘’«» \t\r\n"
_LABEL = re.compile(r"\A[^\w]*+(?:[\w'’]++\s++){0,4}[\w'’]++[*\s]*+[:：][*\s]*")
_QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]+)[\"“”»]")
_MARKUP = re.compile(r"[*`]|(?<!\w)_|_(?!\w)|(?m:^[^\S\n]*+>\s?)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TIME = re.compile(r"\A\W*\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?\W+")
_DIGITS = re.compile(r"\d+")
_NEGATION = re.compile(
    r"(?<!\w)(?:not|no|never|nobody|nothing|none|neither|nor|without|cannot|nicht|kein\w*|nie|ohne|ne|n'\w+|pas|jamais|"
    r"sans|nunca|sin|non|mai|senza|não|sem|niet|geen|zonder|bez|не|нет|без|ikke|inte|değil|không|tidak|नहीं|ليس|لا)(?!\w)|"
    r"n't(?!\w)"
)
_NEGATING_SIGN = re.compile("[不没沒無无非未]|ない|ません|않|못|없")
_SLIP = 0.75  # the least similarity of a negation and its misspelling, from 0 to 1
_OPPOSITES = ("un", "in", "im", "ir", "il", "dis", "non", "mis")


@dataclass(frozen=True)
class Passage:
    """A piece of a text, as the text spells it.

    `start` and `end` are offsets in characters, end exclusive; both are -1 for a passage that is not in the text.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SimilarPassage:
    """A passage with its `similarity` to a phrase, from 0 to 1; offsets in characters, end exclusive."""

    text: str
    start: int
    end: int
    similarity: float


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence in order, in characters, end exclusive. A line break ends a sentence."""
    spans: list[tuple[int, int]] = []
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        if spans and _is_continued(text, spans[-1], start):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _is_continued(text: str, before: tuple[int, int], start: int) -> bool:
    """Return whether the end of the span before is only the full stop of `Mr.` or of an initial."""
    return "\n" not in text[before[1] : start] and bool(
        _ABBREVIATION.search(text, max(before[0], before[1] - _LONGEST), before[1])
    )


def find_verbatim(text: str, quoted: str) -> Passage | None:
    """Find a quotation's first occurrence in the folded text; runs of white space are equal.

    Only whole words match: in `The part`, neither `he` nor `art` is found.
    """
    parts = [re.escape(part) for part in fold(quoted).split()]
    if not parts:
        return None
    folded, pattern = fold_places(text), re.compile(r"\s+".join(parts), re.IGNORECASE)
    match = pattern.search(folded.text)
    while match and not patterns.is_whole_word(folded.text, *match.span()):
        match = pattern.search(folded.text, match.start() + 1)
    if match is None:
        return None
    start, end = folded.find_span(*match.span())
    return Passage(text[start:end], start, end)


def align(text: str, quoted: str) -> Passage | None:
    """Find the passage of the text that a model's quotation means; None if there is none that is similar enough.

    A label (`Quote:`), quotation marks, markup, HTML entities, and points added at the ends are not part of the
    quotation. If none of these forms is in the text word for word, the most similar passage counts if its similarity
    is at least CUT_OFF (about one wrong letter in eight), and it has the same numbers and as many negations.
    """
    forms = _list_forms(quoted)
    for form in forms:
        if (exact := find_verbatim(text, form)) is not None:
            return exact
    similar = [
        (passage, form)
        for form in forms
        if len(fold(form)) >= _SHORTEST
        and (passage := find_similar(text, form, CUT_OFF)) is not None
        and _has_same_sense(fold(passage.text), fold(form))
    ]
    if not similar:
        return None
    best, form = max(similar, key=lambda pair: pair[0].similarity)
    # A mark at the end belongs to the passage if the quotation has it, too.
    start = best.start + len(best.text) - len(best.text.lstrip(_MARKS.replace(form[0], "")))
    end = best.end - (len(best.text) - len(best.text.rstrip(_MARKS.replace(form[-1], ""))))
    return Passage(text[start:end], start, end)


def _has_same_sense(passage: str, quoted: str) -> bool:
    """Return whether no number, negation or negating prefix sets two folded texts apart: `issued`, `not issued`."""
    if any(pattern.findall(passage) != pattern.findall(quoted) for pattern in (_DIGITS, _NEGATING_SIGN)):
        return False
    words, others = (re.findall(r"[\w']+", each) for each in (passage, quoted))
    apart = set(words) ^ set(others)
    if any(f"{prefix}{word}" in apart for word in apart for prefix in _OPPOSITES):
        return False
    if len(_NEGATION.findall(passage)) == len(_NEGATION.findall(quoted)):
        return True
    # `newer` is a slip of `never`, and `now` is not one of `not`.
    negations = {word for word in apart if _NEGATION.search(word)}
    return all(
        get_close_matches(word, [other for other in apart - negations if not _is_opposite(word, other)], cutoff=_SLIP)
        for word in negations
    )


def _is_opposite(negation: str, word: str) -> bool:
    """Return whether a word is a negation without what negates in it: `can't` and `can`, `none` and `one`."""
    return negation.endswith(word) or (negation.endswith("n't") and negation.startswith(word))


def strip_label(quoted: str) -> str:
    """Return a quotation without a label of up to five words before it, such as `Quote:`."""
    label = _LABEL.match(quoted)
    return quoted[label.end() :] if label else quoted


def _list_forms(quoted: str) -> list[str]:
    """Return what a reply may quote, the most literal form first."""
    forms = [quoted, strip_label(quoted), _TIME.sub("", quoted), _TAG.sub("", quoted)]
    # Several quotations in one reply are not one passage.
    inner = _QUOTED.findall(quoted)
    if len(inner) == 1:
        forms.append(inner[0])
    forms += [_MARKUP.sub("", form) for form in forms]
    forms += [spelt for form in forms for spelt in (html.unescape(form), html.escape(form, quote=False))]
    forms += [form.strip(_QUOTES) for form in forms]
    forms += [form.strip(_MARKS) for form in forms]
    return [form for form in dict.fromkeys(form.strip() for form in forms) if form]


def find_similar(text: str, phrase: str, threshold: float = 0.0) -> SimilarPassage | None:
    """Find the passage of whole words that is most similar to the phrase, the first of equals.

    Similarity is twice the number of equal characters divided by the length of both, case and surrounding punctuation
    ignored. Returns None if no passage reaches the threshold.
    """
    folded_phrase = _strip_marks(phrase)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded_phrase)
    best: SimilarPassage | None = None
    meter = limits.get_meter()
    meter.pay(_WINDOW * len(text))
    for start, end in _list_windows(text, len(folded_phrase.split())):
        least = threshold if best is None else best.similarity
        meter.pay(_WINDOW * (end - start + len(folded_phrase)))
        similarity = _compare(matcher, _strip_marks(text[start:end]), folded_phrase, least, meter)
        if similarity >= threshold and (best is None or similarity > best.similarity):
            best = SimilarPassage(text[start:end], start, end, round(similarity, 4))
            if similarity == 1:
                break
    return best


def compare_whole(phrase: str, text: str) -> float:
    """Return the similarity of two texts, 0 to 1: twice the longest common subsequence by the length of both."""
    if not phrase or not text:
        return 0.0
    return 2 * _count_common(phrase, text) / (len(phrase) + len(text))


def _count_common(phrase: str, text: str) -> int:
    """Return the length of the longest common subsequence, by bits: one addition for each character of the text."""
    limits.get_meter().pay(len(text) * (1 + len(phrase) // _PAIRS))
    places: dict[str, int] = {}
    for place, character in enumerate(phrase):
        places[character] = places.get(character, 0) | 1 << place
    every = open_places = (1 << len(phrase)) - 1
    for character in text:
        matching = open_places & places.get(character, 0)
        open_places = ((open_places + matching) | (open_places - matching)) & every
    return len(phrase) - open_places.bit_count()


def has_similar_part(first: str, second: str, threshold: float) -> bool:
    """Return whether the shorter text is like a part of the longer one, whole words or not, as `compare_whole` says.

    A part is as long as the shorter text, or shorter at an end of the longer one.
    """
    shorter, longer = sorted((first, second), key=len)
    size = len(shorter)
    if not size or shorter in longer:
        return bool(size)
    if size == len(longer) and _has_similar_window(longer, shorter, threshold):
        return True
    return _has_similar_window(shorter, longer, threshold)


def _has_similar_window(phrase: str, text: str, threshold: float) -> bool:
    size = len(phrase)
    limits.get_meter().pay(_WINDOW * (size + len(text)))
    left, common = Counter(phrase), 0  # characters of the phrase that the window does not have, and that it has
    for end in range(1, len(text) + size):
        if end <= len(text):
            left[text[end - 1]] -= 1
            common += left[text[end - 1]] >= 0
        if end > size:
            common -= left[text[end - size - 1]] >= 0
            left[text[end - size - 1]] += 1
        window = text[max(0, end - size) : end]
        if 2 * common >= threshold * (size + len(window)) and compare_whole(phrase, window) >= threshold:
            return True
    return False


def _strip_marks(passage: str) -> str:
    """Fold the passage and strip the marks around it, unless it consists of marks only."""
    folded = fold(passage)
    return folded.strip(".,;:!?\"'()") or folded


def _list_windows(text: str, size: int) -> Iterator[tuple[int, int]]:
    spans = [match.span() for match in _WORD.finditer(text)]
    sizes = dict.fromkeys((size, max(1, size - _SLACK), size + _SLACK))
    for index in range(len(spans)):
        for length in sizes:
            if index + length <= len(spans):
                yield spans[index][0], spans[index + length - 1][1]


def _compare(matcher: SequenceMatcher[str], passage: str, folded_phrase: str, least: float, meter: Meter) -> float:
    """Return the similarity; 0 as soon as a cheap upper bound shows that it cannot reach `least`."""
    if passage == folded_phrase:
        return 1.0
    matcher.set_seq1(passage)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    # It looks at each pair of equal characters, and may do so again in every part that is left.
    places = Counter(folded_phrase)
    meter.pay(_PAIR * sum(places[character] for character in passage))
    return matcher.ratio()
