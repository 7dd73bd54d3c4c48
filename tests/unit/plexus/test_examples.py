"""The example scorecard gives the results that the demo shows."""

import csv
from pathlib import Path

import pytest

import plexus
from plexus.artifacts import FolderArtifacts
from plexus.learning.training_process import train_here
from plexus.publishing import Published, publish
from plexus.values import Result

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CARD = EXAMPLES / "scorecards/reviews.yaml"


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of an example file."""
    with (EXAMPLES / "items" / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderArtifacts:
    """An empty store."""
    return FolderArtifacts(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def published(store: FolderArtifacts) -> Published:
    """The example, its model trained and its cassette stored."""
    return publish(plexus.load_file(CARD), store, train=train_here)


def right(published: Published, store: FolderArtifacts, score: str) -> float:
    """Return the share of the example items with the expected value."""
    items = rows("items.csv")
    card = plexus.load(published.text)
    context = plexus.Context(artifacts=store)
    outcomes = plexus.score_batch(card, score, [plexus.Item(row["text"]) for row in items], context=context)
    results = [each.value if isinstance(each, Result) else repr(each) for each in outcomes]
    return sum(one == row[score] for one, row in zip(results, items, strict=True)) / len(items)


@pytest.mark.parametrize(("score", "least"), [("Mentions Refund", 1.0), ("Sentiment", 0.85), ("Problem", 1.0)])
def test_the_examples_are_scored_as_labelled(
    published: Published, store: FolderArtifacts, score: str, least: float
) -> None:
    """Keywords and replayed replies are always right on the example items, the trained model mostly."""
    assert right(published, store, score) >= least


def test_the_model_never_saw_the_items() -> None:
    """items.csv and train.csv share no text and contain no duplicates."""
    train = [row["text"] for row in rows("train.csv")]
    assert len(set(train)) == len(train) >= 150
    assert not {row["text"] for row in rows("items.csv")} & set(train)


def test_publishing_again_gives_the_same_digests(published: Published, tmp_path: Path) -> None:
    """The same data give the same artifacts, byte for byte."""
    again = publish(plexus.load_file(CARD), FolderArtifacts(tmp_path), train=train_here)
    assert [each.digest for each in again.artifacts] == [each.digest for each in published.artifacts]


def test_publishing_changes_digests_only(published: Published) -> None:
    """Publishing keeps the YAML's comments and layout: one line is added, one is replaced."""
    before, after = CARD.read_text().splitlines(), published.text.splitlines()
    assert len(after) == len(before) + 1
    assert [line.split(":")[0].strip(" -") for line in after if line not in before] == ["artifact", "cassette"]
