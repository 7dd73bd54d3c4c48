"""Written tables: guarded, read again as they were, and never over what is being read."""

import csv
import json
import os
from contextlib import nullcontext
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from plexus.commands import data, run
from plexus.exceptions import InvalidData
from plexus.tables import open_table
from plexus.tables.output import guard, restore, write_file

CARD = """
name: Returns
key: returns
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund]
"""
IDS = [
    "one\rtwo",
    "=1+1",
    "\x1b[31mred",
    "-5",
    "+49 (0) 30",
    "a,b;c\td",
    'say "hi"',
    "two\nlines",
    "\x9b1m",
    "０",
    "＝1",
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A card, and texts whose ids are awkward."""
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"id": each, "text": "a refund"}) + "\n" for each in IDS))
    return tmp_path


def command(folder: Path, *more: str, data: str = "texts.jsonl") -> Result:
    """Return the command on the folder's files."""
    words = [str(folder / "card.yaml"), "--data", str(folder / data), "--id", "id", *more]
    return CliRunner().invoke(run.command, words, standalone_mode=False)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-x", "'-x"),
        ("-5", "-5"),
        ("-", "-"),
        ("'-", "''-"),
        ("+1,5", "+1,5"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("\x1b]0;x\x07", "\ufffd]0;x\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("a\r\nb\tc", "a\r\nb\tc"),
        ("\ud800", "\ufffd"),
        (-5, -5),
        (None, None),
    ],
)
def test_a_cell_is_no_formula_and_no_command(value: object, cell: object) -> None:
    """Spreadsheets execute texts that begin like formulas, terminals execute control characters."""
    assert guard(value) == cell


@given(st.text(alphabet="'=+-@1,. a\t＝", max_size=8))
def test_a_guarded_text_is_restored(text: str) -> None:
    """Reading removes the apostrophe that writing added, and none that the text had."""
    assert restore(str(guard(text))) == text


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz"])
def test_texts_that_begin_like_formulas_keep_their_values(tmp_path: Path, suffix: str) -> None:
    """A table that was written once or twice gives the texts that it was made of, and the notice says so."""
    texts = ["-no", "@home", "=1", "'=1", "''-x", "'tis", "-5", "'-5", "+1 555", "'", "\t=1", "a'-b"]
    texts_read = texts
    for name in ("first", "second"):
        path = tmp_path / f"{name}.{suffix}"
        write_file(path, suffix.split(".")[0], {"text": str}, [{"text": each} for each in texts_read], ())
        with open_table(path, ["text"]) as table:
            texts_read = [str(row["text"]) for _, row in table.read_rows()]
            assert "7 cells without the apostrophe that guards against formulas: lines 2, 3, 4, 5, 6, …" in table.notice
        assert texts_read == texts


@pytest.mark.parametrize("form", ["csv", "tsv", "csv.gz", "xlsx", "jsonl", "jsonl.gz", "parquet"])
def test_what_is_written_is_read_again(files: Path, form: str) -> None:
    """Our own reader finds the rows of every format that we write, with ids as they were or guarded."""
    path = files / f"out.{form}"
    assert command(files, "--output", str(path)).exception is None
    with open_table(path, ["id"]) as table:
        results = [str(row["id"]) for _, row in table.read_rows()]
    if form.startswith(("jsonl", "parquet")):
        assert results == IDS
    elif form == "xlsx":  # in a workbook a text that begins like a formula is a text
        assert [each.replace("\ufffd", "?") for each in results] == [
            each.replace("\x1b", "?").replace("\x9b", "?").replace("\r", "\n") for each in IDS
        ]
    else:  # only control characters are lost
        assert results == [each.replace("\x1b", "\ufffd").replace("\x9b", "\ufffd") for each in IDS]


def test_json_lines_hold_no_control_characters(files: Path) -> None:
    """Control characters are escaped, which changes nothing for a reader of JSON."""
    printed = command(files, "--json").stdout
    assert not any((ord(character) < 32 and character != "\n") or 127 <= ord(character) < 160 for character in printed)
    assert [json.loads(line)["id"] for line in printed.splitlines()] == IDS


def test_equal_rows_give_equal_bytes_compressed_too(files: Path) -> None:
    """A compressed file has no time in it."""
    for name in ("one.csv.gz", "two.csv.gz"):
        command(files, "--output", str(files / name))
    assert (files / "one.csv.gz").read_bytes() == (files / "two.csv.gz").read_bytes()


@pytest.mark.parametrize("kind", ["itself", "symbolic link", "hard link", "journal", "card"])
def test_an_input_is_never_replaced(files: Path, kind: str) -> None:
    """--restart replaces an earlier output, never what the command reads, by whatever name."""
    texts, output = files / "texts.csv", files / "out.csv"
    texts.write_text("id,text\n1,a refund\n")
    if kind == "itself":
        output = texts
    elif kind == "symbolic link":
        output.symlink_to(texts)
    elif kind == "hard link":
        os.link(texts, output)
    elif kind == "journal":
        texts = texts.rename(files / "out.csv.part")
    else:
        output = files / "card.yaml"
    error = command(files, "--output", str(output), "--format", "csv", "--restart", data=texts.name).exception
    assert isinstance(error, InvalidData)
    assert "is read by this command and would be replaced. next: another name for the output" in str(error)
    assert texts.read_text() == "id,text\n1,a refund\n"
    assert (files / "card.yaml").read_text() == CARD


def test_a_device_is_never_replaced(files: Path) -> None:
    """A pipe or a device at the output's name would be renamed over."""
    os.mkfifo(files / "pipe.csv")
    error = command(files, "--output", str(files / "pipe.csv"), "--restart").exception
    assert "is not a regular file. next: name a file, or print the results" in str(error)
    assert (files / "pipe.csv").is_fifo()


def test_an_output_that_fails_leaves_the_earlier_one(files: Path) -> None:
    """An output is replaced by a whole one or not at all, and no half file is left."""
    (files / "out.xlsx").write_bytes(b"earlier")
    (files / "card.yaml").write_text(
        "{name: R, key: r, scores: [{name: Refund, class: CompositeScore, expression: text}]}"
    )
    (files / "texts.jsonl").write_text(json.dumps({"id": "a", "text": "b" * 40_000}) + "\n")
    error = command(files, "--output", str(files / "out.xlsx"), "--restart").exception
    assert "Refund: a text of 40000 characters; Excel has 32767. next: write .csv" in str(error)
    assert (files / "out.xlsx").read_bytes() == b"earlier"
    assert sorted(each.name for each in files.iterdir() if "half" in each.name) == []


@pytest.mark.parametrize(("column", "options"), [("id", []), ("text", ["--keep-columns"])])
def test_a_text_too_long_for_excel_is_refused_before_any_is_scored(
    files: Path, column: str, options: list[str]
) -> None:
    """Its row is named, and no text is scored for a file that cannot be written."""
    rows = [{"id": "a", "text": "fine"}, {"id": "b", "text": "fine", column: "a" * 40_000}]
    (files / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    error = command(files, "--output", str(files / "out.xlsx"), *options).exception
    assert f"row 2: {column}: a text of 40000 characters; Excel has 32767. next: write .csv" in str(error)
    assert not [each.name for each in files.iterdir() if each.name.startswith("out")]


@pytest.mark.parametrize(
    "text", ["-5 stars, no refund", "- milk, refund", "--never again; refund", "-1", "-refund!", "—"]
)
def test_a_text_may_begin_with_a_dash(files: Path, text: str) -> None:
    """A word that cannot be an option is the text, before and after options."""
    for words in ([text, "--offline"], ["--offline", text]):
        done = CliRunner().invoke(run.command, [str(files / "card.yaml"), *words], standalone_mode=False)
        assert done.exception is None
        assert done.stdout.startswith("Refund: Yes" if "refund" in text else "Refund: No")


@pytest.mark.parametrize("word", ["--ofline", "-x", "--score-names=a b", "--no-refund"])
def test_a_word_that_could_be_an_option_is_no_text(files: Path, word: str) -> None:
    """A slip in an option is an error, and says how the word is passed as a text."""
    error = CliRunner().invoke(run.command, [str(files / "card.yaml"), word], standalone_mode=False).exception
    assert isinstance(error, click.NoSuchOption)
    assert "If it is the text, put -- before it: plexus run CARD.yaml -- " in error.message
    done = CliRunner().invoke(run.command, [str(files / "card.yaml"), "--", word], standalone_mode=False)
    assert done.stdout.startswith("Refund: ")


def test_a_value_of_an_option_may_begin_with_a_dash(files: Path) -> None:
    """The mark of texts reaches no option's value."""
    (files / "texts.csv").write_text("-id x,text\n1,a refund\n")
    words = [str(files / "card.yaml"), "--data", str(files / "texts.csv"), "--id", "-id x"]
    done = CliRunner().invoke(run.command, words, standalone_mode=False)
    assert next(csv.DictReader(done.stdout.splitlines()))["id"] == "1"


NUMBERS = [12345678901234567890, 9007199254740993, 123456789012345, 1.5, 0.1, "x", 7]


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
@pytest.mark.parametrize("columns", [NUMBERS, NUMBERS[:1], NUMBERS[1:2], NUMBERS[1:4], NUMBERS[3:5], NUMBERS[4:]])
def test_a_number_is_written_exactly_or_as_a_text(tmp_path: Path, form: str, columns: list[object]) -> None:
    """An id of twenty digits keeps them, also beside fractions and texts, in formats that have numbers of their own."""
    lines = (json.dumps({"text": "a", "number": number}) + "\n" for number in columns)
    (tmp_path / "in.jsonl").write_text("".join(lines))
    words = ["convert", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / f"out.{form}")]
    assert CliRunner().invoke(data.command, words).exit_code == 0
    with open_table(tmp_path / f"out.{form}", ["number"]) as table:
        assert [str(row["number"]) for _, row in table.read_rows()] == [str(number) for number in columns]


def test_a_sheet_has_as_many_rows_as_excel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook with more rows than Excel opens is refused, and no file is left."""
    monkeypatch.setattr("plexus.tables.output._MOST_ROWS", 3)
    for count in (2, 3):
        with nullcontext() if count == 2 else pytest.raises(InvalidData, match="got more than 2 rows"):
            write_file(tmp_path / f"{count}.xlsx", "xlsx", {"a": int}, [{"a": 1}] * count, ())
    assert [path.name for path in tmp_path.iterdir()] == ["2.xlsx"]
