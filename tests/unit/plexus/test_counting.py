"""Counting terms: what scikit-learn's CountVectorizer counts, which is the oracle here."""

from collections.abc import Callable

import numpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import random_array
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from plexus.learning.counting import Words, count_characters, count_words
from plexus.learning.features import TOKENS, Block, FittedBlock, create_normalizer, normalize_rows

TEXTS = st.lists(st.text("ab' é喜欢!\t\n😀-_İ1", max_size=30), min_size=1, max_size=8)


def plain(text: str) -> str:
    """Leave a text as it is."""
    return text


def count_with_sklearn(
    texts: list[str], kind: str, ngrams: tuple[int, int], minimum: int, spell: Callable[[str], str]
) -> object:
    """(terms, dense counts) of scikit-learn; nothing if it finds no term."""
    pattern = TOKENS if kind == "word" else None
    counter = CountVectorizer(
        analyzer=kind, ngram_range=ngrams, min_df=minimum, strip_accents=spell, token_pattern=pattern
    )
    try:
        counts = counter.fit_transform(texts)
    except ValueError:
        return [], []
    return counter.get_feature_names_out().tolist(), counts.toarray().tolist()


@settings(deadline=None)
@given(TEXTS, st.sampled_from([1, 2]))
@example([""], 2)
@example(["one"], 2)
def test_words_and_pairs_are_those_of_the_oracle(texts: list[str], longest: int) -> None:
    """Terms, their order, and every count."""
    counts, terms = count_words(Words.matching(TOKENS, [text.lower() for text in texts]), longest)
    result = (terms, counts.toarray().tolist()) if terms else ([], [])
    assert result == count_with_sklearn(texts, "word", (1, longest), 1, plain)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([(2, 5), (3, 4), (2, 2), (4, 4), (5, 6)]), st.sampled_from([1, 2, 3]))
@example(["", " "], (2, 5), 1)
@example(["aa aa aa", "a", "ab"], (2, 5), 2)
def test_characters_are_those_of_the_oracle(texts: list[str], ngrams: tuple[int, int], minimum: int) -> None:
    """Every n-gram inside a word, for words shorter than it too, if enough texts have it."""
    minimum = min(minimum, len(texts))  # the oracle refuses more
    counts, terms = count_characters(Words.between_spaces(text.lower() for text in texts), ngrams, minimum)
    result = (terms, counts.toarray().tolist()) if terms else ([], [])
    assert result == count_with_sklearn(texts, "char_wb", ngrams, minimum, plain)


@pytest.mark.parametrize("size", [2, 5])
def test_many_letters_do_not_overflow(size: int) -> None:
    """Five letters of an alphabet of twenty thousand are a number of 72 bits."""
    letters = [chr(number) for number in range(0x4E00, 0x4E00 + 20_000)]
    text = "".join(numpy.random.default_rng(1).permutation(letters))
    counts, terms = count_characters(Words.between_spaces([text, text]), (size, size), 1)
    assert set(terms) == {f" {text} "[place : place + size] for place in range(len(text) + 3 - size)}
    assert counts.sum() == 2 * len(terms)


BLOCKS = st.builds(
    Block,
    st.sampled_from(["word", "char_wb"]),
    st.sampled_from([(1, 1), (1, 2), (2, 3), (2, 5), (4, 4)]),
    negations=st.booleans(),
)


@settings(deadline=None)
@given(BLOCKS, TEXTS, TEXTS)
@example(Block("char_wb", (2, 5)), ["a ab abc abcd abcde"], ["a", "", "abcd ab ab", " "])
@example(Block("word", (1, 2), negations=True), ["It wasn’t good, no ÉCLAIR 喜欢"], ["wasn't good", "İ not good"])
def test_a_vocabulary_counts_as_the_oracle_does(block: Block, known: list[str], texts: list[str]) -> None:
    """The terms of other texts, in the columns of a vocabulary; unknown terms are not counted."""
    oracle = CountVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngrams,
        strip_accents=create_normalizer(block),
        token_pattern=TOKENS if block.analyzer == "word" else None,
        dtype=numpy.float32,
    )
    try:
        terms = oracle.fit(known).get_feature_names_out().tolist()
    except ValueError:
        return
    counts, right = FittedBlock(block, terms, None).count(texts), oracle.transform(texts)
    assert (counts.shape, counts.dtype) == (right.shape, right.dtype)
    for name in ("indptr", "indices", "data"):
        assert getattr(counts, name).tolist() == getattr(right, name).tolist()


@pytest.mark.parametrize("kind", [numpy.float32, numpy.float64])
def test_rows_are_scaled_to_the_last_bit_as_the_oracle_does(kind: type) -> None:
    """Rows of many sizes and magnitudes, empty ones and rows of zeros."""
    chance = numpy.random.default_rng(7)
    for density in (0.0, 0.01, 0.5):
        matrix = random_array((300, 400), density=density, format="csr", rng=chance).astype(kind)
        matrix.data *= 10.0 ** chance.integers(-12, 12, len(matrix.data))
        matrix.data[: len(matrix.data) // 10] = 0
        right = normalize(matrix, copy=True)
        assert normalize_rows(matrix).data.tobytes() == right.data.tobytes()
