"""How often the 95 % intervals of `plexus evaluate` contain the true value.

python -m bench.coverage [--samples N] [--texts N …]

Samples are drawn from populations whose figures are known: two, three and five classes, even and uneven, 50 to 99 % of
the values right, mistakes that are spread or that all get one class; pairs of scores that differ in 5 to 50 % of the
texts; confidences from two normal distributions. Each population counts the same. Where an interval is printed for
less than a tenth of a population's samples, the population is left out. "Rare" are differences of which three or fewer
are expected in the sample.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist, fmean
from typing import Any

import numpy

from plexus.evaluation import curves, intervals, proportions
from plexus.evaluation.confusion import Confusion

SEED = 11
SHARES = ((0.5, 0.5), (0.8, 0.2), (0.95, 0.05), (1 / 3, 1 / 3, 1 / 3), (0.7, 0.2, 0.1), (0.2,) * 5)
SHARES_OF_MANY = (0.5, 0.25, 0.15, 0.06, 0.04)
RIGHT = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)
DIFFERENT, LEAN = (0.05, 0.1, 0.2, 0.3, 0.5), (0.0, 0.3, 0.6)
DISTANCES, RARE = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0), (0.5, 0.2)
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Coverage:
    """How an interval did: the share of samples with one, and of those the share that contains the truth."""

    printed: float
    held: float
    width: float

    @classmethod
    def of(cls, printed: Sequence[Interval], truth: float) -> Coverage:
        """Count the intervals that contain the truth."""
        known = [each for each in printed if each is not None]
        if not known:
            return cls(0.0, 0.0, 0.0)
        held = fmean(low - 1e-9 <= truth <= high + 1e-9 for low, high in known)
        return cls(len(known) / len(printed), held, fmean(high - low for low, high in known))


def populations() -> Iterator[Any]:
    """Yield the shares of texts by label and value, (classes, classes)."""
    for shares, right, is_spread in product((*SHARES, SHARES_OF_MANY), RIGHT, (True, False)):
        if is_spread or len(shares) > 2:
            yield create_population(shares, right, is_spread=is_spread)


def create_population(shares: Sequence[float], right: float, *, is_spread: bool) -> Any:
    """Return a population; mistakes go to the other classes in proportion, or all to the first (its own to the 2nd)."""
    table = numpy.diag(numpy.asarray(shares) * right)
    for row, share in enumerate(shares):
        others = numpy.asarray(shares) if is_spread else numpy.eye(len(shares))[0 if row else 1]
        others = numpy.where(numpy.arange(len(shares)) == row, 0, others)
        table[row] += share * (1 - right) * others / others.sum()
    return table


#: Figure → its value for shares, and its interval for a table.
FIGURES: dict[str, tuple[Callable[[Any], float], Callable[[Confusion], Interval]]] = {
    "accuracy": (lambda shares: float(numpy.trace(shares)), lambda table: proportions.wilson(table.right, table.total)),
    "precision": (
        lambda shares: float(shares[-1, -1] / shares[:, -1].sum()),
        lambda table: table.classes[-1].precision_interval,
    ),
    "recall": (
        lambda shares: float(shares[-1, -1] / shares[-1].sum()),
        lambda table: table.classes[-1].recall_interval,
    ),
    "AC1": (lambda shares: intervals.linearize_ac1(shares).value, intervals.ac1),
    "kappa": (lambda shares: intervals.linearize_kappa(shares).value, intervals.kappa),
    "macro F1": (lambda shares: intervals.linearize_macro_f1(shares).value, intervals.macro_f1),
}


def cover_tables(texts: int, samples: int, chance: Any) -> Iterator[tuple[str, Coverage]]:
    """Yield (figure, coverage) of each figure in each population."""
    for shares in populations():
        size = len(shares)
        drawn = chance.multinomial(texts, shares.ravel(), samples).reshape(-1, size, size).tolist()
        tables = [Confusion(tuple("abcde"[:size]), tuple(map(tuple, counts))) for counts in drawn]
        for name, (compute, find) in FIGURES.items():
            if (truth := compute(shares)) < 1:  # a precision of 1, where all mistakes get the first class
                yield name, Coverage.of([find(table) for table in tables], truth)


def cover_differences(texts: int, samples: int, chance: Any) -> Iterator[tuple[str, Coverage]]:
    """Yield the coverage of the difference of two accuracies."""
    for different, lean in product(DIFFERENT, LEAN):
        first, second = different * (1 - lean) / 2, different * (1 + lean) / 2
        drawn = chance.multinomial(texts, (first, second, 1 - different), samples).tolist()
        known = [proportions.interval(only_first, only_second, texts) for only_first, only_second, _ in drawn]
        yield "difference" if different * texts > 3 else "difference, rare", Coverage.of(known, second - first)


def cover_areas(texts: int, samples: int, chance: Any) -> Iterator[tuple[str, Coverage]]:
    """Yield the coverage of the area under the ROC curve."""
    for distance, share in product(DISTANCES, RARE):
        size = round(texts * share)
        areas: list[Interval] = []
        for scores in chance.normal(size=(samples, texts)):
            area = curves.area((scores[:size] + distance).tolist(), scores[size:].tolist())
            areas.append((area.low, area.high))
        yield "area", Coverage.of(areas, NormalDist().cdf(distance / 2**0.5))


def list_rows(texts: int, samples: int) -> Iterator[str]:
    """Yield a row of the table for each figure."""
    chance = numpy.random.default_rng(SEED)
    results: dict[str, list[Coverage]] = {}
    for cover in (cover_tables, cover_differences, cover_areas):
        for name, coverage in cover(texts, samples, chance):
            results.setdefault(name, []).append(coverage)
    for name, entries in results.items():
        kept = [entry for entry in entries if entry.printed >= 0.1]
        held, printed = [entry.held for entry in kept], fmean(entry.printed for entry in entries)
        figures = f"{fmean(held):.3f} | {min(held):.3f} to {max(held):.3f} | {fmean(entry.width for entry in kept):.3f}"
        yield f"| {texts:,} | {name} | {figures} | {printed:.2f} |"


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300, help="samples of each population")
    parser.add_argument("--texts", type=int, nargs="+", default=[20, 100, 1000])
    settings = parser.parse_args()
    print("| texts | figure | contains the truth, mean | least to most | width | printed |")
    print("|---:|---|---:|---|---:|---:|")
    for texts in settings.texts:
        for row in list_rows(texts, settings.samples):
            print(row, flush=True)


if __name__ == "__main__":
    main()
