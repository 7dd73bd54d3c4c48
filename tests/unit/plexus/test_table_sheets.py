"""Sheets of workbooks: the one with the table is found below its titles, or named in every command alike."""

from collections.abc import Iterator
from pathlib import Path

import click
import openpyxl
import pytest
from click.testing import CliRunner

from plexus import lint
from plexus.commands import group
from plexus.exceptions import InvalidData
from plexus.tables import as_text, open_table
from scripts import enqueue
from tests.unit.plexus.awkward_files import workbook

Rows = list[list[object]]
TEXTS = ["The parcel came far too late.", "My invoice was wrong again.", "It does not switch on any more."]
ROWS: Rows = [[number, TEXTS[number % 3], ("Late", "Bill", "Broken")[number % 3], None] for number in range(30)]
HEADER: list[object] = ["No", "Request", "Kind", "Coder"]
COVERS: dict[str, Rows] = {
    "lines": [["Customer survey"], ["All regions"], ["Confidential"]],
    "pairs": [["Author", "A. Person"], ["Version", 3], ["Sheets", 2]],
    "empty": [],
    "one line": [["About this file"]],
    "lookup": [["Code", "Meaning"], *([number, f"meaning {number}"] for number in range(9))],
}
TITLES: dict[str, Rows] = {
    "none": [],
    "title": [["Survey of 2026, as of May"], []],
    "two titles": [["Survey"], ["as of", "May"]],
    "title in two cells": [["Survey", "2026"], []],
    "centred title": [[None, None, "Survey"], [None]],
    "groups": [["Survey"], [], ["Customer", None, "Coding", None]],
    "groups of one column each": [["Customer", None, "Coding", "by"]],
}


def open_book(path: Path, *sheets: Rows) -> Path:
    """Write a workbook of these sheets; return its path."""
    workbook(*sheets)(path)
    return path


@pytest.mark.parametrize("wanted", [["text", "label"], ["2", "3"], ["Request", "label"]])
@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("is_last", [True, False])
def test_the_table_is_found_among_covers_and_below_titles(
    cover: str, title: str, wanted: list[str], is_last: bool, tmp_path: Path
) -> None:
    """Whether its columns are named, numbered or unknown, and the notice has the sheet and the row of the names."""
    sheets = [COVERS[cover], [*TITLES[title], HEADER, *ROWS]]
    path = open_book(tmp_path / "survey.xlsx", *(sheets if is_last else sheets[::-1]))
    with open_table(path, wanted) as table:
        rows = [row for _, row in table.read_rows()]
    assert [[*row.values()] for row in rows] == ROWS
    assert [*rows[0]] == (["No", "2", "3", "Coder"] if wanted == ["2", "3"] else HEADER)
    assert f"sheet 'Sheet{1 if is_last else ''}' of 2" in table.notice
    assert f"column names in row {len(TITLES[title]) + 1}" in table.notice


@pytest.mark.parametrize(
    "rows",
    [
        [[None, "Comment"], [0, "Fine"], [1, "Good"]],  # as pandas writes an index
        [["Comment", None], ["Fine", None], ["Good", "see below"], ["Bad", None]],
        [["Comment"], ["Fine"], ["Good"]],
        [["Comment", "Note", "Coder"], ["Fine", None, None], ["Good", None, None], ["Bad", "x", "A"]],
        [["Comment", "Stars"], ["Fine", 4]],
    ],
)
def test_a_first_row_that_is_no_title_names_the_columns(rows: Rows, tmp_path: Path) -> None:
    """Also where rows have an index without a name, notes that hardly any row has, or no other column."""
    with open_table(open_book(tmp_path / "book.xlsx", rows)) as table:
        assert "names in row" not in table.notice
        if len(rows[0]) == sum(map(bool, rows[0])):
            assert [[*row.values()] for _, row in table.read_rows()] == rows[1:]


def test_a_hidden_sheet_gives_way_to_a_visible_one(tmp_path: Path) -> None:
    """A list behind a form is not the table, however long it is."""
    book = openpyxl.Workbook()
    book.active.sheet_state = "hidden"
    for row in [HEADER, *ROWS, *ROWS]:
        book.active.append(row)
    sheet = book.create_sheet("Answers")
    for row in [HEADER, *ROWS]:
        sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    with open_table(tmp_path / "book.xlsx") as table:
        assert "sheet 'Answers' of 2" in table.notice


def test_a_sheet_that_is_no_sheet_is_refused(tmp_path: Path) -> None:
    """The error lists those that the workbook has; a table of another format has none."""
    path = open_book(tmp_path / "book.xlsx", [HEADER, *ROWS], [["About"]])
    expected = r"no sheet 'Shet'; did you mean 'Sheet'\?; sheets: 'Sheet', 'Sheet1'"
    with pytest.raises(InvalidData, match=expected), open_table(path, sheet="Shet"):
        pass
    (tmp_path / "texts.csv").write_text("text\nfine\n")
    expected = "got no Excel workbook, expected one with a sheet 'A'"
    with pytest.raises(InvalidData, match=expected), open_table(tmp_path / "texts.csv", sheet="A"):
        pass


def list_commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the names of a command and of those of its group, with the commands."""
    if isinstance(command, click.Group):
        for key in command.list_commands(click.Context(command)):
            subcommand = command.get_command(click.Context(command), key)
            assert subcommand is not None
            yield from list_commands(subcommand, key)
    else:
        yield name, command


def test_every_command_that_reads_tables_takes_a_sheet_and_a_header_row() -> None:
    """An option for the encoding of a table shows that a command reads one."""
    commands = [*list_commands(group, "plexus"), ("enqueue", enqueue.main)]
    options = {name: {word for each in command.params for word in each.opts} for name, command in commands}
    readers = {name for name, words in options.items() if "--encoding" in words}
    for option in ("--sheet", "--header-row"):
        assert readers == {name for name, words in options.items() if option in words}
    assert {"run", "train", "evaluate", "compare", "look", "clean", "split", "sample", "convert", "enqueue"} == readers


CARD = """key: requests
name: Requests
scores:
  - name: Late
    class: KeywordClassifier
    classes: [{value: Late, keywords: [late]}, {value: Bill, keywords: [invoice]}]
    default: Broken
  - name: Kind
    class: SVMClassifier
    data: {file: book.xlsx, text: Request, label: Kind, sheet: Second}
"""
COLUMNS = "--text Request --label Kind"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"data look book.xlsx {COLUMNS}", "15 rows"),
        (f"data clean book.xlsx {COLUMNS} --output new.csv", "of 15 rows"),
        (f"data split book.xlsx {COLUMNS} --output parts", "train.xlsx: 10 rows"),
        (f"data sample book.xlsx {COLUMNS} --rows 3 --output new.csv", "3 of 15 rows"),
        ("data convert book.xlsx --output new.csv", "15 rows"),
        ("run card.yaml --data book.xlsx --text Request --score Late --output new.csv", "15 rows"),
        (f"evaluate card.yaml --score Late --data book.xlsx {COLUMNS}", "15"),
    ],
)
def test_a_named_sheet_is_read(words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although another one has more rows of the same columns."""
    monkeypatch.chdir(tmp_path)
    book = openpyxl.Workbook()
    second = book.create_sheet("Second")
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    for row in [HEADER, *ROWS[:15]]:
        second.append(row)
    book.save("book.xlsx")
    Path("card.yaml").write_text(CARD)
    result = CliRunner().invoke(group, [*words.split(), "--sheet", "Second"], standalone_mode=False)
    assert result.exception is None
    assert "sheet 'Second' of 2" in result.output
    assert said in result.output


def test_a_sheet_to_train_on_must_exist(tmp_path: Path) -> None:
    """The error comes before the training."""
    path = open_book(tmp_path / "book.xlsx", [HEADER, *ROWS])
    (tmp_path / "card.yaml").write_text(CARD)
    words = ["train", str(tmp_path / "card.yaml"), "--data", str(path), *COLUMNS.split(), "--sheet", "Sheets"]
    error = CliRunner().invoke(group, words, standalone_mode=False).exception
    assert "no sheet 'Sheets'; did you mean 'Sheet'?" in str(error)


def test_a_card_names_the_sheet_of_its_texts(tmp_path: Path) -> None:
    """And a check of the card finds a name that no sheet has."""
    open_book(tmp_path / "book.xlsx", [HEADER, *ROWS])
    (problem,) = lint.lint(CARD, folder=tmp_path)
    assert "no sheet 'Second'; sheets: 'Sheet'" in problem.message
    assert lint.lint(CARD.replace("Second", "Sheet"), folder=tmp_path) == []


def test_a_formula_without_a_value_blocks_the_columns_that_are_used(tmp_path: Path) -> None:
    """Named or read, by its cell; in another column it is read as empty, and the notice has the column's name."""
    rows: Rows = [["Survey"], [], ["Text", "Kind", "Sum"], ["fine", "Good", "=1+1"], ["refund", "Bad", "=D5"]]
    path = open_book(tmp_path / "book.xlsx", rows)
    with open_table(path, ["Text", "Kind"]) as table:
        first, second = (row for _, row in table.read_rows())
        assert (first["Text"], first["Sum"], second["Sum"]) == ("fine", None, None)
        assert "1 column with formulas without stored values, read as empty: 'Sum'" in table.notice
        with pytest.raises(InvalidData, match=r"cell C4: a formula without a stored value\. next: open"):
            as_text(table, 1, first, "Sum")
    for wanted in (["Text", "Sum"], ["Text", "3"]):
        with pytest.raises(InvalidData, match="cell C4: a formula"), open_table(path, wanted):
            pass
    words = ["data", "convert", str(path), "--output", str(tmp_path / "new.csv")]
    assert "cell C4: a formula" in str(CliRunner().invoke(group, words, standalone_mode=False).exception)
    assert "cell C4" in str(CliRunner().invoke(group, [*words, "--rename", "Text=T"], standalone_mode=False).exception)
    assert CliRunner().invoke(group, [*words, "--columns", "Text,Kind"], standalone_mode=False).exception is None


def test_a_formula_without_a_value_blocks_only_its_row_if_others_have_values(tmp_path: Path) -> None:
    """The cell is read as empty, and the notice names it with the remedy."""
    rows: Rows = [["Text", "Kind"], ["fine", "Good"], ['=A2&"!"', "Bad"], ["refund", "Bad"]]
    with open_table(open_book(tmp_path / "book.xlsx", rows), ["Text", "Kind"]) as table:
        assert [row["Text"] for _, row in table.read_rows()] == ["fine", None, "refund"]
        assert "1 formula without a stored value, read as empty: A3; next: open the workbook" in table.notice
