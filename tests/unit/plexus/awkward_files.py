"""A folder of awkward tables: the same rows as many programs write them, and rows that are awkward themselves.

Each file is written byte by byte, or by another program (pandas, pyarrow, openpyxl, the compressors). What it holds is
stated here, not computed by the reader.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pyarrow
from pyarrow import csv as arrow_csv
from pyarrow import parquet

#: (id, text, label) of each row.
Rows = list[tuple[str, str, str]]
ROWS: Rows = [("1", "a refund, now", "ham"), ("2", "fine", "spam"), ("3", 'She said "refund"', "ham")]
WESTERN: Rows = [("1", "Le café – très cher", "ham"), ("2", "Straße & 5 €", "spam")]
DASH: Rows = [("1", "-nein", "ham")]
PLAIN: Rows = [("1", "a refund", "ham"), ("2", "fine", "spam")]


@dataclass(frozen=True)
class File:
    """A file's name, how it is written, the options with which it is read, and the rows that it has.

    `said` is a part of the line that the reader prints about it; empty if it prints none.
    """

    name: str
    write: bytes | Callable[[Path], object]
    rows: Rows = field(default_factory=lambda: ROWS)
    said: str = ""
    text: str = "text"
    label: str = "label"
    id: str = "id"
    encoding: str | None = None

    def create(self, folder: Path) -> Path:
        """Write the file; return its path."""
        path = folder / self.name
        if isinstance(self.write, bytes):
            path.write_bytes(self.write)
        else:
            self.write(path)
        return path


def text(rows: Rows, separator: str = ",", end: str = "\n") -> str:
    """Return rows as CSV whose cells are quoted where they must be."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=end).writerows([("id", "text", "label"), *rows])
    return buffer.getvalue()


def frame(rows: Rows = ROWS) -> Any:
    """Return rows as a data frame."""
    return pandas.DataFrame(rows, columns=["id", "text", "label"])


def cells(rows: Rows) -> list[list[object]]:
    """Return rows as the cells of a sheet."""
    return [[*row] for row in rows]


def workbook(*sheets: list[list[object]]) -> Callable[[Path], None]:
    """Write a workbook with these sheets; a cell that begins with `=` is a formula."""

    def write(path: Path) -> None:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for rows in sheets:
            sheet = book.create_sheet()
            for row in rows:
                sheet.append(row)
        with path.open("wb") as file:  # its suffix may be another
            book.save(file)

    return write


TABLE: list[list[object]] = [["id", "text", "label"], *cells(ROWS)]
OBJECTS = [dict(zip(("id", "text", "label"), row, strict=True)) for row in ROWS]
COMMA = text(ROWS).encode()
UNQUOTED = 'ham\t"a refund, now\nspam\tfine\nham\tShe said "refund\n'
UNQUOTED_ROWS: Rows = [("", '"a refund, now', "ham"), ("", "fine", "spam"), ("", 'She said "refund', "ham")]
LINES: Rows = [("", "a refund, now", "-"), ("", '"fine"', "-"), ("", "", "-"), ("", "- money back", "-")]

FILES = [
    # Separators and quotes.
    File("commas.csv", COMMA),
    File("semicolons.csv", text(ROWS, ";").encode(), said="semicolons"),
    File("tabs.csv", text(ROWS, "\t").encode(), said="table, tabs"),
    File("tabs.tsv", text(ROWS, "\t").encode(), said="tabs"),
    File("tabs.txt", text(ROWS, "\t").encode(), said="tabs"),
    File("pipes.csv", text(ROWS, "|").encode(), said="pipes"),
    File("pipes.psv", text(ROWS, "|").encode(), said="pipes"),
    File("declared.csv", b"sep=;\r\n" + text(ROWS, ";", "\r\n").encode(), said="semicolons"),
    File("declared-in-quotes.csv", b'"sep=;"\r\n' + text(ROWS, ";", "\r\n").encode(), said="semicolons"),
    File("declared-comma.csv", b"sep=,\n" + COMMA),
    File("declared-caret.csv", b"sep=^\nid^text^label\n1^a refund^ham\n2^fine^spam\n", PLAIN, said="'^'"),
    File(
        "comma-in-header.csv",
        b"id;text;label;remarks, if any\n1;a refund;ham;one, two\n2;fine;spam;\n",
        PLAIN,
        said="semicolons",
    ),
    File(
        "line-ends-in-names.csv",
        b'"remarks,\nif any";"rank\r\n(1-5)";id;text;label\nx;2;1;a refund;ham\ny;3;2;fine;spam\n',
        PLAIN,
        said="semicolons",
    ),
    File("quoted-comma-in-header.csv", b'id,text,label,"remarks, if any"\n1,a refund,ham,x\n2,fine,spam,y\n', PLAIN),
    File(
        "decimal-commas.csv",
        b"id;price, EUR;text;label\n1;2,50;a refund;ham\n2;3,75;fine;spam\n",
        PLAIN,
        said="semicolons",
    ),
    File(
        "blank-after-comma.csv", b'id, text, label\n1, "a refund, now", ham\n2, fine, spam\n', ROWS[:2], said="blanks"
    ),
    File(
        "blank-before-quote.csv", b'id,text,label\n1, "a refund, now", "ham"\n2, fine, spam\n', ROWS[:2], said="blanks"
    ),
    File(
        "backslashes.csv",
        b'id,text,label\n1,"a refund, now",ham\n2,fine,spam\n3,"She said \\"refund\\"",ham\n',
        said="backslashes",
    ),
    File(
        "all-quoted.csv",
        b'"id","text","label"\n"1","a refund, now","ham"\n"2","fine","spam"\n"3","She said ""refund""","ham"',
    ),
    File("python-excel.csv", lambda path: path.write_text(text(ROWS, end="\r\n"), newline="")),
    # Lines.
    File("crlf.csv", text(ROWS, end="\r\n").encode()),
    File("carriage-returns.csv", text(PLAIN, end="\r").encode(), PLAIN, said="lines that end in CR"),
    File("lone-return-quoted.csv", b'id,text,label\n1,"one\rtwo refund",ham\n', [("1", "one\rtwo refund", "ham")]),
    File("lone-return-unquoted.csv", b"id,text,label\n1,one\rtwo refund,ham\n", [("1", "one\rtwo refund", "ham")]),
    File(
        "lines-in-cells.csv",
        b'id,text,label\r\n1,"one\r\n\r\ntwo\nrefund",ham\r\n',
        [("1", "one\r\n\r\ntwo\nrefund", "ham")],
    ),
    File("line-ends-translated-twice.csv", text(ROWS, end="\r\r\n").encode()),
    File("end-of-file-of-dos.csv", COMMA + b"\x1a"),
    File("no-last-line-end.csv", COMMA[:-1]),
    File("blank-lines.csv", b"\n\r\n" + COMMA.replace(b"\n2,", b"\n\n2,") + b"\n\n"),
    File(
        "other-line-ends.csv",
        "id,text,label\n1,one\u2028two\x85\x0b\x0cthree,ham\n".encode(),
        [("1", "one\u2028two\x85\x0b\x0cthree", "ham")],
    ),
    # Encodings.
    File("mark.csv", b"\xef\xbb\xbf" + text(WESTERN).encode(), WESTERN),
    File("two-marks.csv", b"\xef\xbb\xbf" * 2 + b"text,id,label\na refund,1,ham\nfine,2,spam\n", PLAIN),
    File("joined-marks.csv", b'text,id,label\na refund,1,ham\n\xef\xbb\xbf"fine",2,spam\n', PLAIN),
    File("utf-16.csv", text(WESTERN).encode("utf-16"), WESTERN, said="UTF-16"),
    File("utf-16-tabs.txt", text(WESTERN, "\t", "\r\n").encode("utf-16"), WESTERN, said="tabs, UTF-16"),
    File("utf-16-be.csv", b"\xfe\xff" + text(WESTERN).encode("utf-16-be"), WESTERN, said="UTF-16"),
    File("utf-16-without-mark.csv", text(PLAIN).encode("utf-16-le"), PLAIN, said="utf-16-le"),
    File("utf-32.csv", text(WESTERN).encode("utf-32"), WESTERN, said="UTF-32"),
    File("windows-1252.csv", text(WESTERN, ";").encode("cp1252"), WESTERN, said="semicolons, Windows-1252"),
    File(
        "central-european.csv",
        text([("1", "Čebela leti", "ham")]).encode("cp1250"),
        [("1", "Čebela leti", "ham")],
        said="cp1250",
        encoding="cp1250",
    ),
    File(
        "japanese.csv",
        text([("1", "返金して", "ham")]).encode("shift_jis"),
        [("1", "返金して", "ham")],
        said="shift_jis",
        encoding="shift_jis",
    ),
    # Missing and surplus cells, and cells that look like something else.
    File("trailing-columns.csv", b"id,text,label,,\n1,a refund,ham,,\n2,fine,spam,,\n", PLAIN),
    File("trailing-separators.csv", b"id,text,label\n1,a refund,ham,,\n2,fine,spam,\n", PLAIN),
    File(
        "short-rows.csv",
        b"id,text,label,note,more\n1,a refund,ham\n2,fine,spam,x,y\n",
        PLAIN,
        said="1 row without all cells, read as empty: line 2",
    ),
    File("empty-rows-at-the-end.csv", b"id,text,label\n1,a refund,ham\n2,fine,spam\n,,\n,,\n", PLAIN),
    File(
        "words-for-nothing.csv",
        b"id,text,label\nNA,nan,ham\n0,None,spam\n007,null,ham\n",
        [("NA", "nan", "ham"), ("0", "None", "spam"), ("007", "null", "ham")],
    ),
    File(
        "numbers-as-written.csv",
        b"id,text,label\n0,1.0,ham\n1.0,1e5,spam\n",
        [("0", "1.0", "ham"), ("1.0", "1e5", "spam")],
    ),
    File(
        "formulas.csv",
        b'id,text,label\n1,"=1+1 refund",ham\n2,-fine,spam\n3,\x1b[31mred,ham\n',
        [("1", "=1+1 refund", "ham"), ("2", "-fine", "spam"), ("3", "\x1b[31mred", "ham")],
    ),
    File("blanks-in-cells.csv", b"id,text,label\n1,  a refund ,ham\n", [("1", "  a refund ", "ham")]),
    # Without a header, without a suffix, one text a line.
    File("SpamCollection", UNQUOTED.encode(), UNQUOTED_ROWS, said="no quoting, no header", text="2", label="1", id=""),
    File("spam.txt", UNQUOTED.encode(), UNQUOTED_ROWS, said="no quoting, no header", text="2", label="1", id=""),
    File(
        "no-header.csv",
        b'1,"a refund, now",ham\n2,fine,spam\n3,"She said ""refund""",ham\n',
        said="no header",
        text="2",
        label="3",
        id="1",
    ),
    File("no-suffix", COMMA),
    File("unknown.dat", COMMA),
    File("lines.txt", b'a refund, now\n"fine"\n\n- money back\n', LINES, said="one text a line", label="", id=""),
    File(
        "lines-of-windows.txt",
        "le café\r\nà bientôt\r\n".encode("cp1252"),
        [("", "le café", "-"), ("", "à bientôt", "-")],
        said="one text a line, Windows-1252",
        label="",
        id="",
    ),
    File(
        "one-column.csv",
        b'text\na refund\n\n"money, back"\n',
        [("", "a refund", "-"), ("", "", "-"), ("", "money, back", "-")],
        label="",
        id="",
    ),
    # JSON.
    File("objects.jsonl", "".join(json.dumps(each) + "\n" for each in OBJECTS).encode()),
    File("objects.ndjson", "\r\n\r\n".join(json.dumps(each) for each in OBJECTS).encode()),
    File("mark.jsonl", b"\xef\xbb\xbf" + json.dumps(OBJECTS[0]).encode(), ROWS[:1]),
    File("list.json", json.dumps(OBJECTS, indent=1).encode()),
    File("lines.json", "".join(json.dumps(each) + "\n" for each in OBJECTS).encode()),
    File("answer.json", json.dumps({"count": 3, "results": OBJECTS, "next": None}).encode()),
    File("json-without-suffix", json.dumps(OBJECTS).encode()),
    File(
        "numbers.jsonl",
        b'{"id": 0, "text": 2.0, "label": true}\n{"id": 1.0, "text": 2.5, "label": false}\n',
        [("0", "2", "True"), ("1", "2.5", "False")],
    ),
    # Other programs.
    File("pandas.csv", lambda path: frame().to_csv(path, index=False)),
    File("pandas-index.csv", lambda path: frame().to_csv(path)),
    File(
        "pandas-semicolons.csv",
        lambda path: frame(WESTERN).to_csv(path, sep=";", index=False, encoding="cp1252"),
        WESTERN,
        said="semicolons, Windows-1252",
    ),
    File(
        "pandas-tabs-utf-16.tsv",
        lambda path: frame().to_csv(path, sep="\t", index=False, encoding="utf-16"),
        said="tabs, UTF-16",
    ),
    File("pandas-columns.json", lambda path: frame().to_json(path)),
    File("pandas-records.json", lambda path: frame().to_json(path, orient="records")),
    File("pandas-lines.jsonl", lambda path: frame().to_json(path, orient="records", lines=True)),
    File("pandas.csv.gz", lambda path: frame().to_csv(path, index=False), said="CSV, gzip"),
    File("pandas.xlsx", lambda path: frame().to_excel(path, index=False), said="Excel workbook"),
    File("pandas.parquet", lambda path: frame().to_parquet(path)),
    File("arrow.csv", lambda path: arrow_csv.write_csv(pyarrow.Table.from_pylist(OBJECTS), path)),
    File(
        "dictionary.parquet",
        lambda path: parquet.write_table(
            pyarrow.table(
                {name: pyarrow.array([row[name] for row in OBJECTS]).dictionary_encode() for name in OBJECTS[0]}
            ),
            path,
        ),
    ),
    File(
        "gaps.parquet",
        lambda path: parquet.write_table(
            pyarrow.table({"id": [1.0, 2.0], "text": ["a refund", "fine"], "label": [1.0, 0.0]}), path
        ),
        [("1", "a refund", "1"), ("2", "fine", "0")],
    ),
    # Excel.
    File("table.xlsx", workbook(TABLE), said="Excel workbook"),
    File("workbook-named.csv", workbook(TABLE), said="Excel workbook"),
    File("second-sheet.xlsx", workbook([["About this file"]], TABLE), said="Excel workbook, sheet 'Sheet1' of 2"),
    File(
        "numbers.xlsx",
        workbook([["id", "text", "label"], [0, 1, 1.0], [1.0, 2.5, True]]),
        [("0", "1", "1"), ("1", "2.5", "True")],
        said="Excel workbook",
    ),
    File(
        "escaped.xlsx",
        workbook([["id", "text", "label"], [1, "a_x000D_\nrefund", "ham"], [2, "_x005F_x000D_", "spam"]]),
        [("1", "a\r\nrefund", "ham"), ("2", "_x000D_", "spam")],
        said="Excel workbook",
    ),
    File(
        "blank-rows.xlsx",
        workbook([[None], ["id", "text", "label"], *cells(PLAIN), [None, None], [None]]),
        PLAIN,
        said="Excel workbook",
    ),
    # Compressed.
    File("commas.csv.gz", gzip.compress(COMMA), said="CSV, gzip"),
    File("commas.csv.bz2", bz2.compress(COMMA), said="CSV, bzip2"),
    File("semicolons.csv.xz", lzma.compress(text(ROWS, ";").encode()), said="semicolons, xz"),
    File("objects.jsonl.gz", gzip.compress(json.dumps(OBJECTS[0]).encode()), ROWS[:1], said="JSON lines, gzip"),
    File("gzip-named.csv", gzip.compress(COMMA), said="CSV, gzip"),
    # As programs export them, with texts that a spreadsheet would execute.
    File("excel.csv", "\ufeffid;text;label;price\r\n1;-nein;ham;12,50\r\n".encode(), DASH, said="CSV, semicolons"),
    File("unicode.txt", "id\ttext\tlabel\r\n1\t-nein\tham\r\n".encode("utf-16"), DASH, said="table, tabs, UTF-16"),
    File("r.csv2", b'"";"id";"text";"label"\n"1";1;"-nein";"ham"\n', DASH, said="CSV, semicolons"),
    File("rows.csv", b",id,text,label\n0,1,-nein,ham\n", DASH),
    File("jq.csv", b'1,"-nein","ham"\n', DASH, said="no header", text="2", label="3", id="1"),
    File("psql.csv", b'id,text,label\n1,-nein,ham\n2,"",ham\n', [*DASH, ("2", "", "ham")]),
    File("copy.tsv", b"id\ttext\tlabel\n1\t-nein\tham\n2\t\\N\tham\n", [*DASH, ("2", "", "ham")], said="tabs"),
    File("sheets.tsv", b"id\ttext\tlabel\n1\t'-nein\tham\n", DASH, said="1 cell without the apostrophe"),
    File("guarded.csv", b"id,text,label\n1,'-nein,ham\n", DASH, said="1 cell without the apostrophe"),
    File("crm.csv", b'"id","text","label"\r\n"1","-nein\rrefund","ham"\r\n', [("1", "-nein\rrefund", "ham")]),
    File(
        "help-desk.csv",
        b'id,text,label\n1,"-nein\n\n--\nSent ""now""",ham\n',
        [("1", '-nein\n\n--\nSent "now"', "ham")],
    ),
    File("tabs.csv", b"sep=\t\r\nid\ttext\tlabel\r\n1\t-nein\tham\r\n", DASH, said="table, tabs"),
]
