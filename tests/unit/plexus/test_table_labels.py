"""Labels of tables: one rule in `train` and `evaluate`, and everything that was read as something else is listed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import plexus
from plexus.artifacts import FolderArtifacts
from plexus.commands import evaluate
from plexus.exceptions import InvalidData, InvalidScorecard
from plexus.publishing import Published, publish
from plexus.tables import open_table
from plexus.tables.labels import fold_label, normalize, read_labelled
from plexus.values import Item
from tests.unit.plexus.shared_cases import shared_case

CARD = """
name: Mail
key: mail
scores:
  - name: Kind
    class: SVMClassifier
    data: {{file: mail.csv{more}}}
"""


def make_rows(*labels: str) -> list[Any]:
    """Return rows with these labels."""
    from plexus.tables.labels import Labelled

    return [Labelled(number, Item("text"), label) for number, label in enumerate(labels, start=1)]


def train(folder: Path, labels: list[str], more: str = "") -> Published:
    """Train a card on texts with these labels, without a process of its own; the classes are in the report."""
    from plexus.learning.training import Report

    (folder / "card.yaml").write_text(CARD.format(more=more))
    lines = [f"text {number},{json.dumps(label)}" for number, label in enumerate(labels)]
    (folder / "mail.csv").write_text("\n".join(["text,label", *lines]) + "\n")

    def record(_: str, texts: Any, labels: Any, out: Path, *__: object) -> Report:
        (out / "model").write_text("model")
        counts = {label: labels.count(label) for label in sorted(set(labels))}
        return Report(len(texts), counts, 1.0, 1.0, {}, 1.0, 0.0, {}, 2, 1, [], 0, is_grouped=True)

    return publish(plexus.load_file(folder / "card.yaml"), FolderArtifacts(folder / "store"), train=record)


def run(folder: Path, *words: str) -> Result:
    """`plexus evaluate` on the folder's card and texts."""
    arguments = [str(folder / "card.yaml"), "--data", str(folder / "mail.csv"), *words]
    return CliRunner().invoke(evaluate.command, arguments, standalone_mode=False)


@pytest.mark.parametrize(
    ("first", "second"),
    [("ham", "HAM "), ("Not  sure", "not sure"), ("2.0", "2"), ("2", "2.00"), ("ﬁne", "fine"), ("ja", "JA")],
)
def test_spellings_of_one_label_are_one_class(first: str, second: str) -> None:
    """Case, white space and decimals of whole numbers do not set labels apart."""
    assert fold_label(first) == fold_label(second)


@pytest.mark.parametrize(("first", "second"), [("2.5", "2"), ("1.10", "1.1"), ("a.0", "a"), ("é", "e"), ("-1", "1")])
def test_different_labels_stay_apart(first: str, second: str) -> None:
    """Nothing else is folded."""
    assert fold_label(first) != fold_label(second)


def test_train_learns_one_class_of_all_spellings(tmp_path: Path) -> None:
    """Variants are named by the most frequent spelling, and listed with their rows."""
    (artifact,) = train(tmp_path, ["ham", "HAM ", "Spam", "spam", "ham", "spam"]).artifacts
    assert artifact.report is not None
    assert artifact.report.labels == {"ham": 3, "spam": 3}
    assert artifact.notes == (
        "label 'HAM ' is read as 'ham': 1 row (2)",
        "label 'Spam' is read as 'spam': 1 row (3)",
    )


def test_likely_typos_are_listed_and_never_merged(tmp_path: Path) -> None:
    """A rare label that is spelt almost as a frequent one is a class, and said with the way to map it."""
    (artifact,) = train(tmp_path, ["spam"] * 40 + ["ham"] * 40 + ["spma", "ham", "eggs"]).artifacts
    assert artifact.report is not None
    assert set(artifact.report.labels) == {"spam", "ham", "spma", "eggs"}
    (note,) = artifact.notes
    assert note.startswith("label 'spma' may be a typo of 'spam': 1 row (81); next: correct it, or `data: {labels:")


def test_a_map_of_labels_replaces_them_and_leaves_rows_out(tmp_path: Path) -> None:
    """`labels: {0: ham, 1: spam, nan: null}` in the card: numbers need no quotes, null leaves a row out."""
    mapping = ", labels: {0: ham, 1: spam, nan: null}"
    (artifact,) = train(tmp_path, ["0", "1.0", "nan", "0", "SPAM"], mapping).artifacts
    assert artifact.report is not None
    assert artifact.report.labels == {"ham": 2, "spam": 2}
    assert artifact.notes[-1] == "1 row left out, as `labels` says"


@pytest.mark.parametrize("word", ["NA", "nan", "None", "null", "N/A", "#N/A", "<NA>"])
def test_words_for_a_missing_value_become_no_class_unasked(tmp_path: Path, word: str) -> None:
    """Training refuses them with their rows; the card makes one a class by mapping it to itself."""
    with pytest.raises(InvalidData) as raised:
        train(tmp_path, ["ham", word, "spam", word])
    message = str(raised.value)
    assert f"labels that usually mean a missing value:\n  {word!r}: 2 rows, first in row 2" in message
    assert (
        f"`data: {{labels: {{{word!r}: null}}}}` leaves such rows out, `{{{word!r}: {word!r}}}` keeps the label"
        in message
    )
    (artifact,) = train(tmp_path, ["ham", word, "spam", word], f", labels: {{{word!r}: {word!r}}}").artifacts
    assert artifact.report is not None
    assert artifact.report.labels == {"ham": 1, word: 2, "spam": 1}


def test_a_declared_class_is_no_missing_label(tmp_path: Path) -> None:
    """A score that can give `unknown` learns it, without a map."""
    declared = "}\n    validation: {value: {valid_classes: [ham, spam, Unknown]}"
    (artifact,) = train(tmp_path, ["ham", "unknown", "spam", "unknown"], declared).artifacts
    assert artifact.report is not None
    assert artifact.report.labels == {"Unknown": 2, "ham": 1, "spam": 1}


def test_a_map_to_no_text_is_refused_at_load(tmp_path: Path) -> None:
    """A label is text that is not blank."""
    with pytest.raises(InvalidScorecard, match=r"data\.labels"):
        train(tmp_path, ["ham"], ", labels: {0: ' '}")


def test_a_label_has_one_value(tmp_path: Path) -> None:
    """Two spellings of one label cannot be mapped to two values."""
    with pytest.raises(InvalidScorecard, match="labels: 'a' and 'A ' are one label, with two values"):
        train(tmp_path, ["a"], ", labels: {a: ham, 'A ': spam}")


def test_a_page_never_replaces_the_texts(tmp_path: Path) -> None:
    """`evaluate --html` with the name of the texts is refused before anything is read."""
    (tmp_path / "card.yaml").write_text(CARD.format(more=""))
    (tmp_path / "mail.csv").write_text("text,label\nwin,spam\n")
    error = run(tmp_path, "--html", str(tmp_path / "mail.csv")).exception
    assert "is read by this command and would be replaced" in str(error)
    assert (tmp_path / "mail.csv").read_text() == "text,label\nwin,spam\n"


def test_evaluate_follows_the_same_rule(tmp_path: Path) -> None:
    """Labels are spelt as the score's values, by the card's map too, and variants are listed on stderr."""
    (tmp_path / "card.yaml").write_text(
        "name: Mail\nkey: mail\nscores:\n  - name: Kind\n    class: KeywordClassifier\n    keywords: [win]\n"
        "    found: spam\n    not_found: ham\n    data: {labels: {0: ham, 1: spam}}\n"
    )
    (tmp_path / "mail.csv").write_text("text,label\nwin now,1.0\nhello,0\nwin,SPAM \nhi,ham\n")
    done = run(tmp_path, "--json")
    assert json.loads(done.stdout)["confusion"] == [[2, 0], [0, 2]]
    assert "label 'SPAM ' is read as 'spam': 1 row (3)" in done.stderr


def test_a_label_that_a_score_cannot_give_is_an_error_with_its_remedies(tmp_path: Path) -> None:
    """All unknown labels at once, each with rows and the nearest value, and the map as the next step."""
    with pytest.raises(InvalidData) as raised:
        normalize(make_rows("ham", "sapm", "nan", "nan"), ["ham", "spam"], "Kind", {})
    message = str(raised.value)
    assert "'nan': 2 rows, first in row 3" in message
    assert "'sapm': 1 row, first in row 2; did you mean 'spam'?" in message
    assert "it gives 'ham', 'spam'. next: correct them, or map them in the card" in message


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl", "labels.xlsx", "labels.parquet"])
def test_numbers_are_the_same_labels_in_every_format(tmp_path: Path, name: str) -> None:
    """2.0 in CSV, JSON, Excel and Parquet is the label 2."""
    import pandas

    frame = pandas.DataFrame({"text": ["a", "b", "c"], "label": [1.0, 2.0, 2.0]})
    path = tmp_path / name
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
        assert "2.0" in path.read_text()
    elif name.endswith("jsonl"):
        path.write_text("".join(f'{{"text": "a", "label": {label}}}\n' for label in ("1.0", "2.0", "2")))
    elif name.endswith("xlsx"):
        frame.to_excel(path, index=False)
    else:
        frame.to_parquet(path)
    with open_table(path, ["text", "label"]) as table:
        result = normalize(read_labelled(table, "text", "label"), (), "Kind", {}, for_training=True)
    assert [each.label for each in result.texts] == ["1", "2", "2"]


def test_the_shared_labels_are_right() -> None:
    """1.0 and 2.0 are 1 and 2; the ids are as written."""
    with open_table(shared_case("tables/float-labels.csv"), ["text", "label"]) as table:
        result = normalize(read_labelled(table, "text", "label"), (), "Kind", {})
    assert [each.label for each in result.texts] == ["1", "2"]
    assert [each.item.metadata["id"] for each in result.texts] == ["0", "1"]
