"""Columns by number: in files with a header they are the header's, and without one no row is lost."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands import data
from plexus.exceptions import InvalidData
from plexus.tables import open_table

TEXTS = ["The parcel came far too late.", "My invoice was wrong again, as always.", "It does not switch on any more."]
ROWS = [(number, TEXTS[number % 3], ("Late", "Bill", "Broken")[number % 3]) for number in range(30)]
HEADERS = [("No.", "Request", "Kind"), ("Nr", "Anfrage (Text)", "Kategorie"), ("column 1", "Words", "x")]


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """Write rows in the format of the suffix."""
    if path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        path.write_text("".join(";".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_number_counts_the_columns_of_a_file_with_a_header(
    header: tuple[str, ...], suffix: str, tmp_path: Path
) -> None:
    """The header is no row, the notice has the names, and a file that is written has them too."""
    path = write(tmp_path / f"table{suffix}", [header, *ROWS])
    with open_table(path, ["2", "3"]) as table:
        rows = [row for _, row in table.read_rows()]
        assert f"2 is {header[1]!r}, 3 is {header[2]!r}" in table.notice
    assert [(row["2"], row["3"]) for row in rows] == [(text, label) for _, text, label in ROWS]
    output = tmp_path / "out.csv"
    words = ["clean", str(path), "--text", "2", "--label", "3", "--output", str(output)]
    assert CliRunner().invoke(data.command, words, standalone_mode=False).exception is None
    assert output.read_text().splitlines()[0] == ",".join(header)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize(
    "first", [(0, "It is broken", "Broken"), ("a1", "Not what I ordered", "Wrong"), ("a", "No", "No")]
)
def test_a_first_row_without_names_is_a_row(first: tuple[object, ...], suffix: str, tmp_path: Path) -> None:
    """Also a row whose label is in no other row: its text is as long as others."""
    rows = [
        first,
        *((f"b{number}", text, label) for number, text, label in ROWS),
        ("c", "Ok", "Late"),
        ("d", "Hm", "Late"),
    ]
    rows += [("e", "No", "Late"), ("f", "Why", "Late"), ("g", "Not what I ordered, and broken", "Late")]
    with open_table(write(tmp_path / f"table{suffix}", rows), ["2", "3"]) as table:
        assert sum(1 for _ in table.read_rows()) == len(rows)
        assert "no header" in table.notice


TITLES: dict[str, list[tuple[object, ...]]] = {
    "none": [],
    "one": [("Survey of customers", "", "")],
    "several": [("Survey",), ("as of", "May"), (), ("by", "A. Person")],
    "groups": [("Customer", "", "Coding"), ("", "", "by hand")],
}
DESCRIPTIONS: list[tuple[object, ...]] = [
    ("Number", "What did you think?", "Choose"),
    ('{"id":"q0"}', "Open-Ended", "One"),
]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("lower", [0, 1, 2])
@pytest.mark.parametrize("title", TITLES)
def test_a_named_row_has_the_column_names(title: str, lower: int, suffix: str, tmp_path: Path) -> None:
    """Rows above it are ignored, and so are those below it up to the second number."""
    above = TITLES[title]
    rows = [*above, HEADERS[0], *DESCRIPTIONS[:lower], *ROWS]
    first = len(above) + 1
    path = write(tmp_path / f"table{suffix}", rows)
    with open_table(path, ["text"], header_row=f"{first}-{first + lower}" if lower else str(first)) as table:
        rows_read = [row for _, row in table.read_rows()]
    assert [(row["Request"], row["Kind"]) for row in rows_read] == [(text, label) for _, text, label in ROWS]


@pytest.mark.parametrize("wanted", [["text", "label"], ["2", "3"], ["Request", "Kind"], ["Request", "label"]])
@pytest.mark.parametrize("title", ["one", "several"])
def test_titles_above_a_text_table_are_no_rows(title: str, wanted: list[str], tmp_path: Path) -> None:
    """Whether its columns are named, numbered or unknown; the notice has the line of the names."""
    path = write(tmp_path / "table.csv", [*TITLES[title], HEADERS[0], *ROWS])
    with open_table(path, wanted) as table:
        rows = [[*row.values()] for _, row in table.read_rows()]
        assert f"column names in line {len(TITLES[title]) + 1}" in table.notice
    assert rows == [[*map(str, row)] for row in ROWS]


@pytest.mark.parametrize(
    "lines",
    [
        ["comment", "Good, thanks, all", "Bad, sorry, none"] * 10,
        ["id,comment,", "1,Good,yes", "2,Bad,no", "3,Odd,no", "4,Ok,no", "5,Hm,no"],
        [",,comment", "Berlin,Mitte,Good", "Paris,Nord,Bad", "Rome,Sud,Odd", "Oslo,Ost,Ok", "Bonn,West,Hm"],
    ],
)
def test_a_short_first_line_is_no_title_by_itself(lines: list[str], tmp_path: Path) -> None:
    """A line below it is one of names only if it looks like these, above rows of as many cells."""
    (tmp_path / "table.csv").write_text("\n".join(lines))
    with open_table(tmp_path / "table.csv", ["text", "label"]) as table:
        assert "column names in line" not in table.notice
        assert sum(1 for _ in table.read_rows()) == len(lines) - 1


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("table.csv", "0", "got '0', expected a number from 1"),
        ("table.csv", "3-2", "got '3-2', expected a number from 1"),
        ("table.csv", "first", "got 'first', expected a number from 1"),
        ("table.xlsx", "900", "got nothing in row 900, expected column names"),
        ("table.json", "2", "JSON has a name beside each value"),
    ],
)
def test_a_row_that_cannot_have_the_names_is_refused(name: str, row: str, said: str, tmp_path: Path) -> None:
    """The message has what was named, and what is expected."""
    path = tmp_path / name
    path.write_text('[{"text": "a"}]') if name.endswith("json") else write(path, [HEADERS[0], *ROWS])
    with pytest.raises(InvalidData, match=said), open_table(path, ["text"], header_row=row):
        pass
