"""KeywordClassifier: which class's words and patterns a text holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from plexus import patterns
from plexus.configuration.keyword import KeywordClassifier
from plexus.context import Context
from plexus.exceptions import ScoringFailed
from plexus.scores.base import Request, Scorer
from plexus.values import Outcome, Result

#: Where a match stands in the text: its first character and the one after its last.
Span = tuple[int, int]

_SHOWN = 5
_BEFORE = 60  # characters before a keyword in which a negation is looked for
_CUT = re.compile(r"^\S+")  # of `cannot`, cut in the middle, `not` would be left


@dataclass(frozen=True)
class Finder:
    """One class's value with its compiled patterns; `words` alone is checked for word boundaries of any script."""

    value: str
    words: Any | None
    others: tuple[Any, ...]

    def matches(self, text: str) -> list[Span]:
        """Every match, in the order of the text; a pattern that matches nothing at all (`x*`) has found nothing."""
        spans = patterns.spans(self.words, text) if self.words is not None else []
        if spans and not text.isascii():
            spans = [span for span in spans if patterns.whole(text, *span)]
        if not self.others:
            return spans
        return sorted({*spans, *(span for pattern in self.others for span in patterns.spans(pattern, text))})


class KeywordScorer(Scorer[KeywordClassifier]):
    """Deterministic, so it states no confidence; the explanation quotes what was found."""

    @override
    def prepare(self, context: Context) -> None:
        """Compiles every pattern once."""
        configuration = self.configuration
        if configuration.classes:
            listed = [(each.value, each.keywords, each.patterns) for each in configuration.classes]
            self.otherwise = configuration.default
        else:
            listed = [(configuration.found, configuration.keywords, configuration.patterns)]
            self.otherwise = configuration.not_found
        self.finders = [self._finder(*each) for each in listed]
        self.negation = self._negation(configuration.negations)

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One outcome per request."""
        if self.configuration.choose == "most" or self.negation is not None:
            return [self._most(request.text) for request in requests]
        return [self._first(request.text) for request in requests]

    def _finder(self, value: str, keywords: list[str], others: list[str]) -> Finder:
        sensitive = self.configuration.case_sensitive
        words = patterns.compiled(patterns.words(keywords), case_sensitive=sensitive) if keywords else None
        return Finder(value, words, tuple(patterns.compiled(each, case_sensitive=sensitive) for each in others))

    def _negation(self, negations: list[str]) -> Any | None:
        """Matches the end of what precedes a keyword: a negation and at most two words between."""
        if not negations:
            return None
        return patterns.compiled(rf"(?:{patterns.words(negations)})(?:\s+[^\s.,;:!?]+){{0,2}}\s*$")

    def _first(self, text: str) -> Outcome:
        for finder in self.finders:
            if spans := finder.matches(text):
                return self._found(finder.value, text, spans)
        return self._nothing()

    def _most(self, text: str) -> Outcome:
        """The class with most matches; a negated match speaks for the other class, where there are just two."""
        matches = [finder.matches(text) for finder in self.finders]
        counts = [0] * len(self.finders)
        for index, spans in enumerate(matches):
            for span in spans:
                if self._negated(text, span):
                    if len(counts) == 2:
                        counts[1 - index] += 1
                else:
                    counts[index] += 1
        if not any(counts):
            return self._nothing()
        if self.configuration.choose == "first":
            best = next(index for index, count in enumerate(counts) if count)
        else:
            best = counts.index(max(counts))
        return self._found(self.finders[best].value, text, sorted(span for spans in matches for span in spans))

    def _negated(self, text: str, span: Span) -> bool:
        if self.negation is None:
            return False
        begin = max(0, span[0] - _BEFORE)
        before = text[begin : span[0]]
        if begin and not text[begin - 1].isspace():
            before = _CUT.sub("", before)
        return bool(self.negation.search(before))

    def _found(self, value: str, text: str, spans: list[Span]) -> Result:
        quoted = dict.fromkeys([text[start:end].strip() for start, end in spans])
        shown = "”, “".join(list(quoted)[:_SHOWN])
        return self.result(value, f"Found “{shown}”.", None, {"matches": [list(span) for span in spans]})

    def _nothing(self) -> Outcome:
        if self.otherwise is None:
            return ScoringFailed(f"{self.configuration.name}: no class matches, and there is no default")
        return self.result(self.otherwise, "Found none of the words.", trace={"matches": []})
