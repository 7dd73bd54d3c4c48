"""The files that `make enqueue` takes: items, and the scorecard that they are scored by."""

from pathlib import Path

import pytest

from scripts import _items, _seed
from scripts._errors import NotFound, OperationFailed
from scripts._items import Item
from tests.golden import commands


def write(folder: Path, text: str, name: str = "items.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def test_the_other_columns_are_the_items_fields(tmp_path: Path) -> None:
    """A row gives id, text, and its other columns by name."""
    path = write(tmp_path, "id,text,Sentiment\na,Lovely.,Positive\n")
    assert _items.read_items(path) == [Item("a", "Lovely.", {"Sentiment": "Positive"})]


def test_a_row_without_id_is_named_after_file_and_row(tmp_path: Path) -> None:
    """Where there is no id the file's name and the row's number are one."""
    path = write(tmp_path, '{"text": "One."}\n{"text": "Two."}\n', "mail.jsonl")
    assert [item.id for item in _items.read_items(path)] == ["mail-1", "mail-2"]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Rows without text and ids that repeat are named in one error."""
    path = write(tmp_path, 'id,text\na,One.\nb,""\na,Two.\nc,"  "\n')
    with pytest.raises(OperationFailed) as told:
        _items.read_items(path)
    said = str(told.value)
    assert all(part in said for part in ("row 2: no text", "row 4: no text", "the id a stands in 2 rows"))
    assert "nothing was sent" in said


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("items.csv", 'id,text\na,"open\nb,Two.\n', "quote that is never closed"),
        ("items.csv", "id,text\na,One.,more\n", "items.csv:2: 3 fields; expected the 2 named"),
        ("items.jsonl", '{"text": "One."}\n{"text": \n', "items.jsonl:2"),
        ("items.txt", "One.\n", "unknown kind of file"),
        ("items.csv", "id,text\n", "no rows"),
    ],
)
def test_a_broken_file_is_refused_by_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    """What is not CSV or JSONL is an error that names where."""
    with pytest.raises(OperationFailed, match=said):
        _items.read_items(write(tmp_path, text, name))


def test_a_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    """The error names the file, and how to give one to make."""
    with pytest.raises(OperationFailed, match=r"absent\.csv: no such file(.|\n)*FILE="):
        _items.read_items(tmp_path / "absent.csv")


def test_a_column_of_jobs_without_texts_names_jobs(tmp_path: Path) -> None:
    """Rows with `scoring_job_id` and no text are jobs that exist."""
    path = write(tmp_path, "scoring_job_id\nj1\nj2\n")
    rows = _items.read_rows(path)
    assert _items.names_jobs(rows)
    assert _items.jobs(path, rows) == ["j1", "j2"]
    assert not _items.names_jobs(_items.read_rows(write(tmp_path, "scoring_job_id,text\nj1,One.\n", "both.csv")))


def test_jobs_that_repeat_or_are_empty_are_told_at_once(tmp_path: Path) -> None:
    """Each row without an id and each id that stands twice is named."""
    path = write(tmp_path, "scoring_job_id,note\nj1,\n,x\nj1,\n")
    with pytest.raises(OperationFailed) as told:
        _items.jobs(path, _items.read_rows(path))
    assert "row 2: no scoring_job_id" in str(told.value)
    assert "the scoring_job_id j1 stands in 2 rows" in str(told.value)


def test_a_score_that_the_scorecard_lacks_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    """What was meant is guessed, and all names are told."""
    path = write(
        tmp_path,
        "name: Mail\nkey: mail\nscores:\n  - {name: Refund, class: KeywordClassifier, keywords: [refund]}\n",
        "mail.yaml",
    )
    with pytest.raises(NotFound) as told:
        _seed.read_card(path).names(["Refnd"])
    assert "did you mean 'Refund'?\n  next: name one of: Refund" in str(told.value)


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
    """A score whose model is still to be trained cannot be sent, nor one that needs it."""
    assert _seed.read_card(write(tmp_path, CARD, "mail.yaml")).unpublished(names) == lacking


def test_an_untrained_scorecard_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """The scores are named, and the command that trains them; no local AWS is needed for it."""
    items, card = write(tmp_path, "text\nOne.\n"), write(tmp_path, CARD, "mail.yaml")
    done = commands.run("enqueue", str(items), "--scorecard", str(card), "--dry-run")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no digest names the model or cassette of Mood: no worker could score" in done.stderr
    assert f"next: python -m plexus train {card} --write build/mail.trained.yaml" in done.stderr
