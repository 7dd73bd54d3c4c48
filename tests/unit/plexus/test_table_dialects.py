"""Dialects of tables, by chance: what is read is what was written, or the file is refused."""

import csv
import io
import random
from pathlib import Path
from typing import Literal

import pytest

from plexus.exceptions import InvalidData
from plexus.tables import open_table
from plexus.tables.output import write_file
from tests.unit.plexus.awkward_files import workbook

PIECES = (
    *("refund", "a,b", "x;y", "p|q", '"quoted"', 'say "hi"', "tab\there", "line\nbreak", "cr\rlf", "crlf\r\nx", "é"),
    *("1,50", "“q”", "it's", "日本", "😀", "\\", '\\"', "sep=;", "text", "label", "\u2028", "\x0b", ",", ";", "|"),
    *('"', "", "  "),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
QUOTING: tuple[Literal[0, 1], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_writer_of_csv_writes_is_read_as_it_was(tmp_path: Path, seed: int) -> None:
    """Any rows, with any separator, quoting and encoding, are read as they were; a few tiny files are refused."""
    chance = random.Random(seed)
    headers = [["text"], ["id", "text"], ["text", "label", "note, if any"], ["a;b", "text", "c|d"]]
    refused = 0
    for _ in range(250):
        header = chance.choice(headers)
        rows = [
            [" ".join(chance.choices(PIECES, k=chance.choice((1, 1, 2, 4)))) for _ in header]
            for _ in range(chance.choice((1, 2, 5, 30)))
        ]
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=chance.choice(",;\t|"), quoting=chance.choice(QUOTING)).writerows([header, *rows])
        while rows and not any(rows[-1]):
            rows.pop()
        try:
            (tmp_path / "table.csv").write_bytes(buffer.getvalue().encode(chance.choice(ENCODINGS)))
            with open_table(tmp_path / "table.csv", ["text"]) as table:
                results = [row for _, row in table.read_rows()]
        except InvalidData:
            refused += 1
            continue
        assert results == [dict(zip(header, row, strict=True)) for row in rows]
    assert refused < 5


@pytest.mark.parametrize("name", ["numbers", "names"])
def test_unquoted_tables_keep_their_quotes_or_are_refused(tmp_path: Path, name: str) -> None:
    """In tables of tabs without quoting, a quote that opens a cell never swallows a row."""
    chance = random.Random(name)
    texts = ('"open', 'close"', 'say "hi"', "refund", "a,b", "x;y", "p|q", ": )", "it's 5\" wide")
    wanted, header = (["2", "1"], "") if name == "numbers" else (["text", "label"], "label\ttext\n")
    read_files = 0
    for _ in range(250):
        rows = [
            [chance.choice(("ham", "spam")), " ".join(chance.choices(texts, k=chance.choice((1, 2, 5)))).rstrip('"')]
            for _ in range(chance.choice((3, 8, 40)))
        ]
        (tmp_path / "table").write_text(header + "".join("\t".join(row) + "\n" for row in rows))
        try:
            with open_table(tmp_path / "table", wanted) as table:
                results = [[str(row[name]) for name in reversed(wanted)] for _, row in table.read_rows()]
        except InvalidData:
            continue
        read_files += 1
        assert results == rows
    assert read_files > 125


@pytest.mark.parametrize(
    ("types", "roles", "are_types"),
    [
        ("discrete\tstring", "class\tmeta include=True", True),
        ("d\ts", "\t", True),
        ("\tstring", "c\tm", True),
        ("discrete\tstring", "spam\tWin a prize", False),
        ("spam\tstring", "class\t", False),
        ("\t", "class\t", False),
    ],
)
def test_rows_of_types_below_a_header_are_no_texts(tmp_path: Path, types: str, roles: str, are_types: bool) -> None:
    """Orange writes types and roles below the names; rows that could be texts are read as such."""
    path = tmp_path / "texts.tab"
    path.write_text(f"label\ttext\n{types}\n{roles}\nham\tSee you later\n")
    with open_table(path, ["text"]) as table:
        rows = [(number, row["text"]) for number, row in table.read_rows()]
        assert ("rows of types below the header" in table.notice) is are_types
    assert (rows == [(1, "See you later")]) is are_types
    assert rows[-1][1] == "See you later"


@pytest.mark.parametrize(
    "content", [b"text,label\na,Yes\ntext,label\nb,No\n", b"text;label\na;Yes\n\xef\xbb\xbftext; label\n"]
)
def test_column_names_that_are_repeated_are_no_row(content: bytes, tmp_path: Path) -> None:
    """Files that were joined with their first lines are refused with the line; their names would be a text."""
    (tmp_path / "texts.csv").write_bytes(content)
    with (
        open_table(tmp_path / "texts.csv", ["text"]) as table,
        pytest.raises(InvalidData, match=r"texts\.csv:3: the column names are here again"),
    ):
        list(table.read_rows())


def test_repeated_names_of_a_sheet_are_no_row_either(tmp_path: Path) -> None:
    """Of a workbook, the error has the sheet and the row."""
    workbook([["text", "label"], ["a", "Yes"], ["text", "label"]])(tmp_path / "texts.xlsx")
    with (
        open_table(tmp_path / "texts.xlsx", ["text"]) as table,
        pytest.raises(InvalidData, match=r"sheet 'Sheet', row 3: the column names are here again"),
    ):
        list(table.read_rows())


@pytest.mark.parametrize("content", [b"text\na\ntext\n", b"text,label\ntext,Yes\n", b"text,label\nlabel,text\n"])
def test_a_text_that_is_a_column_s_name_is_a_row(content: bytes, tmp_path: Path) -> None:
    """Only all names, in their order and of several columns, are the first line again."""
    (tmp_path / "texts.csv").write_bytes(content)
    with open_table(tmp_path / "texts.csv", ["text"]) as table:
        assert len(list(table.read_rows())) == content.count(b"\n") - 1


@pytest.mark.parametrize("text", ["one_x000D_two", "_x005F_", "_x0041_x0042_", "_x12_", "x_x"])
def test_a_text_like_an_escape_is_written_as_itself(text: str, tmp_path: Path) -> None:
    """Readers of workbooks take `_x000D_` for a carriage return, unless its first sign is escaped."""
    write_file(tmp_path / "texts.xlsx", "xlsx", {"text": str}, [{"text": text}], ())
    with open_table(tmp_path / "texts.xlsx", ["text"]) as table:
        assert [row["text"] for _, row in table.read_rows()] == [text]
