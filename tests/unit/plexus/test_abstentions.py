"""Values of a score in doubt: no class and no mistake, counted by coverage and the accuracy of all texts."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import accuracy_score, f1_score

import plexus
from plexus.artifacts import FolderArtifacts
from plexus.commands import evaluate
from plexus.evaluation import page, report, tables
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.proportions import wilson
from plexus.learning.training_process import train_here
from plexus.publishing import publish

SUBJECT = report.Subject("card.yaml", "Topic", "SVMClassifier", "ab" * 32, "texts.csv", "Doubt")
CARD = """
name: Mail
key: mail
scores:
  - name: Topic
    class: SVMClassifier
    minimum_confidence: {least}
    data: {{file: train.csv}}
"""
THINGS = ("table", "chair", "lamp", "shelf", "desk", "stool", "bench", "clock")
GOOD = [f"a good {thing} gladly kept" for thing in THINGS]
BAD = [f"a bad {thing} sadly sent back" for thing in THINGS]


def judge(label: str = "b") -> report.Evaluation:
    """Return the evaluation of 73 texts: 54 right, 1 wrong, 18 in doubt; the last has this label."""
    pairs = [("a", "a")] * 40 + [("b", "b")] * 14 + [("a", "b")] + [("a", "Doubt")] * 9 + [("b", "Doubt")] * 9
    pairs[-1] = (label, "Doubt")
    judged = [Prediction(row, "t", *pair[:1], 0.1, pair[1], 0.9 - row / 200) for row, pair in enumerate(pairs, 1)]
    return report.evaluate(SUBJECT, judged, ["a", "b", "Doubt"], alone=False)


def test_figures_of_classes_are_those_of_the_decided_texts() -> None:
    """Accuracy and macro F1 equal scikit-learn's for 55 texts; both kinds of accuracy have Wilson's interval."""
    result = judge()
    decided = [each for each in result.predictions if not each.abstained]
    labels, values = [each.label for each in decided], [each.value for each in decided]
    assert result.confusion.labels == ("a", "b")
    assert (len(decided), result.abstained) == (55, 18)
    assert result.accuracy.value == pytest.approx(accuracy_score(labels, values))
    assert result.macro_f1.value == pytest.approx(f1_score(labels, values, average="macro"))
    shares = {result.accuracy: (54, 55), result.coverage: (55, 73), result.accuracy_of_all: (54, 73)}
    for figure, (part, whole) in shares.items():
        assert (figure.value, figure.low, figure.high) == (part / whole, *(wilson(part, whole) or ()))


def test_a_doubt_is_no_mistake_and_no_threshold_counts_it_as_one() -> None:
    """One mistake is listed; at the lowest threshold 55 of 73 texts have a value, and 54 of these are right."""
    result = judge()
    assert [each.row for each in result.mistakes] == [55]
    assert result.thresholds[-1].coverage == pytest.approx(55 / 73)
    assert result.thresholds[-1].accuracy == pytest.approx(54 / 55)
    assert result.sure == sum(each.count for each in result.bins) == 55
    assert [each.verdict for each in result.predictions].count("abstained") == 18


def test_a_doubt_that_is_a_label_is_a_class() -> None:
    """A person who labelled a text with it decided so."""
    result = judge(label="Doubt")
    assert (result.abstention, result.abstained) == (None, 0)
    assert result.confusion.labels == ("a", "b", "Doubt")
    assert result.accuracy == result.accuracy_of_all
    assert result.accuracy.value == pytest.approx(55 / 73)


def test_page_and_table_give_coverage_and_both_accuracies() -> None:
    """`54 of 55` is never shown without what was left undecided."""
    result = judge()
    printed, html = tables.render(result), page.render(result)
    assert "decided 55 of 73, right 54 of 55; 18 abstained" in printed
    assert "accuracy of all        0.740" in printed
    for figure in (result.accuracy, result.coverage, result.accuracy_of_all):
        assert f"<b>{figure.value:.3f}</b>" in html
    assert '<option value="abstained">not decided</option>' in html
    assert "not decided" not in page.render(judge(label="Doubt"))


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained cards that decide everything and nothing, and the table that both learned."""
    folder = tmp_path_factory.mktemp("cards")
    rows = [f"{text},{label}" for label, texts in (("Good", GOOD), ("Bad", BAD)) for text in texts]
    (folder / "train.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    for name, least in (("all", 0.01), ("none", 0.999)):
        (folder / f"{name}.yaml").write_text(CARD.format(least=least))
        store = FolderArtifacts(folder / "store")
        card = publish(plexus.load_file(folder / f"{name}.yaml"), store, train=train_here)
        (folder / f"{name}.yaml").write_text(card.text)
    (folder / "new.csv").write_text("text,label\nA GOOD  table gladly kept,Good\nquite another text,Bad\n")
    return folder


def run(folder: Path, card: str, data: str, *words: str) -> Result:
    """Return `plexus evaluate` on a card and a table of the folder."""
    options = ["--data", str(folder / data), "--store", str(folder / "store"), *words]
    return CliRunner().invoke(evaluate.command, [str(folder / card), *options], standalone_mode=False)


def test_a_score_cannot_pass_by_abstaining(cards: Path) -> None:
    """--least holds for all texts: none is decided, so none is right."""
    result = run(cards, "none.yaml", "train.csv", "--json", "--least", "0.5")
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["abstained"], document["accuracy"]["value"], document["coverage"]["value"]) == (16, None, 0.0)
    assert result.return_value == 1
    assert result.stderr.endswith("accuracy of all texts: got 0.000, expected at least 0.500\n")


@pytest.mark.parametrize(("data", "learned", "total"), [("train.csv", 16, 16), ("new.csv", 1, 2)])
def test_texts_that_the_model_learned_are_reported(cards: Path, data: str, learned: int, total: int) -> None:
    """On stderr, as JSON and on the page, whatever their case and white space and whichever file they are in."""
    result = run(cards, "all.yaml", data, "--json", "--html", str(cards / "page.html"))
    assert json.loads(result.stdout)["subject"]["in_training_data"] == learned
    assert f"all.yaml: {learned} of {total} texts are in the training data of 'Topic'" in result.stderr
    assert f"<b>{learned} of {total} texts are in the score's training data</b>" in (cards / "page.html").read_text()


def test_a_training_table_that_is_elsewhere_is_unknown(cards: Path, tmp_path: Path) -> None:
    """A card without its table is evaluated without the warning, and the JSON says null instead of 0."""
    (tmp_path / "all.yaml").write_text((cards / "all.yaml").read_text())
    options = ["--data", str(cards / "train.csv"), "--store", str(cards / "store"), "--json"]
    result = CliRunner().invoke(evaluate.command, [str(tmp_path / "all.yaml"), *options], standalone_mode=False)
    assert json.loads(result.stdout)["subject"]["in_training_data"] is None
    assert "training data" not in result.stderr
