"""How often intervals contain the truth: exactly for twenty texts, by seeded samples for more."""

import itertools
import math
from collections.abc import Callable
from statistics import fmean

import numpy
import pytest

from bench import coverage
from plexus.evaluation import agreement, intervals, proportions
from plexus.evaluation.confusion import Confusion

Find = Callable[[Confusion], tuple[float, float] | None]
#: Shares of the labels of the first class, and of right values.
POPULATIONS = [
    coverage.create_population((first, 1 - first), right, is_spread=True)
    for first in (0.5, 0.65, 0.8)
    for right in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
]


def list_splits(texts: int, cells: int) -> list[tuple[int, ...]]:
    """Return every way to put texts into cells."""
    bars = itertools.combinations(range(texts + cells - 1), cells - 1)
    ends = [(-1, *each, texts + cells - 1) for each in bars]
    return [tuple(right - left - 1 for left, right in itertools.pairwise(each)) for each in ends]


def compute_chances(splits: list[tuple[int, ...]], shares: list[float]) -> list[float]:
    """Return the probability of each split in samples of a population."""
    whole = math.lgamma(sum(splits[0]) + 1)
    ways = [whole - sum(math.lgamma(count + 1) for count in split) for split in splits]
    logs = [math.log(share) for share in shares]
    return [
        math.exp(way + sum(count * log for count, log in zip(split, logs, strict=True)))
        for way, split in zip(ways, splits, strict=True)
    ]


@pytest.mark.parametrize("name", ["accuracy", "AC1", "kappa", "macro F1"])
def test_intervals_of_twenty_texts_contain_the_truth_in_95_of_100_samples(name: str) -> None:
    """The probability is summed over all tables of two classes: 94 to 96 % on average, and 89 % or more for each."""
    compute, find = coverage.FIGURES[name]
    splits = list_splits(20, 4)
    printed = [find(Confusion(("a", "b"), (split[:2], split[2:]))) for split in splits]
    results = []
    for shares in POPULATIONS:
        truth, held, whole = compute(shares), 0.0, 0.0
        for chance, interval in zip(compute_chances(splits, shares.ravel().tolist()), printed, strict=True):
            if interval is not None:
                whole += chance
                held += chance * (interval[0] - 1e-9 <= truth <= interval[1] + 1e-9)
        results.append(held / whole)
    assert 0.94 <= fmean(results) <= 0.96
    assert min(results) >= 0.89


def test_a_difference_of_twenty_pairs_contains_the_truth_in_95_of_100_samples() -> None:
    """Exactly, where four texts or more differ on average: 95 to 96 %; a few more where fewer do."""
    splits = list_splits(20, 3)
    known = [proportions.interval(only_first, only_second, 20) for only_first, only_second, _ in splits]

    def cover(different: float, lean: float) -> float:
        first, second = different * (1 - lean) / 2, different * (1 + lean) / 2
        chances = compute_chances(splits, [first, second, 1 - different])
        return sum(
            chance * (low - 1e-9 <= second - first <= high + 1e-9)
            for chance, (low, high) in zip(chances, known, strict=True)
        )

    leans = (0.0, 0.2, 0.4, 0.6, 0.8)
    assert 0.945 <= fmean(cover(different, lean) for different in (0.2, 0.3, 0.5) for lean in leans) <= 0.965
    assert min(cover(different, lean) for different in (0.05, 0.1) for lean in leans) >= 0.95


@pytest.mark.parametrize("texts", [100, 1000])
def test_intervals_of_more_texts_contain_the_truth_in_95_of_100_samples(texts: int) -> None:
    """Of 2,100 seeded samples of every figure 93.5 to 96.5 of 100 do."""
    chance = numpy.random.default_rng(coverage.SEED)
    held = dict.fromkeys(("accuracy", "AC1", "kappa", "macro F1"), 0.0)
    for shares in POPULATIONS:
        drawn = chance.multinomial(texts, shares.ravel(), 100).tolist()
        tables = [Confusion(("a", "b"), (tuple(counts[:2]), tuple(counts[2:]))) for counts in drawn]
        for name in held:
            compute, find = coverage.FIGURES[name]
            result = coverage.Coverage.of([find(table) for table in tables], compute(shares))
            held[name] += result.held / len(POPULATIONS)
    assert all(0.935 <= share <= 0.965 for share in held.values()), held


@pytest.mark.parametrize("find", [intervals.ac1, intervals.kappa, intervals.macro_f1])
def test_no_interval_loses_its_width_where_all_texts_agree(find: Find) -> None:
    """The interval of thirty right values of thirty ends at 1 and is about as wide as the accuracy's, 0.886 to 1."""
    interval = find(Confusion(("a", "b"), ((14, 0), (0, 16))))
    assert interval is not None
    assert interval[1] == pytest.approx(1.0)
    assert 0.6 < interval[0] < 0.95


def test_macro_f1_has_no_interval_with_fewer_than_five_labels_of_a_class() -> None:
    """Classes that are declared and occur nowhere do not count; a class that is only a value does."""
    assert intervals.macro_f1(Confusion(("a", "b"), ((20, 1), (1, 3)))) is None
    assert intervals.macro_f1(Confusion(("a", "b"), ((20, 1), (1, 4)))) is not None
    assert intervals.macro_f1(Confusion(("a", "b", "c"), ((20, 1, 0), (1, 4, 0), (0, 0, 0)))) is not None
    assert intervals.macro_f1(Confusion(("a", "b", "c"), ((20, 1, 1), (1, 4, 0), (0, 0, 0)))) is None


def test_kappa_has_no_interval_with_fewer_than_five_texts_outside_the_largest_class() -> None:
    """Neither labels nor values may be of one class alone."""
    assert intervals.kappa(Confusion(("a", "b"), ((95, 1), (0, 4)))) is None
    assert intervals.kappa(Confusion(("a", "b"), ((90, 6), (0, 4)))) is None
    assert intervals.kappa(Confusion(("a", "b"), ((90, 5), (1, 4)))) is not None


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_influences_are_derivatives(classes: int) -> None:
    """A little more of a cell moves each figure by its influence; on the whole table they average to 0."""
    shares = numpy.random.default_rng(3).dirichlet(numpy.ones(classes**2)).reshape(classes, classes)
    for linearize in (intervals.linearize_ac1, intervals.linearize_kappa, intervals.linearize_macro_f1):
        linear = linearize(shares)
        assert (shares * linear.influence).sum() == pytest.approx(0, abs=1e-12)
        for row, column in itertools.product(range(classes), repeat=2):
            moved = shares * (1 - 1e-6)
            moved[row, column] += 1e-6
            assert (linearize(moved).value - linear.value) / 1e-6 == pytest.approx(
                linear.influence[row, column], abs=1e-3
            )


def test_kappas_influences_give_its_published_standard_error() -> None:
    """Kappa 0.75522 with the error 0.06054045, as statsmodels 0.15 computes it."""
    counts = intervals.count_cells(Confusion(("a", "b", "c"), ((13, 2, 0), (1, 20, 7), (0, 4, 56))))
    linear = intervals.linearize_kappa(counts / counts.sum())
    assert linear.value == pytest.approx(0.7552198268545237)
    assert (counts * linear.influence**2).sum() ** 0.5 / counts.sum() == pytest.approx(0.06054045222249644)


def test_linear_figures_are_those_of_the_table() -> None:
    """AC1, kappa and macro F1 of shares equal those of their counts."""
    table = Confusion(("a", "b", "c"), ((13, 2, 0), (1, 20, 7), (0, 4, 56)))
    shares = intervals.count_cells(table) / table.total
    coefficient = agreement.ac1(table)
    assert coefficient is not None
    assert intervals.linearize_ac1(shares).value == pytest.approx(coefficient.value)
    assert intervals.linearize_kappa(shares).value == pytest.approx(agreement.kappa(table))
    assert intervals.linearize_macro_f1(shares).value == pytest.approx(table.macro[2])
