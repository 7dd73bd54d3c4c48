"""KeywordClassifier: the class whose words and patterns a text contains."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from typing_extensions import override

from plexus import patterns
from plexus.configuration.scores import KeywordClassifier
from plexus.context import Context
from plexus.exceptions import PlexusError, ScoringFailed
from plexus.patterns import Pattern
from plexus.scores.scorer import Request, Scorer
from plexus.text import fold_places
from plexus.values import Outcome, Result

#: A match's (start, end) in characters, end exclusive.
Span = tuple[int, int]

_MOST_QUOTES = 5  # matches that an explanation quotes
_BEFORE = 60  # characters before a keyword that are searched for a negation
_CUT = re.compile(r"^\S+")  # `cannot`, cut in the middle, would leave a `not`


@dataclass(frozen=True)
class Finder:
    """A class's value with its compiled patterns. `words` search the folded text, `others` the text itself."""

    value: str
    words: Pattern | None
    others: tuple[Pattern, ...]
    case_sensitive: bool

    def find(self, text: str) -> list[Span]:
        """Return every non-empty match, in text order; each span once."""
        sensitive = self.case_sensitive
        spans = patterns.find_phrases(self.words, text, case_sensitive=sensitive) if self.words is not None else []
        if not self.others:
            return spans
        return sorted({*spans, *(span for pattern in self.others for span in patterns.find_spans(pattern, text))})


class KeywordScorer(Scorer[KeywordClassifier]):
    """Finds words and patterns. It is deterministic, so it states no confidence; the explanation quotes the matches."""

    @override
    def prepare(self, context: Context) -> None:
        """Compile every pattern."""
        configuration = self.configuration
        if configuration.classes:
            listed = [(each.value, each.keywords, each.patterns) for each in configuration.classes]
            self.otherwise = configuration.default
        else:
            listed = [(configuration.found, configuration.keywords, configuration.patterns)]
            self.otherwise = configuration.not_found
        self.finders = [self._create_finder(*each) for each in listed]
        self.negation = self._compile_negation(configuration.negations)

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one outcome per request; if no class matches and there is no default, a ScoringFailed."""
        is_counting = self.configuration.choose == "most" or self.negation is not None
        score = self._score_most if is_counting else self._score_first
        return [self._try(score, request.text) for request in requests]

    @staticmethod
    def _try(score: Callable[[str], Outcome], text: str) -> Outcome:
        try:
            return score(text)
        except PlexusError as error:  # a text with too many matches, or one that was not searched in time
            return error

    def _create_finder(self, value: str, keywords: list[str], others: list[str]) -> Finder:
        sensitive = self.configuration.case_sensitive
        phrases = patterns.join_phrases(keywords, case_sensitive=sensitive)
        words = patterns.compile_pattern(phrases, case_sensitive=sensitive) if phrases else None
        compiled = tuple(patterns.compile_pattern(each, case_sensitive=sensitive) for each in others)
        return Finder(value, words, compiled, sensitive)

    def _compile_negation(self, negations: list[str]) -> Pattern | None:
        """Compile a pattern for the end of what precedes a keyword: a negation, then at most two words."""
        if not negations:
            return None
        return patterns.compile_pattern(rf"(?:{patterns.join_phrases(negations)})(?:\s+[^\s.,;:!?]+){{0,2}}\s*$")

    def _score_first(self, text: str) -> Outcome:
        for finder in self.finders:
            if spans := finder.find(text):
                return self._create_match(finder.value, text, spans)
        return self._create_default()

    def _score_most(self, text: str) -> Outcome:
        """Choose the class with most matches; of exactly two classes, a negated match counts for the other one."""
        matches = [finder.find(text) for finder in self.finders]
        counts = [0] * len(self.finders)
        for index, spans in enumerate(matches):
            for span in spans:
                if self._is_negated(text, span):
                    if len(counts) == 2:
                        counts[1 - index] += 1
                else:
                    counts[index] += 1
        if not any(counts):
            return self._create_default()
        if self.configuration.choose == "first":
            best = next(index for index, count in enumerate(counts) if count)
        else:
            best = counts.index(max(counts))
        return self._create_match(self.finders[best].value, text, sorted(span for spans in matches for span in spans))

    def _is_negated(self, text: str, span: Span) -> bool:
        if self.negation is None:
            return False
        begin = max(0, span[0] - _BEFORE)
        before = text[begin : span[0]]
        if begin and not text[begin - 1].isspace():
            before = _CUT.sub("", before)
        return bool(self.negation.search(fold_places(before).text))

    def _create_match(self, value: str, text: str, spans: list[Span]) -> Result:
        quoted = dict.fromkeys([text[start:end].strip() for start, end in spans])
        listed = "”, “".join(list(quoted)[:_MOST_QUOTES])
        return self.result(value, f"Found “{listed}”.", None, {"matches": [list(span) for span in spans]})

    def _create_default(self) -> Outcome:
        if self.otherwise is None:
            return ScoringFailed(f"{self.configuration.name}: no class matches, and there is no default")
        return self.result(self.otherwise, "Found none of the words.", trace={"matches": []})
