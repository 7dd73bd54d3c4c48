"""Accuracy and macro F1 of our scores on public labelled texts, against plain scikit-learn in the same run.

python bench/quality.py DOWNLOADS [--sentences FOLDER] [--only NAME] [--xgboost]

DOWNLOADS is where the pinned packages of bench/quality-data.txt are kept; they are fetched if missing. FOLDER holds
three files of `sentence<TAB>0|1` lines, one for each source: trained on two and tested on the third, each way, and on a
random half of all.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import quality_data
from bench.quality_data import Split

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


def read(path: Path) -> list[tuple[str, str]]:
    """Read the (sentence, label) pairs of a file; lines without both are skipped."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row[0].strip(), row[1].strip()) for row in rows if len(row) == 2 and row[1].strip() in "01"]


def sentences(folder: Path) -> Iterator[Split]:
    """Yield a split that leaves out each source in turn, and one into random halves."""
    sources = {path.name.split("_")[0]: read(path) for path in sorted(folder.glob("*.txt"))}
    for name, tested in sources.items():
        yield Split(f"to {name}", [row for other, rows in sources.items() if other != name for row in rows], tested)
    everything = [row for rows in sources.values() for row in rows]
    random.Random(SEED).shuffle(everything)
    half = len(everything) // 2
    yield Split("random half", everything[:half], everything[half:])


def plain(texts: list[str], labels: list[str]) -> Answer:
    """Train scikit-learn's TF-IDF and linear SVM with their defaults; return the predictor."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    model = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts, labels)
    return lambda questions: list(model.predict(questions))


def svm(texts: list[str], labels: list[str]) -> Answer:
    """Train an SVMClassifier; return its predictor."""
    from plexus.learning.train_svm import train

    model, _ = train(texts, labels)
    return lambda questions: model.predict(questions)[0]


def gradient_boosting(texts: list[str], labels: list[str]) -> Answer:
    """Train an ExplainableClassifier; return its predictor."""
    from plexus.learning.train_explainable import train

    model, _ = train(texts, labels)
    return lambda questions: [prediction.label for prediction in model.predict(questions, top=1)]


def keyword(_: list[str], __: list[str]) -> Answer:
    """Return the predictor of a KeywordClassifier of thirty friendly words, which learns nothing."""
    import plexus

    card, context = plexus.load(CARD), plexus.Context()
    return lambda questions: [
        str(plexus.score(card, "Friendly", plexus.Item(text), context=context).value) for text in questions
    ]


SCORES = {"keyword": keyword, "SVM": svm, "XGBoost": gradient_boosting}


def rows(splits: Iterator[Split], scores: Sequence[str]) -> Iterator[str]:
    """Yield the table, as Markdown: each score beside plain scikit-learn, with the paired difference."""
    from plexus.evaluation.confusion import Confusion
    from plexus.evaluation.proportions import compare

    figures = "accuracy | against plain, points (95 %) | macro F1 | train, CPU s | × plain"
    yield f"| texts | training → test texts, classes | score | {figures} |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    for split in splits:
        texts, labels = ([row[column] for row in split.train] for column in (0, 1))
        questions, truths = ([row[column] for row in split.test] for column in (0, 1))
        size = f"{len(texts)} → {len(questions)}, {len(set(labels))}"
        first: list[bool] = []
        least = 0.0
        for name, make in {"scikit-learn": plain, **{name: SCORES[name] for name in scores}}.items():
            began = time.process_time()
            answer = make(texts, labels)
            took = time.process_time() - began
            result = answer(questions)
            right = [one == two for one, two in zip(result, truths, strict=True)]
            table = Confusion.of(truths, result)
            if not first:
                first, least, against = right, took, ""
            else:
                both = compare(first, right)
                against = f"{100 * both.difference:+.1f} ({100 * both.low:+.1f} to {100 * both.high:+.1f})"
            figures = f"{table.accuracy or 0:.3f} | {against} | {table.macro[2] or 0:.3f}"
            yield f"| {split.name} | {size} | {name} | {figures} | {took:.2f} | {took / least:.1f} |"


def main() -> int:
    """Print the tables; return 1 if --sentences has no data, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("downloads", type=Path)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--xgboost", action="store_true")
    settings = parser.parse_args()
    if settings.sentences is not None and not list(settings.sentences.glob("*.txt")):
        print(
            f"no labelled sentences in {settings.sentences}: expected files of sentence<TAB>0|1 lines", file=sys.stderr
        )
        return 1
    quality_data.fetch(settings.downloads)
    svm(
        ["good one", "bad one", "good two", "bad two"] * 4, ["a", "b"] * 8
    )  # the libraries are loaded before anything is timed
    plain(["good one", "bad one"], ["a", "b"])
    if settings.sentences is not None:
        for row in rows(sentences(settings.sentences), ["keyword", "SVM", *(["XGBoost"] if settings.xgboost else [])]):
            print(row, flush=True)
    packages = (
        one for one in quality_data.splits(settings.downloads) if not settings.only or one.name in settings.only
    )
    for row in rows(packages, ["SVM", *(["XGBoost"] if settings.xgboost else [])]):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
