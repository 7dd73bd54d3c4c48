"""`plexus evaluate`: what it prints and writes, and what it refuses."""

import csv
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from plexus.commands import evaluate
from plexus.exceptions import InvalidData

ROOT = Path(__file__).resolve().parents[3]
CARD = """
name: Reviews
key: reviews
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [{keywords}]
"""
COMPOSITE = """
name: Reviews
key: reviews
scores:
  - {{name: Refund, class: CompositeScore, expression: "{expression}"}}
"""
ROWS = (
    [("I want my money back", "yes"), ("Give me a refund", "Yes"), ("All <b>fine</b> here", "No")] * 4
    + [("no refund <script>alert(1)</script>", "No")]
)  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two cards and a CSV of labelled texts: one finds half of the labels, the other all, both are wrong once."""
    (tmp_path / "card.yaml").write_text(CARD.format(keywords="refund"))
    (tmp_path / "better.yaml").write_text(CARD.format(keywords="refund, money back"))
    lines = ["text,label", *(f'"{text}",{label}' for text, label in ROWS)]
    (tmp_path / "texts.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    """Return the command on the folder's card and texts."""
    settings = [str(folder / "card.yaml"), "--data", str(folder / "texts.csv"), *arguments]
    return CliRunner().invoke(evaluate.command, settings, standalone_mode=False)


def output(folder: Path, *arguments: str) -> Any:
    """Return what it prints as JSON."""
    return json.loads(run(folder, "--json", *arguments).stdout)


def test_labels_match_values_without_regard_to_case(files: Path) -> None:
    """`yes` in the file is the score's `Yes`."""
    result = output(files)
    assert result["labels"] == ["Yes", "No"]
    assert result["confusion"] == [[4, 4], [1, 4]]
    assert result["accuracy"]["value"] == pytest.approx(8 / 13)


def test_zero_and_false_are_labels(files: Path) -> None:
    """JSON's 0 and false are labels like any other, not missing ones."""
    card = files / "card.yaml"
    card.write_text(card.read_text() + '    found: "1"\n    not_found: "0"\n')
    texts = files / "texts.jsonl"
    texts.write_text('{"text": "A refund", "label": 1}\n{"text": "Fine", "label": 0}\n')
    result = CliRunner().invoke(evaluate.command, [str(card), "--data", str(texts), "--json"], standalone_mode=False)
    assert json.loads(result.stdout)["confusion"] == [[1, 0], [0, 1]]


def test_values_of_a_score_that_declares_none_are_spelt_as_the_labels(files: Path) -> None:
    """`yes`, `Yes` and `YES` are one class, in labels and values, where the score does not say what it gives."""
    expression = "'YES' if 'refund' in text else 'no'"
    (files / "card.yaml").write_text(COMPOSITE.format(expression=expression))
    assert output(files)["labels"] == ["No", "yes"]
    assert output(files)["accuracy"]["value"] == pytest.approx(8 / 13)


def test_the_other_columns_are_metadata(files: Path) -> None:
    """A score sees them as `plexus run` gives them, without the label."""
    expression = "metadata['shop'] if 'label' not in metadata else 'leak'"
    (files / "card.yaml").write_text(COMPOSITE.format(expression=expression))
    (files / "texts.csv").write_text("text,label,shop\nFine,north,north\nBad,south,north\n")
    assert output(files)["confusion"] == [[1, 0], [1, 0]]


def test_mistakes_name_rows_and_quote_no_text(files: Path) -> None:
    """Texts may be private: they are shown with --show-text only."""
    result = run(files, "--json")
    assert [each["row"] for each in json.loads(result.stdout)["mistakes"]] == [1, 4, 7, 10, 13]
    assert "money back" not in result.stdout
    assert "money back" in run(files, "--json", "--show-text").stdout


def test_labels_that_the_score_cannot_give_are_named_together(files: Path) -> None:
    """Every unknown label is listed with its number of rows and its first row."""
    with (files / "texts.csv").open("a") as file:
        file.write("a,Yse\nb,Maybe\nc,Maybe\n")
    error = run(files).exception
    assert "'Maybe': 2 rows, first in row 15" in str(error)
    assert "'Yse': 1 row, first in row 14; did you mean 'Yes'?" in str(error)


def test_a_score_of_some_classes_is_measured_once_it_declares_all(files: Path) -> None:
    """The error names `valid_classes`; with all labels there, those that the score never gives are its mistakes."""
    with (files / "texts.csv").open("a") as file:
        file.write("a,Maybe\n")
    assert "name all labels in `validation: {value: {valid_classes: […]}}`" in str(run(files).exception)
    with (files / "card.yaml").open("a") as card:
        card.write("    validation: {value: {valid_classes: ['Yes', 'No', Maybe]}}\n")
    result = output(files)
    assert result["texts"] == len(ROWS) + 1
    assert result["labels"] == ["Yes", "No", "Maybe"]


def test_another_card_is_compared_on_the_same_texts(files: Path) -> None:
    """McNemar's test is over texts that one card got right and the other did not."""
    document = output(files, "--against", str(files / "better.yaml"))
    compared = document["comparison"]
    assert (compared["only_first"], compared["only_second"]) == (0, 4)
    assert compared["p_value"] == pytest.approx(0.125)
    assert compared["difference"] == pytest.approx(4 / 13)
    assert compared["low"] == 0.0 < compared["difference"] < compared["high"]
    assert document["against"]["accuracy"]["value"] == pytest.approx(12 / 13)


@pytest.mark.parametrize("broken", ["card.yaml", "better.yaml"])
def test_labels_of_another_card_name_the_card_that_cannot_give_them(files: Path, broken: str) -> None:
    """Both cards have a score of that name."""
    card = files / broken
    card.write_text(card.read_text() + '    found: "1"\n    not_found: "0"\n')
    error = str(run(files, "--against", str(files / "better.yaml")).exception)
    assert error.startswith(f"{broken}: labels that 'Refund' can never give:")


def test_a_least_accuracy_makes_the_command_fail(files: Path) -> None:
    """For a pipeline: exit 1 and a reason when the accuracy is lower."""
    failed = run(files, "--least", "0.9")
    assert failed.return_value == 1
    assert failed.stderr.endswith("accuracy: got 0.615, expected at least 0.900\n")
    assert run(files, "--least", "0.6").return_value == 0


def test_failures_are_counted_and_have_no_value(files: Path) -> None:
    """A text whose value fails validation is excluded from the metrics, is reported, and makes the command fail."""
    card = files / "card.yaml"
    card.write_text(card.read_text() + "    validation: {value: {patterns: ['^Yes$']}}\n")
    result = run(files, "--json")
    output = json.loads(result.stdout)
    assert (result.return_value, output["failed"], output["texts"]) == (1, 8, 13)
    assert sum(map(sum, output["confusion"])) == 5
    assert len(output["errors"]) == 8
    assert output["failures"] == {"ScoringFailed": 8}


def test_the_page_shows_what_the_json_says(files: Path) -> None:
    """--html writes a page with the same figures, and quotes texts as texts."""
    page = files / "page.html"
    figures = output(files, "--html", str(page), "--show-text", "--against", str(files / "better.yaml"))
    text = page.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    for name in ("accuracy", "ac1", "kappa", "macro_f1"):
        assert f"<b>{figures[name]['value']:.3f}</b>".replace("-", "\u2212") in text


def test_what_dependencies_spend_is_counted(tmp_path: Path) -> None:
    """A score made of others asks no model itself; its texts still took the calls of the graph that it depends on."""
    text = (ROOT / "examples/scorecards/reviews.yaml").read_text()
    whole = (
        text.replace("../cassettes/", f"{ROOT}/examples/cassettes/").replace("../items/", f"{ROOT}/examples/items/")
        + "\n  - {name: Any Problem, class: CompositeScore, depends_on: [Problem], "
        + "expression: \"results['Problem'].value\"}\n"
    )
    card = tmp_path / "card.yaml"
    card.write_text(whole)
    items = str(ROOT / "examples/items/items.csv")
    arguments = [str(card), "--data", items, "--label", "Problem", "--offline", "--json", "--score"]
    run = CliRunner().invoke
    graph, created = (
        json.loads(run(evaluate.command, [*arguments, name], standalone_mode=False).stdout)
        for name in ("Problem", "Any Problem")
    )
    assert created["usage"] == graph["usage"]
    assert created["usage"]["calls"] == 24 + sum(map(sum, graph["confusion"][1:]))


def test_several_scores_need_a_choice(files: Path) -> None:
    """The usage error names the scores there are."""
    card = files / "card.yaml"
    card.write_text(card.read_text() + "  - name: Money\n    class: KeywordClassifier\n    keywords: [money]\n")
    assert "next: --score NAME, one of 'Refund', 'Money'" in str(run(files).exception)
    assert output(files, "--score", "Money")["subject"]["score"] == "Money"


def test_two_scores_of_one_card_can_be_compared(files: Path) -> None:
    """--against-score names the other score; without --against it is one of the same card."""
    card = files / "card.yaml"
    card.write_text(card.read_text() + "  - name: Money\n    class: KeywordClassifier\n    keywords: [money]\n")
    result = output(files, "--score", "Refund", "--against-score", "Money")
    assert result["against"]["subject"]["score"] == "Money"
    assert "Money against Refund: " in run(files, "--score", "Refund", "--against-score", "Money").stdout


def test_a_page_that_cannot_be_written_is_refused_before_the_work(files: Path) -> None:
    """The message names the file; nothing is scored and nothing is left behind."""
    error = run(files, "--html", str(files / "texts.csv" / "page.html")).exception
    assert isinstance(error, click.FileError)
    assert "page.html" in error.format_message()


def test_verdicts_that_excel_cannot_have_are_refused_before_the_work(files: Path) -> None:
    """A text too long for a cell is named by its row, and nothing is scored for a file that cannot be written."""
    (files / "texts.csv").write_text(f"text,label\nfine,No\n{'a' * 40_000},No\n")
    written = ["--output", str(files / "out.xlsx"), "--html", str(files / "page.html")]
    done = run(files, *written, "--show-text")
    assert "row 2: text: a text of 40000 characters; Excel has 32767. next: write .csv" in str(done.exception)
    assert "accuracy" not in done.stdout
    assert run(files, *written).exit_code == 0


def test_the_limit_takes_the_first_rows(files: Path) -> None:
    """For a quick look at a long file."""
    assert output(files, "--limit", "3")["texts"] == 3


def test_cards_of_one_file_name_are_told_apart(files: Path) -> None:
    """By their folders: two columns of one heading would say nothing."""
    (files / "old").mkdir()
    (files / "old/card.yaml").write_text((files / "better.yaml").read_text())
    printed = run(files, "--against", str(files / "old/card.yaml")).stdout
    assert f"{files}/old/card.yaml against {files}/card.yaml: " in printed


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_every_text_has_its_verdict(files: Path, ending: str) -> None:
    """Row, label, value and verdict of all texts and both scores; texts on request; the data is never written over."""
    target = files / f"verdicts.{ending}"
    for more in ([], ["--show-text"]):
        run(files, "--output", str(target), "--replace", "--against", str(files / "better.yaml"), *more)
        if ending == "csv":
            with target.open(newline="") as file:
                rows: list[dict[str, Any]] = list(csv.DictReader(file))
        else:
            rows = [json.loads(line) for line in target.read_text().splitlines()]
        assert len(rows) == len(ROWS)
        first = {name: rows[0][name] for name in ("label", "value", "verdict", "other value", "other verdict")}
        assert list(first.values()) == ["Yes", "No", "wrong", "Yes", "right"]
        assert str(rows[0]["row"]) == "1"
        assert [row["text"] for row in rows if "text" in row] == [text for text, _ in ROWS if more]
    refused = run(files, "--output", str(files / "texts.csv")).exception
    assert isinstance(refused, InvalidData)
    assert "would be replaced" in str(refused)
