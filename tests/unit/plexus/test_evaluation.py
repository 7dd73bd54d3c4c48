"""The figures of an evaluation, against published check values and scikit-learn."""

import itertools
import random

import pytest

from plexus.evaluation import agreement, calibration, intervals, proportions
from plexus.evaluation.confusion import Confusion
from plexus.exceptions import InvalidData


def table(*counts: tuple[int, ...]) -> Confusion:
    """Return a confusion table over classes a, b, c …"""
    return Confusion(tuple("abcdefgh"[: len(counts)]), counts)


INTERVALS = (intervals.ac1, intervals.kappa, intervals.macro_f1)


def draw(classes: str, number: int = 400) -> tuple[list[str], list[str]]:
    """Labels, and values that are right about two times in three."""
    chance = random.Random(3)
    labels = chance.choices(classes, k=number)
    return labels, [label if chance.random() < 0.6 else chance.choice(classes) for label in labels]


def test_ac1_has_its_published_value_and_error() -> None:
    """irrCAC prints 0.8493305 and 0.04321747 for a table of 100 texts, whose divisor is n²; ours is n (n - 1)."""
    coefficient = agreement.ac1(table((13, 0, 0), (0, 20, 7), (0, 4, 56)))
    assert coefficient is not None
    assert coefficient.error is not None
    assert coefficient.value == pytest.approx(0.8493305, abs=5e-8)
    assert coefficient.error == pytest.approx(0.04321747 * (100 / 99) ** 0.5, abs=1e-8)


def test_one_text_says_nothing_about_an_error() -> None:
    """Its standard error is unknown, not 0, and its interval contains more than half of all values."""
    single = table((1, 0), (0, 0))
    coefficient, interval = agreement.ac1(single), intervals.ac1(single)
    assert coefficient is not None
    assert interval is not None
    assert coefficient.error is None
    assert interval[1] - interval[0] > 1


def test_ac1_stays_sensible_where_kappa_does_not() -> None:
    """If one class is rare, kappa falls below chance although 118 of 125 agree; AC1 does not."""
    rare = table((118, 5), (2, 0))
    coefficient = agreement.ac1(rare)
    assert coefficient is not None
    assert coefficient.value == pytest.approx(0.940776, abs=5e-7)
    assert agreement.kappa(rare) == pytest.approx(-0.023392, abs=5e-7)


def test_full_disagreement_is_minus_one() -> None:
    """Two classes, never the same: AC1 is -1, and its interval begins there."""
    never = table((0, 5), (5, 0))
    coefficient, interval = agreement.ac1(never), intervals.ac1(never)
    assert coefficient is not None
    assert interval is not None
    assert coefficient.value == -1.0
    assert interval[0] == pytest.approx(-1.0)
    assert -0.6 < interval[1] < 0


def test_one_class_is_full_agreement_and_nothing_is_undefined() -> None:
    """With one class AC1 is 1 and kappa undefined; without texts there is no figure at all."""
    entry, nothing = table((7,)), table((0, 0), (0, 0))
    coefficient = agreement.ac1(entry)
    assert coefficient is not None
    assert (coefficient.value, agreement.kappa(entry)) == (1.0, None)
    figures = (agreement.ac1(nothing), agreement.kappa(nothing), nothing.accuracy, proportions.wilson(0, 0))
    assert figures == (None, None, None, None)
    assert [find(each) for find in INTERVALS for each in (entry, nothing)] == [None] * 6
    assert nothing.macro == (None, None, None)


def test_a_class_that_is_declared_counts_although_no_text_has_it() -> None:
    """AC1 is over the declared classes: a third one lowers what chance would give."""
    pairs = (["a", "a", "b", "b"], ["a", "b", "b", "b"])
    two, three = Confusion.of(*pairs), Confusion.of(*pairs, declared="abc")
    assert three.labels == ("a", "b", "c")
    first, second = agreement.ac1(two), agreement.ac1(three)
    assert first is not None
    assert second is not None
    assert second.value > first.value


def test_unequal_lengths_are_an_error() -> None:
    """A label without a value is never taken for anything."""
    with pytest.raises(InvalidData, match="2 labels and 1 values"):
        Confusion.of(["a", "b"], ["a"])


@pytest.mark.parametrize("classes", ["ab", "abcd"])
def test_figures_are_those_of_scikit_learn(classes: str) -> None:
    """Accuracy, kappa, and precision, recall and F1 for each class and on average equal the reference's."""
    from sklearn import metrics

    labels, values = draw(classes)
    confusion = Confusion.of(labels, values)
    assert confusion.accuracy == pytest.approx(metrics.accuracy_score(labels, values))
    assert agreement.kappa(confusion) == pytest.approx(metrics.cohen_kappa_score(labels, values))
    assert [list(row) for row in confusion.counts] == metrics.confusion_matrix(labels, values).tolist()
    entry = metrics.precision_recall_fscore_support(labels, values)
    for place, figures in enumerate(confusion.classes):
        own_ = (figures.precision, figures.recall, figures.f1, figures.support)
        assert own_ == pytest.approx(tuple(column[place] for column in entry))
    assert confusion.macro == pytest.approx(
        metrics.precision_recall_fscore_support(labels, values, average="macro")[:3]
    )


def test_wilsons_interval_is_that_of_the_reference() -> None:
    """The interval of 8 in 10 equals scipy's."""
    from scipy.stats import binomtest

    wanted = binomtest(8, 10).proportion_ci(method="wilson")
    assert proportions.wilson(8, 10) == pytest.approx((wanted.low, wanted.high))


def test_mcnemar_is_the_exact_binomial_test() -> None:
    """Its p-value equals scipy's for the texts on which only one was right; without such texts it is 1."""
    from scipy.stats import binomtest

    result = proportions.compare([True] * 9 + [False] * 3 + [True] * 20, [False] * 9 + [True] * 3 + [True] * 20)
    assert (result.only_first, result.only_second, result.both, result.neither) == (9, 3, 20, 0)
    assert result.p_value == pytest.approx(binomtest(3, 12).pvalue)
    assert result.difference == pytest.approx(-6 / 32)
    assert proportions.compare([True], [True]).p_value == 1.0


def test_confidence_that_is_as_often_right_has_no_calibration_error() -> None:
    """Eight of ten right at 0.8 is perfect; ten of ten right at 0.8 is 0.2 away."""
    perfect = calibration.group_into_bins([(0.8, place < 8) for place in range(10)])
    assert calibration.compute_error(perfect) == pytest.approx(0.0)
    assert calibration.compute_error(calibration.group_into_bins([(0.8, True)] * 10)) == pytest.approx(0.2)
    assert calibration.compute_error([]) is None


@pytest.mark.parametrize(
    ("texts", "counts"), [(1, [1]), (19, [19]), (39, [39]), (40, [20, 20]), (205, [21] * 8 + [37]), (1000, [100] * 10)]
)
def test_bins_have_about_as_many_texts(texts: int, counts: list[int]) -> None:
    """At most ten, of twenty texts at least; together they have every text, ordered by confidence."""
    item = calibration.group_into_bins([(place / texts, True) for place in range(texts)])
    assert [each.count for each in item] == counts
    assert all(one.high < two.low for one, two in itertools.pairwise(item))


def test_equal_confidences_share_a_bin() -> None:
    """However many there are; a confidence of one has a bin."""
    result = calibration.group_into_bins([(0.5, True)] * 70 + [(1.0, True)] * 30)
    assert [(each.low, each.high, each.count) for each in result] == [(0.5, 0.5, 70), (1.0, 1.0, 30)]


def test_a_threshold_keeps_or_leaves_equal_confidences_together() -> None:
    """The last threshold keeps all texts; no threshold splits texts of one confidence."""
    result = calibration.list_thresholds([(0.9, True)] * 30 + [(0.6, False)] * 30, 60)
    assert [(each.confidence, each.coverage, each.accuracy) for each in result] == [(0.9, 0.5, 1.0), (0.6, 1.0, 0.5)]


def test_a_value_without_confidence_reaches_no_threshold() -> None:
    """Coverage is a share of all texts that have a value, whether or not it comes with a confidence."""
    judged = [(0.9, True)] * 30 + [(0.6, False)] * 10
    assert [each.coverage for each in calibration.list_thresholds(judged, 80)] == [30 / 80, 40 / 80]
    result = calibration.list_round_thresholds(judged, 80, [0.5, 0.7, 0.95])
    assert [(each.coverage, each.accuracy) for each in result] == [(0.5, 0.75), (0.375, 1.0)]


def test_the_difference_of_two_scores_has_its_published_interval() -> None:
    """21 pairs, 1 and 7 of them of only one kind: -0.517 to -0.026, as in the literature on paired proportions."""
    low, high = proportions.compute_tango_interval(7, 1, 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)
    assert proportions.interval(0, 0, 0) == (-1.0, 1.0)


@pytest.mark.parametrize("scale", [1, 3])
def test_the_interval_of_a_difference_excludes_zero_where_mcnemar_rejects(scale: int) -> None:
    """SciPy's exact p-value and the interval give one verdict, for every split of up to 60 texts."""
    from scipy.stats import binomtest

    for first, second in itertools.product(range(31), repeat=2):
        total = scale * (first + second)
        low, high = proportions.interval(first, second, total)
        is_rejected = first + second > 0 and binomtest(first, first + second).pvalue < 0.05
        assert (low > 0 or high < 0) == is_rejected, (first, second)


def test_four_texts_decide_nothing() -> None:
    """Right alone on 4 of 13 texts: p is 0.125, and the interval begins at 0."""
    result = proportions.compare([False] * 4 + [True] * 9, [True] * 13)
    assert (result.p_value, result.low, result.is_real) == (0.125, 0.0, False)


def test_the_most_frequent_mistakes_come_first() -> None:
    """Mistakes that nobody made are left out; of equals the first by name."""
    assert table((5, 2, 0), (3, 5, 2), (0, 0, 5)).confused == [("b", "a", 3), ("a", "b", 2), ("b", "c", 2)]


def test_each_class_has_intervals_for_precision_and_recall() -> None:
    """Intervals of a class are Wilson's, of its own numbers; undefined figures have none."""
    first, _, third = table((8, 2, 0), (1, 9, 0), (0, 0, 0)).classes
    assert first.precision_interval == proportions.wilson(8, 9)
    assert first.recall_interval == proportions.wilson(8, 10)
    assert (third.precision_interval, third.recall_interval) == (None, None)
