"""The parts that all trainings share: folds, term strengths, the report, and progress."""

from __future__ import annotations

import itertools
import shlex
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from plexus.duplicates import group_equal_texts, group_near_duplicates
from plexus.exceptions import InvalidData
from plexus.learning.objectives import Objective, estimate
from plexus.problems import pluralize
from plexus.text import fold

SEED = 20240229
_FOLDS, _FEW_FOLDS, _MANY_TEXTS = 5, 3, 500
#: The budget of a training, in costs of the plain model, and the least budget, in nanoseconds.
BUDGET, LEAST_BUDGET = 8.0, 150e6
#: Labels with too few texts that a message names.
_MOST_LABELS = 10
#: Steps of a progress bar.
STEPS = 1000
#: Called with the number of steps that are done, and with that of all.
OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """A training's result: texts, how many have each label, what was optimised, and the chosen parameters.

    `accuracy`, `macro_f1` and `score`, the objective's value, lie in 0–1 and `error` is the score's standard error.
    They are of `folds` folds, each predicted by what would have been chosen among `candidates` without it; `confusion`
    counts these predictions, (labels, values). `near_duplicates` counts texts that nearly repeat an earlier one: they
    share its fold, unless `is_grouped` is false, as no folds would have all labels then.
    """

    texts: int
    labels: dict[str, int]
    accuracy: float
    macro_f1: float
    objective: dict[str, Any]
    score: float
    error: float
    parameters: dict[str, Any]
    folds: int
    candidates: int
    confusion: list[list[int]]
    near_duplicates: int
    is_grouped: bool

    @classmethod
    def of(
        cls,
        classes: Sequence[str],
        truths: Any,
        predicted: Any,
        objective: Objective,
        parameters: dict[str, Any],
        folds: Folds,
        candidates: int,
    ) -> Report:
        """Compare the true classes with those that cross-validation predicted: both are indexes of `classes`, (texts,).

        `parameters` are those of the chosen model, one of `candidates`.
        """
        counts = Counter(truths.tolist())
        score = estimate(objective, predicted, truths, objective.number(classes))
        pairs = Counter(zip(truths.tolist(), predicted.tolist(), strict=True))
        return cls(
            len(truths),
            {label: counts[number] for number, label in enumerate(classes)},
            float((predicted == truths).mean()),
            estimate(Objective("macro_f1"), predicted, truths).value,
            asdict(objective),
            score.value,
            score.error,
            parameters,
            len(folds.parts),
            candidates,
            [[pairs[row, column] for column in range(len(classes))] for row in range(len(classes))],
            folds.near_duplicates,
            folds.is_grouped,
        )


@dataclass(frozen=True)
class Folds:
    """The test indexes of each fold, the number of near-duplicates, and whether each is in the fold of its original."""

    parts: list[Any]
    near_duplicates: int
    is_grouped: bool


def split_into_folds(texts: Sequence[str], labels: Sequence[str], truths: Any, most: int = _FOLDS) -> Folds:
    """Return stratified folds; the same each time, near-duplicates on the same side as in `plexus data split`.

    If no folds of that kind have every label, equal texts alone stay together: those that differ in case and white
    space only. There are `most` folds at most, or more if a label would be missing in the training texts of one. Raises
    InvalidData if a label is too rare.
    """
    import numpy

    folded = [fold(text) for text in texts]
    _check_labels(folded, labels)
    equal, near = group_equal_texts(texts), group_near_duplicates(texts)
    for index in range(len(texts)):
        near.join(equal.find_first(index), index)
    groups = [numpy.asarray([each.find_first(index) for index in range(len(texts))]) for each in (near, equal)]
    rows = numpy.arange(len(truths))
    count = int((groups[0] != rows).sum())
    usual = _FOLDS if len(truths) < _MANY_TEXTS else _FEW_FOLDS  # many texts measure as well in fewer folds
    limits = dict.fromkeys((min(most, usual), usual))
    for group, limit, is_whole in itertools.product(groups, limits, (True, False)):
        # The first of each group places the others: among all texts, or alone if the groups change the shares too much.
        part = _assign_folds(truths, rows if is_whole else numpy.unique(group), limit)[group]
        parts = [numpy.flatnonzero(part == index) for index in numpy.unique(part)]
        if all(len(set(truths[part != part[inside[0]]])) == len(set(truths)) for inside in parts):
            return Folds(parts, count, group is groups[0])
    raise InvalidData(
        "got too few distinct texts of a label, or several labels for equal texts. next: plexus data look "
        "FILE lists both; plexus data clean FILE --least-texts 2 --output CLEAN leaves such rows out"
    )


def _assign_folds(truths: Any, rows: Any, limit: int) -> Any:
    """Return the fold of each of these rows, of `limit` at most, -1 for all others."""
    import numpy
    from sklearn.model_selection import StratifiedKFold

    parts = numpy.full(len(truths), -1)
    size = min(limit, int(numpy.bincount(truths[rows]).max()))
    if size > 1:
        splitter = StratifiedKFold(size, shuffle=True, random_state=SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a label with fewer texts than folds is missing in some
            for index, (_, outside) in enumerate(splitter.split(rows, truths[rows])):
                parts[rows[outside]] = index
    return parts


def _check_labels(folded: Sequence[str], labels: Sequence[str]) -> None:
    """Raise InvalidData that names the labels with too few texts to learn from and to measure on."""
    different = Counter(label for _, label in set(zip(folded, labels, strict=True)))
    rows = Counter(labels)
    if len(different) < 2:
        listed = ", ".join(f"{label!r} ({pluralize(count, 'row')})" for label, count in rows.items())
        raise InvalidData(
            f"got only the label {listed}, expected texts of at least two labels. next: plexus data look FILE lists "
            "the columns; --label or the card's `data` chooses the one with the labels"
        )
    rare = sorted(label for label, count in different.items() if count < 2)
    if rare:
        listed = ", ".join(f"{label!r} ({_describe_copies(rows[label])})" for label in rare[:_MOST_LABELS])
        more = f" and {len(rare) - _MOST_LABELS} more" if len(rare) > _MOST_LABELS else ""
        raise InvalidData(
            f"got one distinct text of {listed}{more}, expected at least two of each label. next: label more "
            f"texts; or leave the rows out: plexus data clean FILE --least-texts 2 --output CLEAN; or merge the labels "
            f"into others: plexus data clean FILE --map {shlex.quote(f'{rare[0]}=OTHER')} --output CLEAN"
        )


def _describe_copies(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows of one text"


def count_columns(classes: int) -> int:
    """Return the number of a model's outputs: one for two classes, else one for each."""
    return 1 if classes == 2 else classes


def compute_strengths(matrix: Any, truths: Any, contrast: float) -> Any:
    """Return each term's strength, (terms,), float32: from 1 for every term (`contrast` 0) to its class contrast (1).

    The contrast is the largest absolute log ratio, over the classes, of a term's share among the texts of a class to
    its share among all others. `truths` are class numbers, (texts,). The mean square of the rows is kept.
    Source: S. Wang, C. Manning, "Baselines and bigrams" (2012), there as naive Bayes' ratios before a linear machine.
    """
    import numpy

    if not contrast:
        return numpy.ones(matrix.shape[1], dtype=numpy.float32)
    present = matrix.copy()
    present.data = (matrix.data > 0).astype(numpy.float64)
    total = numpy.bincount(present.indices, present.data, matrix.shape[1])
    ratios = numpy.ones(matrix.shape[1])
    for label in range(int(truths.max()) + 1):
        own = present[truths == label]
        within = numpy.bincount(own.indices, own.data, matrix.shape[1])
        inside, outside = own.shape[0], len(truths) - own.shape[0]
        # One more text with the term and one without it on either side: a rare term has little contrast.
        ratio = (within + 1) / (inside + 2) * (outside + 2) / (total - within + 1)
        numpy.maximum(ratios, ratio, out=ratios)
        numpy.maximum(ratios, 1 / ratio, out=ratios)
    contrasts = numpy.log(ratios)
    squares = numpy.bincount(matrix.indices, matrix.data.astype(numpy.float64) ** 2, matrix.shape[1])
    contrasts /= numpy.sqrt((squares @ contrasts**2) / squares.sum() + 1e-12)
    return (contrast * contrasts + 1 - contrast).astype(numpy.float32)


def weight_columns(matrix: Any, strengths: Any) -> Any:
    """Return a CSR matrix, (texts, terms), with its columns multiplied by their strengths, (terms,)."""
    from scipy.sparse import diags

    return (matrix @ diags(strengths)).tocsr()


@dataclass
class _Progress:
    on_step: OnStep
    done: int = 0
    total: int = 0


_PROGRESS: ContextVar[_Progress | None] = ContextVar("_PROGRESS", default=None)


@contextmanager
def report_steps(on_step: OnStep) -> Iterator[None]:
    """Report training progress inside this block; silent if the trainer reports no steps.

    `on_step` gets (steps done, steps in all), in the thread that trains. A training that reports fewer than all is
    completed at the end, unless it raises.
    """
    progress = _Progress(on_step)
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)
    if progress.done < progress.total:
        on_step(progress.total, progress.total)


@dataclass
class Budget:
    """What a training may cost, and what it has cost: nanoseconds of a machine of 2024, of which only ratios matter.

    Costs are estimated from counts, never measured, so that every machine tries the same candidates.
    """

    total: float
    spent: float

    @classmethod
    def of(cls, texts: Sequence[str], words: float, columns: int) -> Budget:
        """Return eight times what the plain model costs, at least 150 ms, with what counting the texts has cost.

        `words` are the entries of a matrix of single words, `columns` the outputs of the model.
        """
        characters = sum(map(len, texts))
        plain = 60 * characters + 8_000 * len(texts) + 15 * words * columns
        slower = sum(not text.isascii() for text in texts)  # their accents are examined letter by letter
        spent = 30_000_000 + 100 * characters + 5_000 * len(texts) + 15_000 * slower
        return cls(max(LEAST_BUDGET, BUDGET * plain), spent)

    def pays(self, cost: float) -> bool:
        """Return whether what is left is enough."""
        return self.spent + cost <= self.total

    def spend(self, cost: float) -> None:
        """Count a cost, and report the progress."""
        self.spent += cost
        advance(self.spent / self.total)


def advance(share: float) -> None:
    """Report that this share of the training is done, 0–1, in proportion to its cost; shares only grow."""
    if (progress := _PROGRESS.get()) is not None:
        progress.total = STEPS
        done = min(STEPS, int(share * STEPS))
        if done > progress.done or not done:
            progress.done = done
            progress.on_step(done, STEPS)
