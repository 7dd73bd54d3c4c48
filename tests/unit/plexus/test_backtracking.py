"""The readers of replies take steps in proportion to a reply's length, whatever it contains."""

import re

import pytest

from plexus import passages
from plexus.graph import labels, numbers, reply, surroundings
from plexus.graph.denials import fold_words
from tests.unit.plexus.backtracking import Steps

PARTS = [
    "<",
    " ",
    "1",
    "1,",
    "1,000,",
    "1.",
    "1 ",
    "1-",
    "'",
    "*",
    "_",
    "_a",
    "(",
    "\n",
    "\n ",
    "x'",
    "> ",
    ": ",
    ":",
    "a ",
    "|",
    "|-|\n",
    "`",
]
PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": pattern
    for module in (labels, numbers, passages, reply, surroundings)
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}
AT_ONE_PLACE = {
    *("labels._MINUS", "labels._OPENING", "labels._NEXT_WORD", "numbers._BOUND_AFTER", "numbers._ENDING"),
    *("reply._LEAKED_FIRST", "surroundings._FORMAT"),
}
"""Patterns that are matched behind a class or a number, and searched nowhere."""
BOUNDED = {"labels._GRADED"}
"""Patterns that are applied to a few dozen characters."""
LENGTHS = (24, 48, 96)
LINEAR = 2.6  # of the steps for the second half to those for the first; 2 if linear, 4 if quadratic


def count(name: str, text: str) -> int:
    """Count the steps of a pattern on a text."""
    steps = Steps(PATTERNS[name], text)
    return steps.match(0) if name in AT_ONE_PLACE else steps.search()


def is_linear(counts: list[int]) -> bool:
    """Whether the steps grow in proportion to the text, but for a constant."""
    return counts[2] - counts[1] <= LINEAR * max(1, counts[1] - counts[0])


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - BOUNDED))
def test_a_pattern_is_linear(name: str) -> None:
    """Twice as much of any repetition takes about twice the steps, also if the match fails at the end."""
    for part in PARTS:
        for tail in ("", "x"):
            counts = [count(name, (part * length)[:length] + tail) for length in LENGTHS]
            assert is_linear(counts), f"{part!r} … {tail!r}: {counts} steps for {LENGTHS} characters"


def test_the_count_finds_quadratic_patterns() -> None:
    """Patterns that are known to be quadratic are not counted as linear."""
    for pattern, part in ((r"\A\W*?[<>]*a", "<"), (r"\d+\s*to", "1"), (r"(?<=1).*because", "1"), (r"(?m)^\s*1", "\n")):
        counts = [Steps(re.compile(pattern), part * length).search() for length in LENGTHS]
        assert not is_linear(counts), (pattern, counts)


@pytest.mark.parametrize(
    "pattern", [r"(a|b)*?c", r"(?<!\d)1++[.)]\s*(?=x)", r"\b(ab|a)\1\b", r"(?m)^[^b]+$", r"(?>a*)b"]
)
def test_the_count_matches_as_re_does(pattern: str) -> None:
    """The matches that are counted end where those of `re` end."""
    for text in ("abc", "aab c", "1.x 11) x", "abab aa", "xx\nyy", "aaab", ""):
        compiled = re.compile(pattern)
        match = compiled.match(text)
        assert Steps(compiled, text).end_of_match(0) == (match.end() if match else None), text


def test_numbers_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What surrounds each number is bounded: twice as many numbers fold about twice as many characters."""
    folded = [0]

    def counting(text: str) -> str:
        folded[0] += len(text)
        return fold_words(text)

    monkeypatch.setattr(numbers, "fold_words", counting)
    counts = []
    for length in (500, 1000, 2000):
        folded[0] = 0
        numbers.parse_number("1 " * length)
        counts.append(folded[0])
    assert is_linear(counts), counts
