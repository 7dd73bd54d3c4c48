"""XGBoost through its C library; XGBoost's own Python package is the oracle here."""

import numpy
import pytest
import xgboost
from scipy.sparse import csr_matrix, random_array

from plexus.learning.booster import Booster
from tests.unit.plexus.test_explainable import train_model


def matrix(rows: int, columns: int, seed: int) -> csr_matrix:
    """Return random rows with empty ones among them, as the features of texts are."""
    array = random_array((rows, columns), density=0.2, format="csr", rng=numpy.random.default_rng(seed))
    return csr_matrix(array.astype(numpy.float32))


@pytest.mark.parametrize("kind", ["gbtree", "gblinear"])
@pytest.mark.parametrize("classes", [2, 4])
def test_margins_and_contributions_are_those_of_the_oracle(kind: str, classes: int) -> None:
    """Every bit of both, for one text, many and none."""
    data, chance = matrix(80, 30, 1), numpy.random.default_rng(2)
    many = {"objective": "multi:softprob", "num_class": classes}
    objective = {"objective": "binary:logistic"} if classes == 2 else many
    parameters = {**objective, "booster": kind, "nthread": 1, "seed": 1, "verbosity": 0}
    oracle = xgboost.train(parameters, xgboost.DMatrix(data, chance.integers(0, classes, 80)), num_boost_round=8)
    booster = Booster(bytes(oracle.save_raw("json")))
    for rows in (1, 40):
        asked = matrix(rows, 30, 3)
        margins, contributions = booster.predict(asked)
        right = xgboost.DMatrix(asked)
        for got, expected in (
            (margins, oracle.predict(right, output_margin=True)),
            (contributions, oracle.predict(right, pred_contribs=True)),
        ):
            assert (got.shape, got.dtype, got.tobytes()) == (expected.shape, expected.dtype, expected.tobytes())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\0", b'{"learner": 1}'])
def test_what_xgboost_refuses_is_a_value_error(content: bytes) -> None:
    """The message is one line."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        Booster(content)


def test_texts_of_another_width_are_refused() -> None:
    """More columns than the model has are an error, not a number."""
    booster = train_model().booster
    with pytest.raises(ValueError, match="column"):
        booster.predict(matrix(1, 4000, 1))
