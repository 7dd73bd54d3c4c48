"""The reader of tables: every file as programs write them, and malformed input reported with its line."""

import json
import os
import threading
import zipfile
from pathlib import Path

import pyarrow
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from plexus.exceptions import InvalidData
from plexus.tables import as_text, dialects, open_table
from plexus.tables.labels import read_labelled
from tests.unit.plexus.awkward_files import COMMA, FILES, ROWS, TABLE, File, workbook
from tests.unit.plexus.shared_cases import shared_case

MAPS = pyarrow.map_(pyarrow.string(), pyarrow.int64())


def read(folder: Path, content: bytes, ending: str = "csv") -> list[dict[str, object]]:
    """Return the rows of a file with that content."""
    path = folder / f"texts.{ending}"
    path.write_bytes(content)
    with open_table(path, ["text"]) as table:
        return [dict(row) for _, row in table.read_rows()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_program_s_file_is_read_and_what_was_detected_is_printed(tmp_path: Path, file: File) -> None:
    """A file has the rows that its program meant, and all but plain CSV, JSON lines and Parquet is said in a line."""
    wanted = [name for name in (file.text, file.label, file.id) if name]
    with open_table(file.create(tmp_path), wanted, encoding=file.encoding) as table:
        results = [
            tuple(
                as_text(table, number, row, name) if name else other
                for name, other in ((file.id, ""), (file.text, ""), (file.label, "-"))
            )
            for number, row in table.read_rows()
        ]
        assert results == file.rows
        assert file.said in table.notice
        assert bool(file.said) == bool(table.notice)
        assert "\n" not in table.notice


def test_quoted_fields_hold_anything(tmp_path: Path) -> None:
    """Separators, line ends and quotes within quotes are part of the text."""
    assert read(tmp_path, b'text,id\n"a,\nb ""c""",1\n') == [{"text": 'a,\nb "c"', "id": "1"}]


def test_a_field_may_be_long(tmp_path: Path) -> None:
    """A million characters are a text like others."""
    assert len(str(read(tmp_path, b"text\n" + b"a" * 1_000_000)[0]["text"])) == 1_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'text,id\n"a\nb",1\n"good,2\nbad,3\n', ":4: unclosed quote in the row that begins here"),
        (b'text,id\na,1\n"go"od,2\n', ":3: text after a closing quote, expected ','"),
        (b"text,id\na,1,2\n", ":2: got 3 fields, expected 2"),
        (b"text,id\na,1\n\nb,2,3,4\n", ":4: got 4 fields, expected 2"),
        (b"text,id,text\na,1,b\n", ":1: repeated column names: 'text'"),
        (b"text\na\nb\x00c\n", ":3: got a NUL character"),
        (b"text,label\ra,x\rb,y\nc,z\n", ": some lines end in CR, and others in LF"),
        (b"<!DOCTYPE html>\n<html>", ": got a web page or XML, expected a table"),
        (b'text\n"a\n', ":2: unclosed quote in the row that begins here"),
        ("é\n".encode() + b"text\na\ncaf\xe9\n", ":4: not UTF-8 at byte 4 of the line, unlike other lines"),
        ("text\nČebela\n".encode("cp1250"), ":2: not UTF-8 at byte 1 of the line. next: --encoding NAME"),
        ("text\nПривет\n".encode("cp1251"), "\n  cp1251     Привет"),
        ("text\nsch”n\n".encode("cp1252"), "\n  cp850      schön"),
        ("text\n好好\n".encode("gb18030"), "\n  gb18030    好好"),
        (b"\xff\xfet\x00e\x00x", ": damaged UTF-16. next: save it as UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ": got an Excel workbook of before 2007 (.xls)"),
        (b'text\tid\na "b" c\t1\n"good\t2\nday"\t3\n', ":3: a quote joins this line and the next, or is part of"),
        (b"\x7fELF\x02\x01\x01\x00\xe9\xff", ": got a binary file, expected a table"),
        (b"%PDF-1.7\n", ": got a PDF document, expected a table"),
        (b"PK\x03\x04\x14", ": an Excel workbook or another zip archive, and damaged"),
        (b"\x1f\x8b\x08\x00\x00", ": damaged gzip file"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    """Nothing is guessed where two readings are possible: the error has the line and the next step."""
    with pytest.raises(InvalidData) as raised:
        read(tmp_path, content)
    assert said in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/texts.csv:")


@pytest.mark.parametrize(
    "content",
    [
        b"| text | label |\n|---|---|\n| a refund | Yes |\n",
        b"\ntext | label\n:-- | --:\na refund | Yes\n",
        b"|text|\n|-|\n|a refund|\n",
        b"+------+-------+\n| text | label |\n+------+-------+\n| a refund | Yes |\n+------+-------+\n",
        b" text | label \n------+-------\n a refund | Yes\n",
        b"| text | label |\n|======|=======|\n| a refund, now | Yes |\n",
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "txt", "psv"])
def test_a_table_drawn_for_people_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    """The line that draws it would be a text to score."""
    with pytest.raises(InvalidData, match=r":[123]: got a line that draws a table, as Markdown has\. next: save "):
        read(tmp_path, content, suffix)


@pytest.mark.parametrize("suffix", ["csv", "txt", "tsv"])
def test_columns_that_blanks_separate_are_refused(tmp_path: Path, suffix: str) -> None:
    """A file of R's write.table would be one text a line, the first of them its header."""
    with pytest.raises(InvalidData, match=r":1: columns are separated by blanks.*next: write\.csv"):
        read(tmp_path, b'"id" "text" "label"\n"1" 1 "refund me" "Yes"\n', suffix)


def test_dashes_for_missing_cells_draw_no_table(tmp_path: Path) -> None:
    """A row of dashes is a row."""
    assert read(tmp_path, b"text|label\n-|-\na refund|Yes\n", "csv")[0] == {"text": "-", "label": "-"}
    assert read(tmp_path, b"text,label\n---,---\na refund,Yes\n", "csv")[0] == {"text": "---", "label": "---"}


def test_a_field_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the longest field that is read, with its line."""
    monkeypatch.setattr(dialects, "LONGEST", 10)
    with pytest.raises(InvalidData, match=r"texts\.csv:2: a field of more than 10 characters"):
        read(tmp_path, b"text\n" + b"a" * 11)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{bad", ":2:2: not JSON: Expecting property name"),
        (b"[1]", ":2: expected an object"),
        (b'{"text": "a", "text": "b"}', ":2: not JSON: the key 'text' is repeated"),
        (b'{"text": NaN}', ":2: not JSON: NaN is not a JSON number"),
        (b'{"text": "\\ud800"}', ":2: got an unpaired surrogate"),
        (b'{"text": "a", "price": 1e400}', ":2: not JSON: got a number greater than 2e+308"),
        (b'{"text": "a", "prices": [-1.5e999]}', ":2: not JSON: got a number greater than 2e+308"),
        (b'{"text": ' + b"[" * 100_000, ":2: got lists or objects nested too deeply to be read"),
    ],
)
def test_a_broken_line_of_json_is_refused(tmp_path: Path, line: bytes, said: str) -> None:
    """With its number, and where the parser knows it the column."""
    with pytest.raises(InvalidData) as raised:
        read(tmp_path, b'{"text": "a"}\n' + line + b"\n", "jsonl")
    assert f"texts.jsonl{said}" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "row 1: expected an object"),
        (b'"text"', "got str, expected a list of objects"),
        (b'{"a": [{"text": "b"}], "c": [{"text": "d"}]}', "got an object with 2 lists of objects"),
        (b'[{"text": "a"},\n{"text": }]', ":2:10: not JSON"),
    ],
)
def test_a_json_document_without_rows_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A document is a list of objects, one such list beside other values, or a map of columns."""
    with pytest.raises(InvalidData, match=said):
        read(tmp_path, content, "json")


def test_escapes_of_json_are_read(tmp_path: Path) -> None:
    """Whole surrogate pairs and NUL are characters; blank lines are none."""
    lines = json.dumps({"text": "😀\0"}).encode() + b"\n\n"
    assert read(tmp_path, lines, "jsonl") == [{"text": "😀\0"}]


@pytest.mark.parametrize(("ending", "said"), [("parquet", "not a Parquet file"), ("xlsx", "not an Excel workbook")])
def test_a_binary_file_of_another_kind_is_refused(tmp_path: Path, ending: str, said: str) -> None:
    """A suffix that promises a binary format is not read as text."""
    with pytest.raises(InvalidData, match=said):
        read(tmp_path, b"text", ending)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("xl/workbook.bin", r"got a binary Excel workbook \(.xlsb\)"),
        ("content.xml", r"got an OpenDocument file \(.ods\)"),
        ("texts.csv", "got a zip archive"),
        ("xl/workbook.xml", "not a readable Excel workbook"),
    ],
)
def test_archives_that_are_no_workbook_are_named(tmp_path: Path, member: str, said: str) -> None:
    """For every suffix, the error names the kind of archive and how to save it."""
    with zipfile.ZipFile(tmp_path / "texts.csv", "w") as archive:
        archive.writestr(member, "text")
    with pytest.raises(InvalidData, match=said):
        read(tmp_path, (tmp_path / "texts.csv").read_bytes())


def test_a_formula_without_a_value_is_refused(tmp_path: Path) -> None:
    """A workbook that no spreadsheet program has calculated has no values for its formulas; they are not empty."""
    workbook([["text"], ["=A1"]])(tmp_path / "book.xlsx")
    with pytest.raises(InvalidData, match=r"cell A2: a formula without a stored value\. next: open"):
        read(tmp_path, (tmp_path / "book.xlsx").read_bytes(), "xlsx")


def test_a_sheet_with_one_row_gives_way_to_one_with_rows(tmp_path: Path) -> None:
    """If no column is named, a sheet with a title alone is not used as the table."""
    workbook([["About this file"]], TABLE)(tmp_path / "book.xlsx")
    with open_table(tmp_path / "book.xlsx") as table:
        assert len(list(table.read_rows())) == len(ROWS)


def test_a_row_beyond_the_header_is_refused(tmp_path: Path) -> None:
    """The error says which row was read as the header, and what to do."""
    workbook([["text"], ["fine"], ["a refund"], ["both", "cells"]])(tmp_path / "book.xlsx")
    message = r"row 4: got a cell beyond the 1 column of row 1, read as the header\. next: name a column \(--text\)"
    with pytest.raises(InvalidData, match=message):
        read(tmp_path, (tmp_path / "book.xlsx").read_bytes(), "xlsx")


def test_a_sheet_is_read_beyond_its_stated_size(tmp_path: Path) -> None:
    """Some programs state a wrong size of the sheet: rows beyond it are rows."""
    book = Workbook()
    for row in TABLE:
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    path = tmp_path / "small.xlsx"
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(path, "w") as small:
        for name in whole.namelist():
            small.writestr(name, whole.read(name).replace(b'ref="A1:C4"', b'ref="A1"'))
    with open_table(path, ["text"]) as table:
        assert len(list(table.read_rows())) == len(ROWS)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    """A slip in the name is an error with the name that was meant."""
    (tmp_path / "reviews.csv").write_text("text\na\n")
    with (
        pytest.raises(InvalidData, match=r"review\.csv: no such file; did you mean 'reviews\.csv'\?"),
        open_table(tmp_path / "review.csv"),
    ):
        pass


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder is named as one."""
    with pytest.raises(InvalidData, match="is a folder, expected a file"), open_table(tmp_path):
        pass


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """A FIFO, as <(…) gives, can be read once only; its rows are read as often as they are needed."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(COMMA,))
    writer.start()
    with open_table(path, ["text"]) as table:
        assert [len(list(table.read_rows())) for _ in range(2)] == [3, 3]
    writer.join()


@pytest.mark.parametrize(("value", "said"), [(["a"], "a list"), ({"a": "b"}, "a map")])
def test_a_text_is_text(tmp_path: Path, value: object, said: str) -> None:
    """Values of JSON and Parquet that are neither texts nor numbers are refused by row, never spelt as Python does."""
    (tmp_path / "texts.jsonl").write_text(json.dumps({"text": value}) + "\n")
    with (
        open_table(tmp_path / "texts.jsonl") as table,
        pytest.raises(InvalidData, match=rf"texts\.jsonl: row 1: column 'text': got {said}, expected text"),
    ):
        read_labelled(table, "text", "text")


def test_a_missing_column_lists_the_others(tmp_path: Path) -> None:
    """The error suggests the column that was meant, and how to read a file without a header."""
    (tmp_path / "texts.csv").write_text("ham,all fine\nspam,win\n")
    with open_table(tmp_path / "texts.csv", ["text"]) as table, pytest.raises(InvalidData) as raised:
        read_labelled(table, "text", "label")
    assert (
        "row 1 has no column 'text'; columns: ham, all fine. In a file without a header, columns are named by number"
        in str(raised.value)
    )


def test_a_limit_looks_at_no_later_row(tmp_path: Path) -> None:
    """A row without a label past the limit is none of the evaluation's business."""
    (tmp_path / "texts.csv").write_text("text,label\na,Yes\nb,\n")
    with open_table(tmp_path / "texts.csv") as table:
        assert len(read_labelled(table, "text", "label", 1)) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_combination_is_read_alike(tmp_path: Path, separator: str, encoding: str, newline: str) -> None:
    """Separator, encoding and line end are independent of each other."""
    lines = ["id,text,label", "1,the café,ham", '2,"fine, thanks; really\t|",spam', "3,x,ham"]
    lines[1:2] = ["1,the cafe,ham"] if encoding == "utf-16-le" else lines[1:2]
    content = newline.join(line.replace(",", separator) for line in lines).encode(encoding)
    result = read(tmp_path, content)
    assert [row["id"] for row in result] == ["1", "2", "3"]
    assert str(result[1]["text"]).replace(separator, ",") == lines[2][3:-6].replace(separator, ",")
    assert result[0]["text"] == lines[1][2:-4]


def test_the_shared_cases_are_right() -> None:
    """Each shared file has the rows that its list states, or is refused."""
    expected = json.loads(shared_case("tables/expected.json").read_text())
    for name in ("excel-sep-line.csv", "lone-carriage-return.csv", "blank-after-comma.csv"):
        with open_table(shared_case(f"tables/{name}"), ["text"]) as table:
            assert [row for _, row in table.read_rows()] == expected[name]["rows"]
    with open_table(shared_case("tables/blank-cell.csv"), ["text"]) as table:
        assert [row["text"] for _, row in table.read_rows()] == ["a refund", "", "money back"]
    with (
        pytest.raises(InvalidData, match="an Excel workbook or another zip archive"),
        open_table(shared_case("tables/workbook-named.csv")),
    ):
        pass
    with open_table(shared_case("tables/nested-metadata.jsonl")) as table:
        (entry,) = read_labelled(table, "text", "id")
        assert entry.item.metadata == expected["nested-metadata.jsonl"]["metadata"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (pyarrow.Table.from_arrays([["a"], ["b"]], ["text", "text"]), "repeated column names: 'text'"),
        (
            pyarrow.table({"text": ["a"], "m": pyarrow.array([[("k", 1), ("k", 2)]], MAPS)}),
            "a value that cannot be read: .*duplicate key",
        ),
    ],
)
def test_parquet_that_would_lose_a_value_is_refused(tmp_path: Path, table: pyarrow.Table, problem: str) -> None:
    """Two columns of one name, or two values of one key, are an error."""
    parquet.write_table(table, tmp_path / "texts.parquet")
    with open_table(tmp_path / "texts.parquet", ["text"]) as opened, pytest.raises(InvalidData, match=problem):
        list(opened.read_rows())


def test_cells_that_show_an_error_are_empty_and_listed(tmp_path: Path) -> None:
    """A failed formula is no text; the line about the file says which cells are read as empty."""
    workbook([["text", "price"], ["a", "#N/A"], ["#REF!", 2]])(tmp_path / "texts.xlsx")
    with open_table(tmp_path / "texts.xlsx", ["text"]) as table:
        rows = [dict(row) for _, row in table.read_rows()]
        assert table.notice == "Excel workbook; 2 cells with an error, read as empty: B2 #N/A, A3 #REF!"
    assert rows == [{"text": "a", "price": None}, {"text": None, "price": 2}]
