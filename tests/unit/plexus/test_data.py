"""The one reader of files: what is broken is told by its line, never read as something else."""

import json
from pathlib import Path

import pytest

from plexus import data
from plexus.exceptions import InvalidData


def read(folder: Path, content: bytes, ending: str = "csv") -> list[dict[str, object]]:
    """The rows of a file with that content."""
    path = folder / f"texts.{ending}"
    path.write_bytes(content)
    return [dict(row) for row in data.rows(path)]


@pytest.mark.parametrize(
    "content",
    [
        b"text,id\ngood,1\n",
        b"\xef\xbb\xbftext,id\ngood,1\n",
        b"text,id\r\ngood,1\r\n",
        b"text;id\ngood;1\n",
        b"text\tid\ngood\t1\n",
        b"\ntext,id\n\ngood,1\n\n",
        b'"text","id"\n"good","1"',
    ],
    ids=["plain", "mark", "crlf", "semicolon", "tab", "blank lines", "quoted, no last newline"],
)
def test_what_spreadsheets_write_is_read_alike(tmp_path: Path, content: bytes) -> None:
    """A byte order mark, other line ends, other separators and blank lines change no row."""
    assert read(tmp_path, content) == [{"text": "good", "id": "1"}]


def test_quoted_fields_hold_anything(tmp_path: Path) -> None:
    """Separators, line ends and quotes within quotes are part of the text."""
    assert read(tmp_path, b'text,id\n"a,\nb ""c""",1\n') == [{"text": 'a,\nb "c"', "id": "1"}]


def test_a_field_may_be_long(tmp_path: Path) -> None:
    """A million characters are a text like others."""
    assert len(str(read(tmp_path, b"text\n" + b"a" * 1_000_000)[0]["text"])) == 1_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'text,id\n"a\nb",1\n"good,2\nbad,3\n', ":4: the row that begins here has a quote that is never closed"),
        (b'text,id\na,1\n"go"od,2\n', ":3: text after a closing quote; expected ','"),
        (b"text,id\na,1\nb\n", ":3: 1 fields; expected the 2 named"),
        (b"text,id\na,1,2\n", ":2: 3 fields; expected the 2 named"),
        (b"text,id,text\na,1,b\n", ":1: columns named twice: 'text'"),
        (b"text\na\nb\x00c\n", ":3: a NUL character"),
        (b"text\na\ncaf\xe9\n", ":3: not UTF-8 at byte 4 of the line"),
        ("text\na\n".encode("utf-16"), ": UTF-16; save it as UTF-8"),
    ],
)
def test_a_broken_csv_is_told_by_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    """Nothing is guessed: an open quote would swallow every row after it."""
    with pytest.raises(InvalidData) as raised:
        read(tmp_path, content)
    assert f"texts.csv{said}" in str(raised.value)


def test_a_field_without_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the longest field that is read, with its line."""
    monkeypatch.setattr(data, "LONGEST", 10)
    with pytest.raises(InvalidData, match=r"texts\.csv:2: a field of more than 10 characters"):
        read(tmp_path, b"text\n" + b"a" * 11)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{bad", ":2:2: not JSON: Expecting property name"),
        (b"[1]", ":2: expected an object"),
        (b'{"text": "a", "text": "b"}', ":2: not JSON: the key 'text' comes twice"),
        (b'{"text": NaN}', ":2: not JSON: NaN is no number of JSON"),
        (b'{"text": "\\ud800"}', ":2: half of a surrogate pair"),
        (b'{"text": "caf\xe9"}', ":2: not UTF-8 at byte 14 of the line"),
        (b'{"text": ' + b"[" * 100_000, ":2: not JSON"),
    ],
)
def test_a_broken_line_of_json_is_told(tmp_path: Path, line: bytes, said: str) -> None:
    """With its number, and where the parser knows it the column."""
    with pytest.raises(InvalidData) as raised:
        read(tmp_path, b'{"text": "a"}\n' + line + b"\n", "jsonl")
    assert f"texts.jsonl{said}" in str(raised.value)


def test_escapes_of_json_are_read(tmp_path: Path) -> None:
    """Whole surrogate pairs and NUL are characters; blank lines are none."""
    lines = json.dumps({"text": "😀\0"}).encode() + b"\n\n"
    assert read(tmp_path, lines, "jsonl") == [{"text": "😀\0"}]


def test_a_parquet_file_that_is_none_is_told(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(InvalidData, match=r"texts\.parquet: not a Parquet file"):
        read(tmp_path, b"text", "parquet")


@pytest.mark.parametrize(("name", "said"), [("texts.txt", "unknown kind of file"), ("none.csv", "no such file")])
def test_a_file_of_no_known_kind_is_refused(tmp_path: Path, name: str, said: str) -> None:
    """And one that is not there."""
    (tmp_path / "texts.txt").write_text("text\n")
    with pytest.raises(InvalidData, match=said):
        list(data.rows(tmp_path / name))


@pytest.mark.parametrize(("value", "said"), [(["a"], "a list"), ({"a": "b"}, "a map"), (b"a", "bytes")])
def test_a_text_is_text(tmp_path: Path, value: object, said: str) -> None:
    """What JSON and Parquet can hold beside text and numbers is refused by row, never spelt as Python spells it."""
    with pytest.raises(InvalidData, match=rf"texts: row 3: the column 'text' holds {said}; expected text"):
        data.as_text({"text": value}, "text", tmp_path / "texts", 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (False, "False"), (4.0, "4"), (4.5, "4.5"), (float("nan"), ""), (None, ""), (" a", " a")],
)
def test_numbers_are_labels_too(tmp_path: Path, value: object, text: str) -> None:
    """4.0 is 4, for a column with empty rows says it so; what is no number is no label."""
    assert data.as_text({"label": value}, "label", tmp_path / "texts", 1) == text


def test_a_limit_looks_at_no_later_row(tmp_path: Path) -> None:
    """A row without a label past the limit is none of the evaluation's business."""
    (tmp_path / "texts.csv").write_text("text,label\na,Yes\nb,\n")
    assert len(data.labelled_rows(tmp_path / "texts.csv", "text", "label", 1)) == 1
