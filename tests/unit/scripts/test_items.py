"""The input files of `enqueue`: items, and the scorecard."""

import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from scripts.console.errors import NotFound, OperationFailed
from scripts.jobs import item_files, seeding
from scripts.jobs.item_files import Item
from tests.golden import commands


def write(folder: Path, text: str, name: str = "items.csv") -> Path:
    """Write a file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def test_the_other_columns_are_the_items_metadata(tmp_path: Path) -> None:
    """An item has its row's id and text, and every column but the text as metadata, as in `plexus run`."""
    path = write(tmp_path, "id,text,Sentiment\na,Lovely.,Positive\n")
    assert item_files.read_items(path) == [Item("a", "Lovely.", {"id": "a", "Sentiment": "Positive"})]


def test_a_row_without_id_is_named_after_file_and_row(tmp_path: Path) -> None:
    """The default id is the file's name and the row's number."""
    path = write(tmp_path, '{"text": "One."}\n{"text": "Two."}\n', "mail.jsonl")
    assert [item.id for item in item_files.read_items(path)] == ["mail-1", "mail-2"]


@pytest.mark.parametrize("name", ["mail.csv", "mail.jsonl", "mail.parquet"])
def test_an_id_is_the_cell_s_own(name: str, tmp_path: Path) -> None:
    """A zero is an id, a gap is none, and whole numbers have no fraction, also in a column of floats."""
    path = tmp_path / name
    rows = [{"id": 0.0, "text": "One."}, {"id": None, "text": "Two."}, {"id": 1.0, "text": "Three."}]
    if name.endswith("csv"):
        path.write_text("id,text\n0,One.\n,Two.\n1,Three.\n")
    elif name.endswith("jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert [item.id for item in item_files.read_items(path)] == ["0", "mail-2", "1"]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One error lists all rows without a text and all duplicate ids."""
    path = write(tmp_path, 'id,text\na,One.\nb,""\na,Two.\nc,"  "\n')
    with pytest.raises(OperationFailed) as output:
        item_files.read_items(path)
    message = str(output.value)
    assert all(part in message for part in ("row 2: text: got ''", "row 4: text: got '  '", "id a is in 2 rows"))
    assert "nothing was sent" in message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("items.csv", 'id,text\na,"open\nb,Two.\n', "unclosed quote"),
        ("items.csv", "id,text\na,One.,more\n", "items.csv:2: got 3 fields, expected 2"),
        ("items.jsonl", '{"text": "One."}\n{"text": \n', "items.jsonl:2"),
        ("items.xlsx", "One.\n", "not an Excel workbook"),
        ("items.csv", "id,text\n", "no rows"),
    ],
)
def test_a_broken_file_is_refused_by_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    """A malformed file is an error with the line."""
    with pytest.raises(OperationFailed, match=said):
        item_files.read_items(write(tmp_path, text, name))


def test_a_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    """An absent file is an error with its name and make's variable."""
    with pytest.raises(OperationFailed, match=r"absent\.csv: no such file(.|\n)*FILE="):
        item_files.read_items(tmp_path / "absent.csv")


def test_a_column_of_jobs_without_texts_names_jobs(tmp_path: Path) -> None:
    """Rows with `scoring_job_id` and no text are existing jobs."""
    path = write(tmp_path, "scoring_job_id\nj1\nj2\n")
    rows = item_files.read_rows(path)
    assert item_files.names_jobs(rows)
    assert item_files.parse_jobs(path, rows) == ["j1", "j2"]
    assert not item_files.names_jobs(
        item_files.read_rows(write(tmp_path, "scoring_job_id,text\nj1,One.\n", "both.csv"))
    )


def test_jobs_that_repeat_or_are_empty_are_told_at_once(tmp_path: Path) -> None:
    """One error lists all rows without a job id and all duplicates."""
    path = write(tmp_path, "scoring_job_id,note\nj1,\n,x\nj1,\n")
    with pytest.raises(OperationFailed) as output:
        item_files.parse_jobs(path, item_files.read_rows(path))
    assert "row 2: scoring_job_id is missing" in str(output.value)
    assert "scoring_job_id j1 is in 2 rows" in str(output.value)


def test_a_score_that_the_scorecard_lacks_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    """An unknown score is an error with a suggestion and all names."""
    path = write(
        tmp_path,
        "name: Mail\nkey: mail\nscores:\n  - {name: Refund, class: KeywordClassifier, keywords: [refund]}\n",
        "mail.yaml",
    )
    with pytest.raises(NotFound) as output:
        seeding.read_card(path).names(["Refnd"])
    assert "did you mean 'Refund'?\n  next: name one of: Refund" in str(output.value)


CARD = """
name: Mail
key: mail
scores:
  - {name: Mood, class: SVMClassifier, data: {file: mood.csv}}
  - {name: Refund, class: KeywordClassifier, keywords: [refund]}
  - {name: Angry, class: KeywordClassifier, keywords: [angry], depends_on: {Mood: Negative}}
"""


@pytest.mark.parametrize(
    ("names", "lacking"), [(["Refund"], []), (["Mood", "Refund"], ["Mood"]), (["Angry"], ["Mood"])]
)
def test_what_no_worker_could_score_is_found(tmp_path: Path, names: list[str], lacking: list[str]) -> None:
    """An untrained score is unpublished, and so are the scores that depend on it."""
    assert seeding.read_card(write(tmp_path, CARD, "mail.yaml")).list_unpublished_scores(names) == lacking


def test_an_untrained_scorecard_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """`enqueue` lists the untrained scores and the command that trains them, without contacting AWS."""
    items, card = write(tmp_path, "text\nOne.\n"), write(tmp_path, CARD, "mail.yaml")
    done = commands.run("enqueue", str(items), "--scorecard", str(card), "--dry-run")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "got no digest for the model or cassette of Mood" in done.stderr
    assert f"next: plexus train {card} --write build/mail.trained.yaml" in done.stderr
