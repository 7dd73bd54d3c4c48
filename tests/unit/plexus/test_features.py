"""Words of a text: which a negation turns round, and how they read."""

import pytest

from plexus.learning.features import format_term, mark_negations


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("i do not like it.", "i do not not_like not_it."),
        ("it wasn't good, but cheap", "it wasn't not_good, but cheap"),
        ("i dont want it", "i dont not_want not_it"),
        ("they do n't work", "they do n't not_work"),
        ("never\nwell-made", "never\nnot_well-not_made"),
        ("not one two three four five", "not not_one not_two not_three not_four five"),
        ("not now not ever", "not not_now not not_ever"),
        ("no", "no"),
        ("i want this restaurant, a knot noted", "i want this restaurant, a knot noted"),
        ("no-one said so", "no-one said so"),
        ("not 喜欢 this", "not 喜欢 not_this"),
    ],
)
def test_up_to_four_words_after_a_negation_are_marked(text: str, marked: str) -> None:
    """As far as no mark and no other negation stands between; words that only look like one negate nothing."""
    assert mark_negations(text) == marked


@pytest.mark.parametrize(
    ("term", "read"),
    [
        ("good", "good"),
        ("not_good", "not … good"),
        ("not_very not_good", "not … very good"),
        ("don't not_like", "don't like"),
    ],
)
def test_a_term_reads_as_words(term: str, read: str) -> None:
    """Without the mark that only the artifact knows."""
    assert format_term(term) == read


def test_a_long_text_is_marked_in_time_that_grows_with_its_length() -> None:
    """A text of nothing but negations, one of a single endless word, and one of blanks do not hang."""
    for text in ("not " * 200_000, "not " + "a" * 500_000, "not" + " " * 500_000, "not " + "-'" * 200_000):
        assert len(mark_negations(text)) >= len(text)
