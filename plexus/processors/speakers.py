"""Find the labels of speakers in transcripts: wherever they are, in the forms that programs and people write.

A label is certain or possible. A filter for privacy must not let the words after a possible label pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace

from plexus.processors.speaker_words import (
    COMMON,
    CORE,
    CUSTOMERS,
    DEPARTMENTS,
    GLUE,
    MODIFIERS,
    PARTICLES,
    PEOPLE,
    TITLES,
)
from plexus.text import fold

# Names of speakers, folded, as role and other parts: `Customer 2`, `spk_0`, `Jane (Customer)`.
_NUMBER = re.compile(r"[\s#_-]*\d+$")
_NUMBERED = re.compile(
    r"(?:speaker|spk|participant|person|voice|channel|user|spkr|unknown speaker)[\s_#-]*(?:\d+|[a-z])?"
)
_NESTED = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]")

# Parts of a line. All repetitions are bounded or cannot overlap, so that matching is linear.
_TIME = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_STAMP = rf"[\[(]?(?:{_DATE}[,T ]{{0,2}})?{_TIME}Z?(?:\s*(?:-->|-|–)\s*{_TIME})?[\])]?[ \t,|–—-]{{0,3}}"
_PREFIX = re.compile(rf"[ \t>*•#_|–—-]{{0,8}}(?:\d{{1,5}}[.)][ \t])?(?:{_STAMP}){{0,2}}(?:From[ \t])?[*_\[<(]{{0,3}}")
_STAMPED = re.compile(rf"(?:{_STAMP}){{1,2}}[*_]{{0,2}}$")
_TAIL = re.compile(rf"[ \t,–—-]{{0,3}}[\[(]?{_TIME}[\])]?$")
_UNSEEN = "\u00ad\u200b-\u200f\u2060\ufeff"
_TOKEN = re.compile(rf"\([^()\n]{{1,30}}\)|\[[^\[\]\n]{{1,30}}\]|[\w#@][\w'’&#@/.{_UNSEEN}-]{{0,39}}")
# Line ends of all systems, without a change of places; a carriage return before a line feed is a blank.
_LINE_ENDS = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")
_NAME = r"[^\W\d_][\w'’&#.-]{0,39}(?:[ \t][\w#(][\w'’&#.()-]{0,39}){0,3}"
_VOICE = re.compile(r"<v(?:\.[\w.]{1,20})?[ \t]+([^<>\n]{1,60})>")
_BRACKETED = re.compile(
    r"(?:\[([^\[\]\n]{1,60})\]|<([^<>\n]{1,60})>|\(([^()\n]{1,60})\))(?![:：])[ \t]*(?:[-–—][ \t])?"
)
_AFTER_COLON = re.compile(r"[*_]{0,2}[ \t]*")
_START = rf"(?m)^([ \t>*•#_|–—-]{{0,8}}(?:{_STAMP}){{0,2}})"
_SEPARATED = re.compile(rf"{_START}({_NAME})(?:[ \t]?>[ \t]|[ \t]?\|[ \t]|\t|[ \t][-–—][ \t])")
_ALONE = re.compile(rf"{_START}[*_]{{0,2}}({_NAME})[*_]{{0,2}}([ \t,–—-]{{0,4}}[\[(]?{_TIME}[\])]?)?[ \t]*$")
_REACH = 100  # characters before a colon that may belong to a label
_MAXIMUM_WORDS = 4
_SENTENCE_ENDS = ".!?…。！？؟;|>])}•–—*_~"


@dataclass(frozen=True, slots=True)
class Label:
    """A label from `start` (its time included) to `end`, where the words of the speaker begin.

    `is_customer` is whether the name is the customer's, `is_certain` whether it is a speaker's label at all.
    """

    start: int
    end: int
    name: str
    is_customer: bool
    is_certain: bool
    is_core: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A label that may be one. `place` is `line`, `stamp`, `turn`, `sentence` or `word`: what is before it.

    Within a sentence, `before` is the word before it, folded; `is_first` if that begins the sentence or the line.
    """

    start: int
    end: int
    name: str
    place: str
    before: str = ""
    is_first: bool = False


class Names:
    """Names of speakers: those of the customer, of others, and words that are none, as a scorecard declares them."""

    def __init__(
        self, customers: Iterable[str] = CUSTOMERS, others: Iterable[str] = (), words: Iterable[str] = ()
    ) -> None:
        self.customers = {_fold_name(name) for name in customers}
        self.others = {_fold_name(name) for name in others}
        self.words = {_fold_name(name) for name in words}

    def is_customer(self, name: str) -> bool:
        """Return whether a name is the customer's; a number after it counts only if it was declared with one."""
        folded = _fold_name(name)
        if folded in self.customers or _NUMBER.sub("", folded) in self.customers:
            return folded not in self.words
        nested = _NESTED.fullmatch(folded)
        parts = [nested[1], nested[2]] if nested else []
        return any(map(self.is_customer, parts)) and not any(map(self.is_other, parts))

    def is_other(self, name: str) -> bool:
        """Return whether a name is certainly another speaker's: declared, or the name of a role."""
        folded = _fold_name(name)
        if folded in self.words or self.is_customer(name):
            return False
        bare = _NUMBER.sub("", folded)
        if {folded, bare} & self.others or bare in PEOPLE or bare in CUSTOMERS or _NUMBERED.fullmatch(folded):
            return True
        words = bare.split()
        nested = _NESTED.fullmatch(folded)
        if nested:
            return self.is_other(nested[1]) or self.is_other(nested[2])
        if len(words) > 1 and words[0] in CUSTOMERS and words[-1] in DEPARTMENTS:
            return True
        return words[-1:] != [] and words[-1] in PEOPLE and all(word in MODIFIERS for word in words[:-1])

    def is_known(self, name: str) -> bool:
        """Return whether a name is the customer's or certainly another's."""
        return self.is_customer(name) or self.is_other(name)


def find_labels(text: str, names: Names) -> list[Label]:
    """Return the labels of a text in order, certain and possible ones; they do not overlap."""
    text = _LINE_ENDS.sub("\n", text.replace("\r\n", " \n")).replace("\u00a0", " ")
    candidates = list(_find_candidates(text, names))
    learnt = _learn(text, candidates, names)
    if learnt:  # now they are found within sentences, too
        names = _add_others(names, learnt)
        candidates = list(_find_candidates(text, names))
    known = [entry for entry in candidates if names.is_known(entry.name)]
    forms = {_classify_case(entry.name) for entry in known if entry.place != "word"}
    # Labels follow words without a mark between them, as in the output of machines.
    is_plain = any(entry.place == "word" and entry.before not in GLUE for entry in known)
    labels: list[Label] = []
    for entry in sorted(candidates, key=lambda entry: (entry.start, -entry.end)):
        certain = _is_certain(entry, names, forms, is_plain)
        if certain is not None and (not labels or entry.start >= labels[-1].end):
            core = _NUMBER.sub("", _fold_name(entry.name)) in CORE or bool(_NUMBERED.fullmatch(_fold_name(entry.name)))
            labels.append(Label(entry.start, entry.end, entry.name, names.is_customer(entry.name), certain, core))
    return labels


def _is_certain(candidate: _Candidate, names: Names, forms: Set[str], is_plain: bool) -> bool | None:
    """Return whether a candidate is certainly a label; None if it certainly is none.

    `forms` are the cases of known labels at the beginning of a line, a sentence or a turn. If the text `is_plain`,
    labels are within lines without punctuation.
    """
    name = candidate.name
    if not names.is_known(name):
        if _fold_name(name) in names.words or all(map(is_common, name.split())):
            return None
        if candidate.place == "word":
            return None if (candidate.before in GLUE or name.islower()) and not is_plain else False
        words = _fold_name(name).split()
        # `Claims Adjuster`
        return words[-1:] != [] and words[-1] in PEOPLE and not set(words) & (COMMON | GLUE) and not name.islower()
    if candidate.place != "word":
        return True
    is_alike = not forms or _classify_case(name) in forms
    if candidate.before in GLUE:  # `I asked the agent: …` is prose, unless labels look like that, too
        return False if is_alike or is_plain or candidate.is_first else None
    return is_alike and candidate.before != '"'


def _learn(text: str, candidates: Iterable[_Candidate], names: Names) -> set[str]:
    """Return the names that the transcript itself shows to be speakers.

    They recur as labels, have a time before them, or label every line.
    """
    unknown = [
        each
        for each in candidates
        if each.place != "word" and not names.is_known(each.name) and _is_certain(each, names, set(), False) is False
    ]
    unknown = [each for each in unknown if each.place != "sentence" or not each.name.islower()]
    counts = Counter(_fold_name(each.name) for each in unknown)
    learnt = {_fold_name(each.name) for each in unknown if counts[_fold_name(each.name)] > 1 or each.place == "stamp"}
    at_lines = {each.start: _fold_name(each.name) for each in candidates if each.place in ("line", "stamp")}
    lines = sum(1 for line in text.splitlines() if line.strip())
    if lines > 1 and len(at_lines) >= lines and len(set(at_lines.values())) > 1:
        learnt |= {_fold_name(each.name) for each in unknown if each.place == "line"}
    return learnt


def _add_others(names: Names, learnt: set[str]) -> Names:
    more = Names((), (), ())
    more.customers, more.others, more.words = names.customers, names.others | learnt, names.words
    return more


def _find_candidates(text: str, names: Names) -> Iterator[_Candidate]:
    last = -1
    for match in re.finditer(r"[:：]", text):
        result = _read_before_colon(text, match.start(), last, names)
        if result is not None:
            last = result.end
            yield result
    yield from _find_without_colon(text, names)


def _read_before_colon(text: str, colon: int, last: int, names: Names) -> _Candidate | None:
    """Return the candidate that ends with a colon, if there is one; `last` is the end of the candidate before it."""
    after = text[colon + 1 : colon + 2]
    if after in ("/", ":") or (after.isdigit() and text[colon - 1 : colon].isdigit()):
        return None
    begin = max(0, colon - _REACH, last)
    line = text.rfind("\n", begin, colon) + 1
    begin = max(begin, line)
    head = text[begin:colon].rstrip(" \t*_")
    head = _TAIL.sub("", head).rstrip(" \t*_,")
    for stamp in re.finditer(_STAMP, head):  # `10:05 AM Jane Doe`
        if stamp.end() < len(head):
            begin, head = begin + stamp.end(), head[stamp.end() :]
            break
    words = _read_last_words(head)
    emphasis = _AFTER_COLON.match(text, colon + 1, colon + 40)
    end = colon + 1 if emphasis is None else emphasis.end()
    for count in range(len(words), 0, -1):
        name = head[words[-count][0] :]
        if names.is_known(name):
            return _locate(text, begin + words[-count][0], end, name, last)
    if not words or after.isdigit() or after in tuple("\\=)"):
        return None
    whole = _locate(text, begin + words[0][0], end, head[words[0][0] :], last)
    if whole.place != "word" and _is_like_a_name(whole.name, whole.place):
        return whole
    for start, _ in words:  # `hi Jane: …` in a transcript without punctuation
        name = head[start:]
        is_last = start == words[-1][0]
        if (_is_like_a_name(name, "word") or is_last) and not any(map(is_common, name.split())):
            result = _locate(text, begin + start, end, name, last)
            return result if result.place == "word" else None
    return None


def _read_last_words(head: str) -> list[tuple[int, int]]:
    """Return the (start, end) of up to four words at the end of the head that one space sets apart."""
    words: list[tuple[int, int]] = []
    end = len(head)
    for match in reversed(list(_TOKEN.finditer(head))):
        gap = head[match.end() : end]
        is_first = not words
        if gap.strip(" _") or len(gap) > 2 or (is_first and gap) or len(words) == _MAXIMUM_WORDS:
            break
        if not is_first and match[0][0] in "([":
            break
        if not is_first and match[0].endswith(".") and fold(match[0]).rstrip(".") not in TITLES and len(match[0]) > 2:
            break
        words.insert(0, match.span())
        end = match.start()
    return words


def _locate(text: str, start: int, end: int, name: str, last: int) -> _Candidate:
    """Return a candidate with the kind of place that it is in: see `_Candidate`."""
    begin = max(0, start - _REACH)
    line = text.rfind("\n", begin, start) + 1
    is_line = line > begin or begin == 0
    before = text[max(begin, line) : start]
    if is_line and _PREFIX.fullmatch(before):
        place = "stamp" if re.search(_TIME, before) else "line"
        return _Candidate(start - len(before), end, name, place)
    if last >= 0 and not text[last:start].strip():
        return _Candidate(start, end, name, "turn")
    stamp = _STAMPED.search(before.rstrip(" \t") + " " if before.endswith((" ", "\t")) else before)
    if stamp:
        return _Candidate(start - len(before) + stamp.start(), end, name, "stamp")
    marks = len(before) - len(before.rstrip(" \t*_[<("))
    rest = before[: len(before) - marks]
    sign = rest[-1:]
    if sign in "\"'”’»" and sign:
        place = "word" if rest[-2:-1].isspace() or len(rest) < 2 or "(" in before[-marks:] else "sentence"
        return _Candidate(start - marks, end, name, place, '"' if place == "word" else "")
    if marks == 0 and sign in tuple("/\\@=&"):
        return _Candidate(start - marks, end, name, "word", "the")  # a part of an address
    if sign in _SENTENCE_ENDS or not (sign.isalnum() or sign in ",:：“‘«「("):
        return _Candidate(start - marks, end, name, "sentence")
    words = re.findall(r"[\w'’]+", rest[-40:])
    if not words or not sign.isalnum():
        return _Candidate(start - marks, end, name, "word")
    lead = rest[: -len(words[-1])].rstrip(" \t\"'”’»")
    return _Candidate(
        start - marks, end, name, "word", fold(words[-1]), not lead or not (lead[-1].isalnum() or lead[-1] in ",'’-")
    )


def _find_without_colon(text: str, names: Names) -> Iterator[_Candidate]:
    """Yield labels without a colon: in brackets, tags or a line of their own, or before a dash or a bar."""
    for match in _VOICE.finditer(text):
        yield _Candidate(match.start(), match.end(), match[1].strip(), "stamp")
    bracketed = list(_BRACKETED.finditer(text))
    forms = {match[0][0] for match in bracketed if names.is_known(match[match.lastindex or 1])}
    for match in bracketed:
        name = match[match.lastindex or 1].strip()
        result = _locate(text, match.start() + 1, match.end(), name, -1)
        result = replace(result, start=min(result.start, match.start()))
        if names.is_known(name):
            yield replace(result, place=result.place.replace("word", "sentence"))
        elif re.search(_TIME, name) or not name:
            continue
        elif match[0][0] in forms or (result.place in ("line", "stamp") and _is_like_a_name(name, "word")):
            yield replace(result, place="line")
    for pattern in (_SEPARATED, _ALONE):
        matches = list(pattern.finditer(text))
        # A dash or a line of its own sets speakers apart in a text in which it does so for a known one.
        is_form = any(names.is_known(match[2]) for match in matches)
        for match in matches:
            place = "stamp" if re.search(_TIME, match[1] + (match[3] or "" if pattern is _ALONE else "")) else "line"
            is_unknown = (is_form or place == "stamp") and _is_like_a_name(match[2], "sentence")
            if names.is_known(match[2]) or (is_unknown and not match[2].islower()):
                yield _Candidate(match.start(), match.end(), match[2], place)


def _is_like_a_name(name: str, place: str) -> bool:
    """Return whether words look like a name: all capitalised, or one word in a script or a line without capitals."""
    words = name.split()
    if ("/" in name and "." in name) or (name[0].isdigit() and not name.isdigit()):
        return False
    if all(not word.islower() or word[0] in "#([" or _is_uncased(word) or word in PARTICLES for word in words):
        return not name.islower() or _is_uncased(name)
    return len(words) == 1 and place != "word"


def is_common(word: str) -> bool:
    """Return whether a word is never part of a name; a capital letter may be, as in `A: …` and `B: …`, except `I`."""
    bare = word.rstrip(".")
    return _fold_name(word) in COMMON and (len(bare) > 1 or not bare.isupper() or bare == "I")


def _is_uncased(word: str) -> bool:
    return word.lower() == word.upper() and any(character.isalpha() for character in word)


def _classify_case(name: str) -> str:
    letters = "".join(filter(str.isalpha, name))
    if _NUMBERED.fullmatch(_fold_name(name)) and letters.islower():
        return "id"  # `spk_0`: other words in lower case are not labels for that
    return "lower" if letters.islower() else "upper" if letters.isupper() and len(letters) > 1 else "title"


def _fold_name(name: str) -> str:
    return fold(name).strip(" *_.-")
