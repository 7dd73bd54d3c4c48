"""`plexus data`: what it prints, writes and refuses, on files as programs write them."""

import csv
import json
import random
import re
import shlex
import string
from pathlib import Path
from typing import Any

import pytest

from plexus.exceptions import InvalidData
from plexus.tables import open_table
from tests.unit.plexus.awkward_files import FILES, File
from tests.unit.plexus.data_commands import run, run_data

MESSY = [
    "id;Comment;Mood;Customer;Date",
    "1;Fine café;good;Ann;2026-01-01",
    "2;fine CAFÉ;Good;Bo;2026-01-02",
    "3;Broke in 2 days, sad;bad;Ann;2026-01-03",
    "4;Broke in 3 days, sad;bad;Cy;2026-01-04",
    "5;;bad;Cy;2026-01-05",
    "6;No label here;;Di;2026-01-06",
    "7;=1+1 is odd;bad;Ed;2026-01-07",
    "8;Lovely and soft;good;Flo;2026-01-08",
    "9;Loud and late;bad;Gus;2026-01-09",
    "10;FINE café;good;Hal;2026-01-10",
]


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """An export of a spreadsheet program: semicolons, Windows-1252, and faults in its rows."""
    path = tmp_path / "export.csv"
    path.write_bytes("\r\n".join(MESSY).encode("cp1252"))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV, read by Python's own reader."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


NAMES = ("--text", "Comment", "--label", "Mood")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_looked_at_and_converted_without_loss(tmp_path: Path, file: File) -> None:
    """Any table that `plexus run` reads is described, and its texts and labels are the same in JSON lines."""
    path = file.create(tmp_path)
    encoding = ["--encoding", file.encoding] if file.encoding else []
    columns = [file.text, *([file.label] if file.label else [])]
    listed = run_data(
        "look", path, "--text", file.text, *(["--label", file.label] if file.label else []), *encoding, "--json"
    )
    assert json.loads(listed.stdout)["rows"] == len(file.rows)
    target = tmp_path / "out.jsonl"
    run_data("convert", path, "--output", target, "--columns", ",".join(columns), *encoding)
    for line, (_, text, label) in zip(target.read_text().splitlines(), file.rows, strict=True):
        row = json.loads(line)
        assert ("" if row[file.text] is None else str(row[file.text])) == text
        assert not file.label or str(row[file.label]).removesuffix(".0") == label.removesuffix(".0")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "xlsx", "parquet", "csv.gz"])
def test_a_converted_table_is_read_as_the_one_it_was_made_of(tmp_path: Path, messy: Path, suffix: str) -> None:
    """Texts, numbers and empty cells come back from every format, and so do guarded formulas of CSV."""
    target = tmp_path / f"out.{suffix}"
    result = run_data("convert", messy, "--output", target, "--rename", "Comment=text")
    with open_table(target, ["text"]) as table:
        cells = [(str(row["id"]), row["text"] or "", row["Date"]) for _, row in table.read_rows()]
    expected = [(line.split(";")[0], line.split(";")[1], line.split(";")[4]) for line in MESSY[1:]]
    guarded = suffix.split(".")[0] in ("csv", "tsv")
    assert cells == expected
    assert ("1 cell changed, so that no spreadsheet runs them as formulas: row " in result.stderr) == guarded


def test_a_text_too_long_for_excel_is_named_by_its_row(tmp_path: Path) -> None:
    """The row is that of the file which is read, whatever rows are left out before it."""
    path = tmp_path / "texts.jsonl"
    texts = ["", "fine", "a" * 40_000]
    path.write_text("".join(json.dumps({"text": text, "label": "a"}) + "\n" for text in texts))
    error = run("clean", path, "--output", tmp_path / "out.xlsx").exception
    assert "row 3: text: a text of 40000 characters; Excel has 32767. next: write .csv" in str(error)


def test_a_look_lists_faults_with_a_remedy(messy: Path) -> None:
    """Columns that are not called text and label are guessed, aloud; each fault is listed with what to do."""
    result = run_data("look", messy)
    assert "guessed texts in 'Comment', labels in 'Mood'" in result.stderr
    for fault in (
        "export.csv: 10 rows; CSV, semicolons, Windows-1252",
        "no text: 1 row without a text",
        "no label: 1 text without a label",
        "spelling: 1 spelling of labels read as another: label 'Good' is read as 'good': 1 row (2)",
        "duplicate: 2 texts repeated: rows 1, 2, 10",
        "near-duplicate: 1 text almost repeated: rows 3, 4",
    ):
        assert fault in result.stdout
    assert run_data("look", messy, *NAMES).stderr == ""


def test_a_file_without_a_header_is_suspected(tmp_path: Path) -> None:
    """If the first line is a row like the others, the note names the columns by number, and that command is right."""
    path = tmp_path / "SpamCollection"
    path.write_text("ham\tsee you at noon\nspam\twin a prize\nham\ton my way home\nspam\tfree entry\nham\tok then\n")
    note = run_data("look", path).stderr
    assert "the file may have no header. next: --text 2 --label 1" in note
    listed = json.loads(run_data("look", path, *shlex.split(note.rpartition("next: ")[2]), "--json").stdout)
    assert (listed["rows"], [entry["texts"] for entry in listed["labels"]]) == (5, [3, 2])
    run_data("split", path, "--text", 2, "--label", 1, "--output", tmp_path / "parts", "--test", 0.4)
    assert list(rows(tmp_path / "parts" / "train.csv")[0]) == ["label", "text"]


def test_leaks_between_files_are_found_and_removed_by_the_printed_command(tmp_path: Path) -> None:
    """Texts of a test set that were trained on are listed; the remedy leaves them out; then nothing is found."""
    train, test, fresh = (tmp_path / name for name in ("train.csv", "test.csv", "fresh.csv"))
    train.write_text("text,label\nThe lamp broke after 2 days.,bad\nLovely,good\n")
    test.write_text("text,label\nthe lamp broke after 3 days!,bad\nOdd smell,bad\nSoft and warm,good\n")
    listed = run_data("look", test, "--with", train).stdout
    assert f"leak: 1 text of 3 also in {train}, or almost: row 1 is row 1 there" in listed
    run_data("clean", test, "--without", train, "--output", fresh)
    assert [row["text"] for row in rows(fresh)] == ["Odd smell", "Soft and warm"]
    assert "leak: " not in run_data("look", fresh, "--with", train).stdout


def test_cleaning_keeps_other_cells_and_lists_what_it_leaves_out(tmp_path: Path, messy: Path) -> None:
    """Kept and removed rows are all rows; cells are as they were; each removed row has its number and its reason."""
    clean, removed = tmp_path / "out" / "clean.csv", tmp_path / "removed.csv"
    result = run_data("clean", messy, *NAMES, "--near", "--output", clean, "--removed", removed)
    assert [row["id"] for row in rows(clean)] == ["1", "3", "7", "8", "9"]
    assert rows(clean)[0] == {
        "id": "1",
        "Comment": "Fine café",
        "Mood": "good",
        "Customer": "Ann",
        "Date": "2026-01-01",
    }
    reasons = {row["source row"]: row["left out as"] for row in rows(removed)}
    assert reasons == {
        "2": "duplicate of row 1",
        "4": "near-duplicate of row 3",
        "5": "no text",
        "6": "no label",
        "10": "duplicate of row 1",
    }
    assert f"wrote {clean}: 5 of 10 rows; left out: 2 duplicate" in result.stdout
    assert "label 'Good' is read as 'good': 1 row (2)" in result.stderr
    assert "1 cell changed, so that no spreadsheet runs" in result.stderr


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    """A label that is a number in JSON lines is one after cleaning, unless it is spelt anew."""
    path, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{"text": "b", "label": "1.0"}\n{"text": "c", "label": 2}\n')
    run_data("clean", path, "--output", target)
    assert [json.loads(line)["label"] for line in target.read_text().splitlines()] == [1, "1", 2]


def test_a_split_is_written_with_the_record_of_how_it_was_made(tmp_path: Path, messy: Path) -> None:
    """Every row with a text is in one part; split.json has the digest, the seed and the rows; all is repeatable."""
    arguments = ("split", messy, *NAMES, "--test", 0.25, "--validation", 0.25, "--seed", 4, "--output")
    result = run_data(*arguments, tmp_path / "one")
    assert "1 row without a text left out\nno text is in two parts, not even almost" in result.stdout
    assert "classes of fewer than 20 texts in test, whose figures will be noise: good (1), bad (1)\n" in result.stdout
    parts = {
        name: [row["id"] for row in rows(tmp_path / "one" / f"{name}.csv")] for name in ("train", "validation", "test")
    }
    assert sorted(int(row) for numbers in parts.values() for row in numbers) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    record = json.loads((tmp_path / "one" / "split.json").read_text())
    assert {name: [str(row) for row in part["rows"]] for name, part in record["parts"].items()} == parts
    assert (record["seed"], record["text"], record["group"]) == (4, "Comment", None)
    run_data(*arguments, tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_leaks_of_a_split_by_time_are_healed_by_the_printed_command(tmp_path: Path, messy: Path) -> None:
    """Fault, message, remedy, healthy: the printed command, run as it is, leaves a test set without known texts."""
    folder = tmp_path / "parts"
    result = run_data("split", messy, *NAMES, "--time", "Date", "--test", 0.3, "--output", folder)
    assert [row["id"] for row in rows(folder / "test.csv")] == ["8", "9", "10"]
    message, _, remedy = result.stdout.rpartition("next: plexus data ")
    assert message.endswith("1 text of test also in another part, or almost. ")
    run_data(*shlex.split(remedy))
    assert [row["id"] for row in rows(folder / "fresh.csv")] == ["8", "9"]
    assert "leak: " not in run_data("look", folder / "fresh.csv", *NAMES, "--with", folder / "train.csv").stdout


def test_a_part_of_many_classes_says_how_many_are_not_listed(tmp_path: Path) -> None:
    """The numbers of a line add up: eight classes are named, then how many more there are; a colon parts numbers."""
    path = tmp_path / "texts.jsonl"
    words = ["".join(random.Random(place).choices(string.ascii_letters, k=40)) for place in range(440)]
    lines = [json.dumps({"text": word, "label": place % 11}) for place, word in enumerate(words)]
    path.write_text("\n".join(lines))
    printed = run_data("split", path, "--test", 0.5, "--output", tmp_path / "parts").stdout
    assert re.search(r"train\.jsonl: 220 rows \((\d+: 20, ){8}3 more labels\)", printed)


def test_a_column_of_groups_is_never_divided(tmp_path: Path, messy: Path) -> None:
    """Ann has rows 1 and 3, Cy row 4 and one without a text: each is in one part."""
    run_data("split", messy, *NAMES, "--group", "Customer", "--output", tmp_path / "parts")
    parts = [{row["Customer"] for row in rows(tmp_path / "parts" / f"{name}.csv")} for name in ("train", "test")]
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 8


def test_a_sample_is_random_and_repeatable(tmp_path: Path, messy: Path) -> None:
    """The same seed gives the same rows in the table's order, another seed others."""
    samples: list[list[str]] = []
    for number, seed in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.csv"
        run_data("sample", messy, *NAMES, "--rows", 4, "--seed", seed, "--output", path)
        samples.append([row["id"] for row in rows(path)])
    assert samples[0] == samples[1] != samples[2]
    assert samples[0] == sorted(samples[0], key=int)


BAD: list[tuple[list[str], str]] = [
    (["clean", "{csv}", "--output", "{csv}"], "is read by this command and would be replaced"),
    (
        ["clean", "{csv}", "--output", "{old}"],
        r"old.csv: exists, and this command did not write it. next: --replace, or another name",
    ),
    (["clean", "{csv}", "--output", "{new}.doc"], "unknown format: got the suffix '.doc', expected .csv"),
    (["clean", "{csv}", "--output", "{new}.csv", "--map", "bad"], "--map 'bad': expected OLD=NEW"),
    (["clean", "{csv}", "--output", "{new}.csv", "--label", "Mod"], "no column 'Mod'; did you mean 'Mood'"),
    (["clean", "{csv}", "--output", "{new}.csv", "--without", "{new}.csv"], "no such file"),
    (["sample", "{csv}", "--output", "{new}.csv", "--rows", "11"], "got 9 texts, expected at least the 11"),
    (["split", "{csv}", "--output", "{new}", "--test", "0.5", "--validation", "0.5"], "expected a sum below 1"),
    (["split", "{csv}", "--output", "{new}", "--time", "Customer"], "got 'Ann', expected ISO 8601.*correct these rows"),
    (["split", "{csv}", "--output", "{new}", "--group", "Customers"], "no column 'Customers'; did you mean 'Customer'"),
    (
        ["convert", "{csv}", "--output", "{new}.csv", "--columns", "Comment,Moood"],
        "no column 'Moood'; did you mean 'Mood'",
    ),
    (["convert", "{csv}", "--output", "{new}.csv", "--rename", "Mood=Comment"], "two columns would be named 'Comment'"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_misuse_is_refused_and_nothing_is_written(tmp_path: Path, messy: Path, words: list[str], message: str) -> None:
    """The error says what is wrong and what to do; no file is created or replaced."""
    old = tmp_path / "old.csv"
    old.write_text("kept")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    names = {"csv": messy, "old": old, "new": tmp_path / "new"}
    columns = [] if words[0] == "convert" else ["--text", "Comment"]
    columns += ["--label", "Mood"] if columns and "--label" not in words else []
    with pytest.raises(InvalidData, match=message):
        raise run(*(word.format(**names) for word in words), *columns).exception or AssertionError
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_the_page_has_no_text_and_escapes_names(tmp_path: Path) -> None:
    """Labels and columns are shown as texts; no address, no script, and none of the table's texts."""
    path, page = tmp_path / "a.csv", tmp_path / "a.html"
    lines = [f"secret {number},<b>bad</b>" for number in range(30)]
    path.write_text("\n".join(["text,<i>label</i>", *lines]))
    run_data("look", path, "--label", "<i>label</i>", "--html", page)
    content = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;bad&lt;/b&gt;" in content
    assert "secret" not in content
    for forbidden in ("<b>bad", "<i>label", "://", "<script"):
        assert forbidden not in content


@pytest.mark.parametrize("name", ["look", "clean"])
def test_terminals_execute_nothing(tmp_path: Path, name: str) -> None:
    """Control characters of labels and column names are not printed."""
    path = tmp_path / "a.csv"
    path.write_text('text,label\na,"\x1b[31mred"\nb,"\x1b[31mred"\nc,"\x1b[31mRED"\nd,blue\ne,blue\n')
    more: list[Any] = ["--output", tmp_path / "b.jsonl"] if name == "clean" else []
    result = run_data(name, path, *more)
    assert "\x1b" not in result.stdout + result.stderr


def test_every_label_that_is_listed_can_be_mapped(tmp_path: Path) -> None:
    """Also one whose only row has no text, and is left out anyway."""
    (tmp_path / "t.csv").write_text("text,label\nfirst,Yes\nsecond,No\n,251\n")
    result = run("look", str(tmp_path / "t.csv"), "--json")
    assert "251" in result.stdout
    words = ["clean", str(tmp_path / "t.csv"), "--output", str(tmp_path / "new.csv"), "--map", "251="]
    assert run(*words).exception is None
    unknown = [*words[:-1], "252=", "--replace"]
    assert "no row has the label '252'" in str(run(*unknown).exception)


def test_control_characters_are_no_formulas(tmp_path: Path) -> None:
    """A note has the cells whose control characters CSV does not keep."""
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "it\x92s"}) + "\n")
    result = run_data("convert", path, "--output", tmp_path / "out.csv")
    assert "1 cell with control characters, which became \ufffd: row 1 'text'" in result.stderr
    assert "formulas" not in result.stderr
