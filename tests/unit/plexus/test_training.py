"""Folds and the weights of terms, which both kinds of training share."""

import random

import numpy
import pytest
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from plexus.duplicates import group_near_duplicates
from plexus.learning.features import Block, Features
from plexus.learning.training import Folds, compute_strengths, split_into_folds, weight_columns

TRUTHS = numpy.asarray([0, 0, 0, 0, 1, 1, 1, 1])


def test_a_term_that_sets_classes_apart_weighs_more() -> None:
    """One of a single class comes before one of both, and a frequent one before a rare one."""
    matrix = csr_matrix([[1, 1, 1, 0]] + [[1, 1, 0, 0]] * 3 + [[0, 1, 0, 0]] * 4, dtype=numpy.float32)
    frequent, both, rare, none = compute_strengths(matrix, TRUTHS, 1.0)
    assert frequent > rare > both == none == 0


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.0])
def test_contrast_goes_from_equal_weights_to_what_a_term_tells(contrast: float) -> None:
    """At 0 nothing changes; at 1 the mean square of all rows is what it was."""
    matrix = csr_matrix(
        numpy.random.default_rng(3).random((8, 5)) * (numpy.eye(8, 5) + 0.2).round(), dtype=numpy.float32
    )
    result = compute_strengths(matrix, TRUTHS, contrast)
    full = compute_strengths(matrix, TRUTHS, 1.0)
    assert result == pytest.approx(contrast * full + 1 - contrast)
    squares = numpy.asarray(matrix.multiply(matrix).sum(axis=0))[0]
    assert squares @ full**2 == pytest.approx(squares.sum())


def test_a_weighed_feature_gives_the_rows_that_were_learnt_from() -> None:
    """Training and scoring see the same numbers."""
    texts = ["a good day", "a bad day", "good", "bad"]
    features = Features((Block("word", (1, 2)),))
    matrix = features.fit_transform(texts)
    strong = compute_strengths(matrix, numpy.asarray([1, 0, 1, 0]), 1.0)
    features.weigh(strong)
    expected = normalize(weight_columns(matrix, strong)).toarray()
    assert features.transform(texts).toarray() == pytest.approx(expected, abs=1e-6)


WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "glade", "heron", "inlet", "jetty", "kayak", "lodge")


def list_texts(copies: int) -> tuple[list[str], list[str]]:
    """Return 30 texts of their own words, each with `copies` near-duplicates, and their labels."""
    chance = random.Random(5)
    subjects = [" ".join(chance.sample(WORDS, 8)) for _ in range(30)]
    texts = [f"{text}{'!' * copy}, {7 * copy} times" for copy in range(copies + 1) for text in subjects]
    return texts, ["Yes" if place % 3 else "No" for place in range(len(texts))]


def split(texts: list[str], labels: list[str]) -> Folds:
    """Return the folds of texts."""
    return split_into_folds(texts, labels, numpy.unique(labels, return_inverse=True)[1])


@pytest.mark.parametrize("copies", [0, 1, 4])
def test_near_duplicates_share_a_fold(copies: int) -> None:
    """The groups are those of `plexus data split`, and every text is in one fold."""
    texts, labels = list_texts(copies)
    folds = split(texts, labels)
    assert sorted(index for part in folds.parts for index in part) == list(range(len(texts)))
    assert len(folds.parts) == 5
    assert (folds.near_duplicates, folds.is_grouped) == (30 * copies, True)
    place = {index: number for number, part in enumerate(folds.parts) for index in part}
    for members in group_near_duplicates(texts).list_sets():
        assert len({place[index] for index in members}) == 1


def test_texts_of_one_template_are_split_although_all_are_near_duplicates() -> None:
    """Texts that differ in digits alone would be one fold: equal texts alone stay together, and the report says so."""
    texts = [f"text {n // 2}" if n % 2 else f"TEXT  {n // 2}" for n in range(60)]
    folds = split(texts, ["Yes" if n // 2 % 3 else "No" for n in range(60)])
    assert (len(folds.parts), folds.near_duplicates, folds.is_grouped) == (5, 59, False)
    for part in folds.parts:
        others = set(range(60)) - set(part.tolist())
        assert not {n // 2 for n in part} & {n // 2 for n in others}


def test_a_rare_label_does_not_cost_the_others_their_folds() -> None:
    """Two texts of a label are enough for five folds: the other is always learnt from."""
    labels = ["Rare"] * 2 + ["Yes", "No"] * 20
    folds = split([f"{first} or {second}" for first in WORDS for second in WORDS[:4]][:42], labels)
    assert len(folds.parts) == 5
    assert all({0, 1} - set(part.tolist()) for part in folds.parts)
