"""The number that a reply gives: never a scale, a range, a date or a reason; several different numbers give none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from plexus.graph.attributions import find_retraction, is_declined
from plexus.graph.denials import drop_keys, fold_words, is_denied

# An atomic group tries a run once, from its first sign: the time stays linear in the reply. Python 3.11.2, which the
# image has, matches the possessive quantifier of a group wrongly: `4,` by `\d(?:,\d)*+`.
_NUMBER = r"(?>\d+(?:,\d{3})*(?:\.\d+)?)|\.\d++"
# Where a number may begin: not within digits, nor at the thousands of one that began before.
_BEGIN = r"(?<!\d)(?!(?<=\d,)\d{3}(?!\d))"
_NEAR = 300  # characters around a number, and at both ends of its sentence, that may deny it
# `at least 4`, `>4` and `4+` give no number, but `=> 4`, `> 4` and `<b>4</b>` do.
_BOUND_BEFORE = re.compile(
    r"(?:[<≤≥]=?|(?<![\w\"'=/>-])>=?(?!\s)|\b(?:at (?:least|most)|(?:more|less|fewer|higher|lower) than|over|under|"
    r"above|below|up to|mindestens|höchstens|(?:mehr|weniger) als|au (?:moins|plus)|(?:plus|moins) de|al menos|"
    r"(?:más|menos) de|hasta|deduct(?:s|ed|ing)?|subtract(?:s|ed|ing)?|docked|lost)\b)\s*\Z",
    re.IGNORECASE,
)
_BOUND_AFTER = re.compile(
    r"\+(?!\d)|\s+or (?:more|less|fewer|higher|lower|above|below)\b|(?:\s+\w+)? (?:is|was|are|were) "
    r"(?:deducted|subtracted|docked|lost|my (?:first|initial) \w+)\b",
    re.IGNORECASE,
)
# `3 to 5` names no number, and in `4/5`, `4 stars out of 5` or `4 (of 5)` the second number is the scale.
_RANGE = re.compile(
    rf"(?i)(?:{_BEGIN}(?:{_NUMBER}))\s*(?:[-–—~]|\.\.+|…|to|through|until|bis|a|à|do|до)\s*(?:{_NUMBER})|"
    rf"between\s+(?:{_NUMBER})\s+and\s+(?:{_NUMBER})"
)
_STARS = (
    r"sterne?n?|punkten?|étoiles?|points?|estrellas?|puntos?|stelle|punti|estrelas?|pontos?|sterren|punten|"
    r"\w*зв[её]зд\w*|балл\w*"
)
_SCALE = re.compile(
    rf"(?i)(?<=\d)[*_`]{{0,3}}\s*\(?(?:/|(?:out )?of(?: the| a)?\b)\s*(?:{_NUMBER})|(?<=[^\W\d_])\s*/\s*(?:{_NUMBER})"
    # `4 von 5`, `4 étoiles sur 5`, `5点満点中4点`
    rf"|(?<=\d)(?: (?:{_STARS}))? (?:von|sur|de|sobre|su|van(?: de)?|av|af|из|na|od)\b\s*(?:{_NUMBER})"
    r"|(?<!\d)\d{1,4} ?(?:[分点點](?=中の?\d)|点満点|[分点點][满滿]分|점 ?만점)(?:中の?|에서?|[,，、])?"
    r"|\b\d{1,4} üzerinden\b|(?:[满滿]分|満点は?) ?\d{1,4} ?[分点點]?"
    rf"|\(?\b(?:out of|scale of|maximum of|max\.?)(?: a| the)?(?: possible| total of)?\s+(?:{_NUMBER})"
)
# A sum is no number: `2 + 2`. With its result it is several: `3 + 4 = 7`.
_SUM = re.compile(rf"{_BEGIN}(?:{_NUMBER})(?>(?:\s?[+×÷]\s?(?:{_NUMBER}))+)(?!\s*=)")
_MONTH = (
    r"(?:jan(?:uar[yi]?|vier)?|ene(?:ro)?|gennaio|feb(?:ruar[yi]?|rero|braio)?|févr?(?:ier)?|mar(?:ch|s|zo|ec)?|märz|"
    r"apr(?:il[e]?)?|avr(?:il)?|abril|ma[yij]|mayo|maggio|jun[ei]?|junio|juin|giugno|jul[yi]?|julio|juil(?:let)?|luglio|"
    r"aug(?:ust)?|avgust|ao[uû]t|agosto|sept?(?:i?embre|ember)?|o[ck]t(?:ob(?:er|re)|ubre)?|ottobre|"
    r"nov(?:i?embre|ember)?|de[cz](?:ember)?|déc(?:embre)?|dic(?:i?embre)?)\b\.?"
)
# `4 a.m.`, `March 4`, `den 4. März`, `Q4 2025`, `since 2019`
_DATES = re.compile(
    r"(?i)\b\d{1,4}([/.-])\d{1,2}\1\d{1,4}\b|\b\d{1,2}(?::\d{2}){1,2}\b|\b24/7\b|"
    r"\b\d{1,2} ?(?:[ap]\.?m\b\.?|o'clock|uhr|heures)|"
    rf"\b(?:{_MONTH} \d{{1,2}}|\d{{1,2}}(?:\.|er| de| d[ei])? {_MONTH})(?!\w)(?:(?:,| del?)? \d{{4}}\b)?|"
    r"\bq[1-4] \d{4}\b|\b(?:in|since|by|until|during|from|of|year|seit|depuis|desde) (?:19|20)\d\d\b"
)
_DATE = " \ue000 "
# `line 7`, `#7` and `4th of 5` name a place.
_PLACES = re.compile(
    r"(?i)\b(?:lines?|pages?|steps?|sections?|questions?|paragraphs?|chapters?|turns?|rows?|rules?|"
    r"criteri(?:on|a)|items?|tables?|tickets?|orders?|cases?|rooms?|flights?|invoices?|tier(?= \d+ [a-z])|"
    r"no\.)\s*#?\d+\b"
    r"(?![.,]\d)|(?<![\w#])#\d+\b(?![.,]\d)|\b\d+(?:st|nd|rd|th)\b(?:\s+(?:out )?of(?: the)?\s+\d+\b)?|"
    r"\b(?:versions?|ios|android|windows|python|iphone)\s\d+(?:\.\d+)*"
)
_ENUMERATOR = re.compile(r"(?m)^[^\S\n]*+\d++[.)]\s++(?=\S)")
# The first line's number is no answer if another number, or a range, is all that follows.
_LINE_NUMBER = re.compile(r"(?m)^[^\S\n]*+1[.)]\s++(?=[^\w\n]*+\d[\d.,/ –—か或和と-]*+[^\w\n]*+$)")
# `Confidence: 90%` beside a rating
_CERTAINTY = re.compile(r"(?im)^[^\w\n]*+(?:confidence|certainty)\b[^\w\n]*\d[^\n]*$")
# `1. Polite: 4` and `2. Quick: 5` are findings before `Overall: 4`.
_OVERALL = r"(?:overall|total|final|rating|score|answer|result|verdict)"
_FINDING = re.compile(
    rf"(?im)^[^\S\n]*+(?:[-*•]|\d+[.)])[^\S\n]++(?![^:\n]*\b{_OVERALL}\b)[^:\n]{{1,80}}:[^\w\n]*\d\S*[^\w\n]*$"
)
_CONCLUDING = re.compile(rf"(?im)^[^\w\n]*+{_OVERALL}\b[^:=\n]{{0,30}}[:=]\W*\d")
_FULL_WIDTH = {0xFEE0 + code: code for code in range(0x21, 0x7F)}
_EMPHASIS = re.compile(r"(?<!\w)(_{1,3})(?=\S)([^_\n]+)\1(?!\w)")
# `1,000` is a thousand. `3,5` may be three and a half, or a list: only the model can say which.
_COMMAS = re.compile(r"(?<![\d.,])\d+(?:,\d+)+(?:\.\d+)?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
# In scripts without spaces a number may touch the words that introduce or end it, and its unit: `答えは4です`, `4分。`.
# Touched by anything else, it is part of another word: `4月` is a month, and `4分遅れた` four minutes late.
_TOUCHED = r"(?<=[为為是选選择擇给給打得于於はがも])(?<!\d.)"
_TOUCHING = (
    r"(?=です|でし|だ|であ|とな|にな|입니다|이다|이에요|예요|으로|로|점|点(?:です|だ|満)|(?:颗|顆)?星|[分点點](?!\w))"
)
_SIGNED = re.compile(
    rf"(?:(?<![\w.])(?<!\d,)|{_TOUCHED})(?<![^\W\d_]-)(?P<sign>(?:(?i:minus|negative)\s+|[-+−–])?)(?P<digits>{_NUMBER})"
    rf"(?P<unit>k|K|M| ?(?i:thousand|million)|)(?![.,]\d)"
    rf"(?! ?[¼-¾⅐-⅞]| and an? (?:half|third|quarter)\b)(?:(?!\w)|{_TOUCHING})"
)
_UNITS = {"": 1, "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}
_SPELT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = {word: str(number) for number, word in enumerate(re.findall(r"\w+", _SPELT))}
_WORD = re.compile(
    rf"(?i)(?<![\w-])(?<!hundred )(?<!thousand )(?<!hundred and )(?:{'|'.join(_WORDS)})(?![\w-])"
    r"(?!\s+(?:hundred|billion|dozen|and a (?:half|quarter)|point)\b)"
)
# `four (4)`: the number in words and in digits.
_TWICE = re.compile(rf"{_WORD.pattern} ?\(\d{{1,9}}\)|(?<!\d)\d{{1,9}} ?\({_WORD.pattern[4:]}\)", re.IGNORECASE)
_REASON = re.compile(r"(?i)\b(?:because|since|due to|given|owing to|thanks to|on account of)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_INTRODUCED = re.compile(
    r"(?i)(?:[:=]|\b(?:is|be|say|(?:give|rate|score)s?(?: it| this)?|rated|scored|rating of|score of|at))(?: an?)?\Z"
)
_LONGEST_INTRODUCTION = 20  # characters: `scores this an`, and what comes before
# `4 stars`: at most two words may follow the number of a conclusion.
_ENDING = re.compile(r"[^\w]*(?:[^\W\d]+[^\w]*){0,2}\Z")


@dataclass(frozen=True)
class _Segment:
    """A sentence or line with the numbers in it; `is_conclusion` if it consists of one that is introduced or alone.

    `is_alone` says that no word comes before the first number; `ending` is the number that ends the segment, and
    `is_denied` that it denies a number: `not 4`.
    """

    numbers: frozenset[Decimal]
    is_conclusion: bool
    is_alone: bool
    ending: Decimal | None
    is_denied: bool


def parse_number(reply: str, *, from_start: bool = False) -> Decimal | None:
    """Return the number that the reply gives; None if it gives none, or several and none of them as its conclusion.

    Scales (`/5`, `out of 5`), ranges, dates, times, numbered lists and what follows `because` in a sentence do not
    count; `1.5k` is 1500. A number in words (zero to twenty) counts if the reply has no digits. The conclusion is the
    last sentence or line with a number (the first, with `from_start`): the number alone, or behind words such as
    `Rating:`. Another conclusion must not differ.
    """
    reply = _TWICE.sub(lambda match: _WORD.sub(_spell, match[0]), reply)
    text = reply if re.search(r"\d", reply) else _WORD.sub(_spell, reply)
    is_spelt = text != reply
    sentences = [part for line in _clean(text).splitlines() for part in _SENTENCE.split(line)]
    segments = list(map(_read_segment, sentences))
    folded = list(map(fold_words, sentences))
    retraction = find_retraction(folded)
    is_last = from_start or not any(segment.numbers for segment in segments[retraction:])
    if is_declined(folded) or (is_last and any(segment.numbers for segment in segments[:retraction])):
        return None
    segments = [segment for segment in segments if segment.numbers]
    everything = frozenset().union(*(segment.numbers for segment in segments))
    # A word such as `one` counts as a conclusion only: `no one` is not 1.
    if len(everything) == 1 and not is_spelt and not any(segment.is_denied for segment in segments):
        return next(iter(everything))
    concluded = {number for segment in segments if segment.is_conclusion for number in segment.numbers}
    final = segments[0 if from_start else -1] if segments else None
    if len(concluded) != 1 or final is None or not final.is_conclusion:
        return None
    number = concluded.pop()
    # In `I would say 3. 7.` the second number alone does not take back the first.
    is_open = final.is_alone and not from_start and any(each.ending not in (None, number) for each in segments)
    return None if is_open else number


def _spell(word: re.Match[str]) -> str:
    """Return the digits of a number in words."""
    return _WORDS[word[0].casefold()]


def _clean(text: str) -> str:
    """Remove the numbers that are no answer, except for reasons."""
    # Not NFKC, which makes 41 of `4½`, and 42 of `4²`.
    text = _EMPHASIS.sub(r"\2", drop_keys(text).translate(_FULL_WIDTH))
    text = _LINE_NUMBER.sub("", text)
    without = _CERTAINTY.sub("", text)
    text = without if re.search(r"\d", without) else text
    if len(_FINDING.findall(text)) > 1 and _CONCLUDING.search(text):
        text = _FINDING.sub("", text)
    if len(_ENUMERATOR.findall(text)) > 1:
        text = _ENUMERATOR.sub("", text)
    plain = _SUM.sub(" ", _SCALE.sub("", _RANGE.sub(" , ", _PLACES.sub(" ", _DATES.sub(_DATE, text)))))
    return _COMMAS.sub(lambda match: match[0] if _THOUSANDS.fullmatch(match[0]) else " ", plain)


def _read_segment(segment: str) -> _Segment:
    segment = _cut_reason(segment)
    matches = list(_SIGNED.finditer(segment))
    numbers = frozenset(map(_to_decimal, matches))
    is_introduced = bool(matches) and _is_introduced(segment[: matches[0].start()])
    # `In 2024 the customer paid 7 invoices` counts something, and `On May 4 it came: 5` answers.
    is_denied = (_DATE in segment and not is_introduced) or any(_is_denied(segment, *each.span()) for each in matches)
    is_conclusion = (
        len(numbers) == 1
        and not is_denied
        and is_introduced
        and _ENDING.match(segment[matches[-1].end() :]) is not None
    )
    is_ended = bool(matches) and not re.search(r"\w", segment[matches[-1].end() :])
    is_alone = bool(matches) and not re.search(r"\w", segment[: matches[0].start()])
    return _Segment(numbers, is_conclusion, is_alone, _to_decimal(matches[-1]) if is_ended else None, is_denied)


def _cut_reason(segment: str) -> str:
    """Return a sentence up to the first reason that follows a number."""
    digit = re.search(r"\d", segment)
    reason = _REASON.search(segment, digit.end()) if digit else None
    return segment[: reason.start()] if reason else segment


def _is_introduced(before: str) -> bool:
    """Return whether a text has no word, or ends with one such as `is`, or with a colon and no word behind it."""
    end = max((match.end() for match in re.finditer(r"\w+", before)), default=0)
    behind = before[end:]
    begin = max(0, end - _LONGEST_INTRODUCTION)
    return end == 0 or ":" in behind or "=" in behind or _INTRODUCED.search(before[begin:end]) is not None


def _is_denied(segment: str, start: int, end: int) -> bool:
    if _BOUND_BEFORE.search(segment[max(0, start - _NEAR) : start]) or _BOUND_AFTER.match(segment, end):
        return True
    before, after = fold_words(_ends_of(segment[:start])), fold_words(_ends_of(segment[end:]))
    return is_denied(f"{before} 0 {after}", len(before) + 1, len(before) + 2, is_number=True)


def _ends_of(text: str) -> str:
    """Return a text without what lies far from both of its ends."""
    return text if len(text) <= 2 * _NEAR else f"{text[:_NEAR]} {text[-_NEAR:]}"


def _to_decimal(match: re.Match[str]) -> Decimal:
    number = Decimal(match["digits"].replace(",", "")) * _UNITS[match["unit"].strip().casefold()]
    return number if match["sign"] in ("", "+") else -number
