"""Accuracy and AC1 of our scores on real labelled sentences, against plain scikit-learn in the same run.

python bench/quality.py [FOLDER]

FOLDER (default: ../shared/data/sentiment-sentences) holds three files of `sentence<TAB>0|1` lines, one for each source.
Trained on two sources and tested on the third, each way, and on a random half of all.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.evaluation.confusion import Confusion

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SEED = 7
CARD = """
name: Sentences
key: sentences
scores:
  - name: Friendly
    class: KeywordClassifier
    found: "1"
    not_found: "0"
    negations: [not, no, never]
    keywords: [
      good, great, excellent, love, loved, best, nice, amazing, wonderful, perfect, perfectly, awesome, fantastic,
      happy, recommend, recommended, delicious, friendly, comfortable, beautiful, brilliant, enjoyed, enjoy, liked,
      like, well, works, easy, pleased, impressed, fresh, fun]
"""
Answer = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Split:
    """What is learnt from, and what is asked."""

    name: str
    train: list[tuple[str, str]]
    test: list[tuple[str, str]]


def read(path: Path) -> list[tuple[str, str]]:
    """(sentence, label) of each line."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row[0].strip(), row[1].strip()) for row in rows if len(row) == 2 and row[1].strip() in "01"]


def splits(folder: Path) -> Iterator[Split]:
    """Every source left out once, and a random half."""
    sources = {path.name.split("_")[0]: read(path) for path in sorted(folder.glob("*.txt"))}
    for name, asked in sources.items():
        yield Split(f"to {name}", [row for other, rows in sources.items() if other != name for row in rows], asked)
    everything = [row for rows in sources.values() for row in rows]
    random.Random(SEED).shuffle(everything)
    half = len(everything) // 2
    yield Split("random half", everything[:half], everything[half:])


def plain(texts: list[str], labels: list[str]) -> Answer:
    """scikit-learn's defaults."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    model = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts, labels)
    return lambda asked: list(model.predict(asked))


def svm(texts: list[str], labels: list[str]) -> Answer:
    """SVMClassifier."""
    from plexus.learning.train_svm import train

    model, _ = train(texts, labels)
    return lambda asked: model.predict(asked)[0]


def boosted(texts: list[str], labels: list[str]) -> Answer:
    """ExplainableClassifier."""
    from plexus.learning.train_explainable import train

    model, _ = train(texts, labels)
    return lambda asked: [found.label for found in model.predict(asked, top=1)]


def keyword(_: list[str], __: list[str]) -> Answer:
    """A KeywordClassifier of thirty friendly words, which learns nothing."""
    import plexus

    card, context = plexus.load(CARD), plexus.Context()
    return lambda asked: [
        str(plexus.score(card, "Friendly", plexus.Item(text), context=context).value) for text in asked
    ]


SCORES = {"scikit-learn": plain, "keyword": keyword, "SVM": svm, "XGBoost": boosted}


def rows(folder: Path) -> Iterator[str]:
    """The table, as Markdown."""
    from plexus.evaluation.confusion import Confusion

    yield "| split | score | accuracy | 95 % | AC1 | 95 % | train, CPU s |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for split in splits(folder):
        texts, labels = ([row[column] for row in split.train] for column in (0, 1))
        for name, make in SCORES.items():
            began = time.process_time()
            answer = make(texts, labels)
            took = time.process_time() - began
            table = Confusion.of([row[1] for row in split.test], answer([row[0] for row in split.test]))
            told = " | ".join(_told(*figure) for figure in _figures(table))
            yield f"| {split.name} ({len(split.train)} → {len(split.test)}) | {name} | {told} | {took:.1f} |"


def _figures(table: Confusion) -> Iterator[tuple[float, float, float]]:
    """Accuracy and AC1, each with the ends of its 95 % interval."""
    from plexus.evaluation.agreement import ac1
    from plexus.evaluation.intervals import wilson

    beyond_chance = ac1(table)
    assert table.accuracy is not None
    assert beyond_chance is not None
    yield (table.accuracy, *(wilson(table.right, table.total) or (0.0, 1.0)))
    yield beyond_chance.value, beyond_chance.low, beyond_chance.high


def _told(value: float, low: float, high: float) -> str:
    """A figure and its interval."""
    return f"{value:.3f} | {low:.3f} to {high:.3f}"


def main() -> int:
    """Command line: 0 done, 1 there is no data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared/data/sentiment-sentences")
    folder = parser.parse_args().folder
    if not list(folder.glob("*.txt")):
        print(f"no labelled sentences in {folder}: expected files of sentence<TAB>0|1 lines", file=sys.stderr)
        return 1
    for row in rows(folder):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
