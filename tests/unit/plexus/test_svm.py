"""SVMClassifier: training, batches, and what it says of texts that teach nothing."""

import re
import shlex
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner

from plexus.commands import data
from plexus.exceptions import InvalidData
from plexus.learning.features import Features
from plexus.learning.svm import BLOCKS, SVMModel
from plexus.learning.train_svm import train
from plexus.learning.training_process import train_here
from plexus.publishing import LabelledFile, publish
from plexus.scorecard import load

GOOD = ["great value", "great taste", "really great", "a great day", "great people", "just great", "great, thanks"]
BAD = ["awful taste", "awful value", "really awful", "an awful day", "awful people", "just awful", "awful, sorry"]
ODD = ["odd taste", "odd value", "really odd", "an odd day", "odd people", "just odd", "odd, hm"]
CARD = "name: Reviews\nkey: reviews\nscores:\n  - {name: Tone, class: SVMClassifier}\n"


def train_model(labels: int) -> SVMModel:
    """Return a model of two or three classes."""
    groups = list(zip(("Good", "Bad", "Odd"), (GOOD, BAD, ODD), strict=True))[:labels]
    return train([text for _, group in groups for text in group], [label for label, group in groups for _ in group])[0]


@pytest.mark.parametrize("labels", [2, 3])
def test_a_batch_is_answered_as_single_texts_are(labels: int) -> None:
    """Values and confidences are the same to the last digit."""
    model, texts = train_model(labels), [*GOOD, *BAD, *ODD, "", "nothing of it", "great awful odd"]
    single = [model.predict([text]) for text in texts]
    result, confidences = model.predict(texts)
    assert result == [one for (one,), _ in single]
    assert confidences == [one for _, (one,) in single]
    assert numpy.array_equal(
        model.compute_distances(texts), numpy.vstack([model.compute_distances([text]) for text in texts])
    )


@pytest.mark.parametrize("kind", ["SVMClassifier", "ExplainableClassifier"])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["good,yes", "bad,no", "fine,yes"],
            r"training 'Tone': texts.csv: got one distinct text of 'no' \(1 row\), expected at least two of",
        ),
        (
            ["good,yes", "GOOD,yes", "bad,no", "fine,no"],
            r"got one distinct text of 'yes' \(2 rows of one text\), .* next: label",
        ),
        (["good,yes", "bad,yes"], r"got only the label 'yes' \(2 rows\), expected .* next: .* --label"),
        (["good,yes", ",no", "bad,"], "2 rows without 'text' or 'label': 2, 3"),
        (["-,yes", ";,yes", ".,no", ":,no"], "too few words in common to learn from"),
    ],
    ids=["one text of a label", "one text twice", "one label", "empty", "no words"],
)
def test_texts_that_teach_nothing_are_refused_by_name(tmp_path: Path, kind: str, rows: list[str], said: str) -> None:
    """Before a model is made, with what was expected."""
    from plexus.artifacts import FolderArtifacts

    path = tmp_path / "texts.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    card, store = load(CARD.replace("SVMClassifier", kind), name="card.yaml"), FolderArtifacts(tmp_path / "store")
    with pytest.raises(InvalidData, match=said):
        publish(card, store, source=LabelledFile(path, "text", "label"), train=train_here)
    assert not list((tmp_path / "store").glob("*"))


def test_the_remedies_of_rare_labels_train(tmp_path: Path) -> None:
    """The commands that the error prints write tables that can be trained: one merges labels, one leaves them out."""
    from plexus.artifacts import FolderArtifacts

    path, cleaned = tmp_path / "texts.csv", tmp_path / "clean.csv"
    rows = [f"{text},{label}" for label, group in (("Good", GOOD), ("Bad", BAD)) for text in group if "," not in text]
    path.write_text(
        "\n".join(["text,label", *rows, "odd taste,An odd one", "Odd  taste,An odd one", "dull,Dull"]) + "\n"
    )
    card, store = load(CARD, name="card.yaml"), FolderArtifacts(tmp_path / "store")
    with pytest.raises(InvalidData) as caught:
        publish(card, store, source=LabelledFile(path, "text", "label"), train=train_here)
    assert "got one distinct text of 'An odd one' (2 rows of one text), 'Dull' (1 row), expected" in str(caught.value)
    commands = [shlex.split(part)[4:] for part in re.findall(r"plexus data clean FILE (?=--)[^;]*", str(caught.value))]
    assert [words[0] for words in commands] == ["--least-texts", "--map"]
    merged = [["--map", "An odd one=Bad", "--map", "Dull=Bad"] if "--map" in words else words for words in commands]
    for words in merged:
        options = [str(cleaned) if word == "CLEAN" else word for word in words]
        options += [] if "--output" in words else ["--output", str(cleaned)]
        result = CliRunner().invoke(data.clean, [str(path), *options, "--replace"], standalone_mode=False)
        assert result.exception is None
        (artifact,) = publish(card, store, source=LabelledFile(cleaned, "text", "label"), train=train_here).artifacts
        assert artifact.report is not None
        assert set(artifact.report.labels) == {"Good", "Bad"}


def test_a_word_is_one_term_however_it_is_typeset() -> None:
    """Apostrophes and accents of a text are those of the texts learnt from; pictures and Han characters are terms."""
    features = Features(BLOCKS)
    features.fit_transform(["don't", "caf\u00e9", "喜欢 😀", "don't", "caf\u00e9"])
    assert {"don't", "cafe", "喜", "喜 欢", "😀"} <= set(features.terms)
    pairs = features.transform(["don't caf\u00e9", "don’t cafe\u0301"])
    assert (pairs[0] != pairs[1]).nnz == 0
