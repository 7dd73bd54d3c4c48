"""`plexus data` on exports whose texts and labels lie below titles, in maps and in lists."""

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from tests.unit.plexus.data_commands import run, run_data


def test_lists_and_maps_are_guessed_as_neither_texts_nor_labels(tmp_path: Path) -> None:
    """The longest column of an export may be an object; a table of objects alone is an error with its remedy."""
    path = tmp_path / "tweets.json"
    user = {"name": "a name that is much longer than any text of the table"}
    rows = [{"user": user, "full_text": f"Text {number}", "lang": "en", "tags": ["x"]} for number in range(6)]
    path.write_text(json.dumps(rows))
    assert "guessed texts in 'full_text'" in run_data("look", path).stderr
    path.write_text(json.dumps([{"user": user}]))
    assert "no column of texts: every column has numbers, lists or maps: user. next:" in str(
        run("look", path).exception
    )


def test_texts_inside_of_maps_are_named_by_their_path(tmp_path: Path) -> None:
    """An export whose texts are members of objects: the error suggests the path, and every command reads it."""
    path, clean = tmp_path / "reviews.json", tmp_path / "clean.csv"
    rows = [
        {"id": number, "body": {"text": f"Text {number}", "lang": "en"}, "rating": number % 2} for number in range(9)
    ]
    path.write_text(json.dumps({"export": {"version": 2}, "reviews": rows}))
    assert str(run("look", path).exception).endswith("id, body, rating. next: --text body.text")
    assert "texts: column 'body.text'; characters: 6 to 6" in run_data("look", path, "--text", "body.text").stdout
    run_data("clean", path, "--text", "body.text", "--label", "rating", "--output", clean)
    assert [row["body.text"] for row in csv.DictReader(clean.open())] == [f"Text {number}" for number in range(9)]
    path.write_text(json.dumps([{"body": {"text": "inner"}, "body.text": "own", "label": "a"}]))
    assert "characters: 3 to 3" in run_data("look", path, "--text", "body.text").stdout
    error = str(run("look", path, "--text", "body.txt").exception)
    assert "no column 'body.txt'" in error


def test_column_names_below_a_title_are_found_by_the_names_asked_for(tmp_path: Path) -> None:
    """A report has a cover sheet, and a title above its table: names choose sheet and row, which are printed."""
    path = tmp_path / "survey.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Survey 2026"])
    book.active.append(["as of December"])
    sheet = book.create_sheet("Answers")
    for cells in (["Survey", "2026"], [], ["No", "Comment", "Happy?"], [1, "Fine", "yes"], [2, "Comment", "no"]):
        sheet.append(cells)
    book.save(path)
    result = run_data("look", path, "--text", "Comment", "--label", "Happy?")
    assert "2 rows; Excel workbook, sheet 'Answers' of 2, column names in row 3" in result.stdout
    assert "columns: No, Comment, Happy?" in result.stdout
    assert "no column 'Remark'" in str(run("look", path, "--text", "Remark").exception)


@pytest.mark.parametrize("name", ["tags.csv", "tags.json"])
def test_members_become_columns_of_yes_and_no(tmp_path: Path, name: str) -> None:
    """Labels that cells join, or JSON lists, whatever their order and case; a cell without any has No everywhere."""
    cells = ["late; dear", "Dear;late", "rude", "", "rude; dear"]
    listed = [{"text": f"t{number}", "tags": cell.split(";") if cell else []} for number, cell in enumerate(cells)]
    lines = ["text,tags", *(f"t{number},{cell}" for number, cell in enumerate(cells))]
    (tmp_path / name).write_text(json.dumps(listed) if name.endswith("json") else "\n".join(lines))
    target = tmp_path / "out.jsonl"
    run_data("convert", tmp_path / name, "--members", "tags", "--columns", "text", "--output", target)
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [[row[f"tags: {tag}"] for tag in ("dear", "late", "rude")] for row in rows] == [
        ["Yes", "Yes", "No"],
        ["Yes", "Yes", "No"],
        ["No", "No", "Yes"],
        ["No", "No", "No"],
        ["Yes", "No", "Yes"],
    ]


@pytest.mark.parametrize(
    ("columns", "guessed"),
    [
        ({"Date": ["2026-01-09", "2026-01-14"], "Kind": ["x", "y"]}, ", labels in 'Kind'"),
        ({"Date": ["09.01.2026 14:05", "14.01.2026 09:00"]}, ". next"),
        ({"Year": ["2015", "2016"], "Stars": ["1", "2"]}, ", labels in 'Stars'"),
        ({"Year": ["2015", "2016"]}, ", labels in 'Year'"),
    ],
)
def test_times_are_guessed_as_labels_last(tmp_path: Path, columns: dict[str, list[str]], guessed: str) -> None:
    """A day is no class of texts, and a year is one only if no other column can be."""
    path = tmp_path / "texts.jsonl"
    rows = [{name: cells[place % 2] for name, cells in columns.items()} for place in range(40)]
    texts = (f"A sentence of some length, number {place}" for place in range(40))
    path.write_text("".join(json.dumps({**row, "Said": text}) + "\n" for row, text in zip(rows, texts, strict=True)))
    assert f"guessed texts in 'Said'{guessed}" in run_data("look", path).stderr


def test_a_column_of_days_has_no_classes(tmp_path: Path) -> None:
    """As a scale of numbers has none: a model cannot learn a class for each day."""
    path = tmp_path / "texts.csv"
    days = [f"2026-{month:02}-{day:02}" for month in (1, 2) for day in range(1, 15)]
    path.write_text("text,label\n" + "".join(f"words {day} {more},{day}\n" for day in days for more in ("a", "b", "c")))
    assert "column 'label' has 28 different days, and each would be a class of its own" in run_data("look", path).stdout
