"""The weights of terms and the choice of the best candidate, which both kinds of training share."""

import numpy
import pytest
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from plexus.learning.features import Block, Features
from plexus.learning.training import compute_strengths, weight_columns

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
