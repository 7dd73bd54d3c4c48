"""The objectives of a training: values and standard errors against scikit-learn, a bootstrap and brute force."""

import numpy
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from plexus.exceptions import InvalidData
from plexus.learning.objectives import (
    ACCURACY,
    Objective,
    choose,
    choose_unseen,
    estimate,
    fit_thresholds,
    predict_unseen,
)
from plexus.learning.svm import choose_classes

MACRO = Objective("macro_f1")
RANDOM = numpy.random.default_rng(11)


def draw(texts: int, classes: int, right: float = 0.7) -> tuple[numpy.ndarray, numpy.ndarray]:
    """True classes, of which the first is frequent, and predicted ones."""
    truths = numpy.minimum(RANDOM.geometric(0.5, texts) - 1, classes - 1)
    return truths, numpy.where(RANDOM.random(texts) < right, truths, RANDOM.integers(0, classes, texts))


@pytest.mark.parametrize("classes", [2, 5])
def test_estimates_are_scikit_learns(classes: int) -> None:
    """Accuracy, macro F1 and the recall of a class."""
    truths, result = draw(200, classes)
    assert estimate(ACCURACY, result, truths).value == pytest.approx(accuracy_score(truths, result))
    assert estimate(MACRO, result, truths).value == pytest.approx(f1_score(truths, result, average="macro"))
    recall = Objective("recall_at_precision", "1", 0.9)
    wanted = recall_score(truths, result, labels=[1], average="macro")
    assert estimate(recall, result, truths, 1).value == pytest.approx(wanted)


@pytest.mark.parametrize("objective", [ACCURACY, MACRO, Objective("recall_at_precision", "1", 0.9)])
def test_standard_errors_are_those_of_a_bootstrap(objective: Objective) -> None:
    """Within a tenth, on 400 texts of three classes."""
    truths, result = draw(400, 3)
    samples = RANDOM.integers(0, 400, (2000, 400))
    values = [estimate(objective, result[rows], truths[rows], 1).value for rows in samples]
    assert estimate(objective, result, truths, 1).error == pytest.approx(float(numpy.std(values)), rel=0.1)


def test_the_first_within_one_standard_error_of_the_best_is_chosen() -> None:
    """Two texts of three that differ are within it; nine of nine are beyond it."""
    truths = numpy.ones(20, dtype=int)
    first, ahead = (numpy.asarray([1] * right + [0] * (20 - right)) for right in (10, 19))
    luck = numpy.asarray([0] + [1] * 11 + [0] * 8)
    estimates = [estimate(ACCURACY, found, truths) for found in (first, luck, ahead)]
    assert choose(estimates[:2]) == 0
    assert choose(estimates) == 2
    assert choose([estimates[0], estimates[0]]) == 0


def test_luck_of_the_best_of_many_is_not_reported() -> None:
    """Among fifty candidates that guess, the chosen one looks better than a guess on its texts and not on others."""
    truths = RANDOM.integers(0, 2, 300)
    guesses = list(RANDOM.integers(0, 2, (50, 300)))
    best = max(estimate(ACCURACY, guess, truths).value for guess in guesses)
    parts = numpy.array_split(numpy.arange(300), 5)
    unseen = estimate(ACCURACY, choose_unseen(ACCURACY, guesses, truths, parts), truths).value
    assert best > 0.55
    assert abs(unseen - 0.5) < 0.06


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("target", [0, 1])
def test_recall_at_a_precision_is_the_best_of_all_thresholds(columns: int, target: int) -> None:
    """As brute force finds it: no other threshold finds more texts at that precision."""
    truths, _ = draw(150, max(2, columns))
    distances = RANDOM.normal(size=(150, columns)) + (
        (2 * truths - 1).reshape(-1, 1) if columns == 1 else numpy.eye(columns)[truths]
    )
    objective = Objective("recall_at_precision", "?", 0.8)

    def quality(shift: float) -> tuple[float, float]:
        moved = numpy.zeros(columns)
        moved[0 if columns == 1 else target] = shift
        result = choose_classes(distances + moved) == target
        positive = truths == target
        return precision_score(positive, result, zero_division=1.0), recall_score(positive, result)

    tried = [quality(shift) for shift in numpy.linspace(-6, 6, 4001)]
    most = max(recall for precision, recall in tried if precision >= 0.8)
    chosen = fit_thresholds(objective, distances, truths, target)
    precision, recall = quality(chosen[0 if columns == 1 else target])
    assert precision >= 0.8
    assert recall == pytest.approx(most)


def test_a_rare_class_gets_a_threshold_of_its_own() -> None:
    """Macro F1 on texts of other folds is better with thresholds than without, if the machine shuns a rare class."""
    truths = (RANDOM.random(600) < 0.06).astype(int)
    distances = (RANDOM.normal(size=600) * 0.2 + 0.6 * truths - 0.7).reshape(-1, 1)
    parts = numpy.array_split(numpy.arange(600), 3)
    plain = estimate(MACRO, choose_classes(distances), truths).value
    moved = estimate(MACRO, predict_unseen(MACRO, distances, truths, parts), truths).value
    assert moved > plain + 0.1


def test_a_class_that_no_text_has_is_refused() -> None:
    """With the labels that the texts have."""
    with pytest.raises(InvalidData, match="recall of 'Sparn': no text has that label; labels: 'ham', 'spam'"):
        Objective("recall_at_precision", "Sparn", 0.9).number(["ham", "spam"])
