"""Columns by number: in files with a header they are the header's, and without one no row is lost."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands import data
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
