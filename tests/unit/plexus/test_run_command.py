"""`plexus run` over files: every row once, in order, whatever stops it."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import plexus
from plexus.commands import main, run
from plexus.exceptions import BudgetExceeded, InvalidData
from plexus.running.run import ScoredRow, Tally, keep_all

ROOT = Path(__file__).resolve().parents[3]
CARD = """
name: Returns
key: returns
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [{words}]
  - name: Reason
    class: KeywordClassifier
    depends_on: {{Refund: "Yes"}}
    classes: [{{value: Late, keywords: [late]}}]
"""
COLUMNS = ["row", "id", *(s + p for s in ("Refund", "Reason") for p in ("", " confidence", " explanation", " error"))]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A card, and texts of which one is empty and one has no class of the second score."""
    (tmp_path / "card.yaml").write_text(CARD.format(words="refund"))
    rows = ["id,text", "a,A refund: it came late", "b,All fine", "c,", 'd,"A refund, ""now"""']
    (tmp_path / "texts.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def command(folder: Path, *more: str, data: str = "texts.csv") -> Result:
    """Return the command on the folder's files."""
    arguments = [str(folder / "card.yaml"), "--data", str(folder / data), *more]
    return CliRunner().invoke(run.command, arguments, standalone_mode=False)


def table(path: Path) -> list[dict[str, str]]:
    """Return a CSV's rows."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_values_or_the_reason_why_not(files: Path) -> None:
    """Values, explanations and errors stand in columns of their own; a failed row fails the command, a skipped not."""
    done = command(files, "--id", "id", "--output", str(files / "out.csv"))
    result = table(files / "out.csv")
    assert list(result[0]) == COLUMNS
    assert [row["id"] for row in result] == ["a", "b", "c", "d"]
    assert [row["Refund"] for row in result] == ["Yes", "No", "", "Yes"]
    assert [row["Reason"] for row in result] == ["Late", "", "", ""]
    assert [row["Reason error"].partition(":")[0] for row in result] == [
        "",
        "NotApplicable",
        "ItemWithoutText",
        "ScoringFailed",
    ]
    assert done.return_value == 1
    assert "4 rows; Reason: 1 skipped; Refund: 1 failed; Reason: 2 failed" in done.stderr
    assert "row 3, Refund: ItemWithoutText" in done.stderr


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_every_format_says_the_same(files: Path, ending: str) -> None:
    """JSONL and Parquet hold the values of the CSV."""
    for entry in ("csv", ending):
        command(files, "--output", str(files / f"out.{entry}"))
    values = [row["Refund"] for row in table(files / "out.csv")]
    if ending == "parquet":
        from pyarrow import parquet

        results = [row["Refund"] for row in parquet.read_table(files / "out.parquet").to_pylist()]
    else:
        lines = (files / "out.jsonl").read_text().splitlines()
        results = [json.loads(line)["results"]["Refund"].get("value") for line in lines]
    assert [value or "" for value in results] == values


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_texts_come_from_every_format(files: Path, ending: str) -> None:
    """JSONL and Parquet are read as the CSV is."""
    rows = [{"id": row["id"], "text": row["text"] or None} for row in table(files / "texts.csv")]
    if ending == "parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), files / "texts.parquet")
    else:
        (files / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    printed = [command(files, data=f"texts.{each}").stdout for each in ("csv", ending)]
    assert printed[0] == printed[1]


def test_without_an_output_the_rows_are_printed(files: Path) -> None:
    """CSV by default, JSON lines with --json; nothing else on standard output."""
    assert command(files).stdout.splitlines()[0] == ",".join(COLUMNS)
    lines = command(files, "--json").stdout.splitlines()
    assert [json.loads(line)["row"] for line in lines] == [1, 2, 3, 4]


def read_refusal(folder: Path, *more: str, data: str = "texts.csv") -> str:
    """Return the message of what the command refuses."""
    error = command(folder, *more, data=data).exception
    assert isinstance(error, InvalidData)
    return str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,txt\na,b\n", "row 1 has no column 'text'; did you mean 'txt'?; columns: id, txt"),
        ("id,text\na,b,c\n", "got 3 fields, expected 2"),
        ("id,text\n", "no rows"),
        ("", "no rows"),
        ("id,text\na,x\na,y\n", "row 2: the 'id' 'a' is repeated: rows 1 and 2"),
        ("id,text\n,x\n", "the 'id' '' is empty"),
    ],
)
def test_a_broken_file_is_told_before_anything_is_scored(files: Path, text: str, said: str) -> None:
    """Nothing is written, no part is left, and the message says which row and what was expected."""
    (files / "bad.csv").write_text(text)
    assert said in read_refusal(files, "--id", "id", "--output", str(files / "out.csv"), data="bad.csv")
    assert not list(files.glob("out*"))


def test_a_byte_that_is_not_utf8_is_told(files: Path) -> None:
    """With its place in the file."""
    (files / "bad.csv").write_bytes("id,text\na,é\n".encode() + b"a,caf\xe9\n")
    assert ":3: not UTF-8 at byte 6 of the line" in read_refusal(files, data="bad.csv")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_standard_input_is_a_file_too(files: Path, ending: str) -> None:
    """Rows from a pipe give what the file gives, whatever their format."""
    rows = [{"id": row["id"], "text": row["text"]} for row in table(files / "texts.csv")]
    if ending == "parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), files / "texts.parquet")
    elif ending == "jsonl":
        (files / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    content = (files / f"texts.{ending}").read_bytes()
    piped = CliRunner().invoke(run.command, [str(files / "card.yaml"), "--data", "-"], content, standalone_mode=False)
    assert piped.stdout == command(files).stdout


def test_errors_of_standard_input_name_it(files: Path) -> None:
    """Not the copy that is read."""
    words = [str(files / "card.yaml"), "--data", "-"]
    error = CliRunner().invoke(run.command, words, b'text\n"a\n', standalone_mode=False).exception
    assert str(error).startswith("standard input:2: unclosed quote in the row that begins here")


@pytest.mark.parametrize(("given", "piped"), [(["a\udcff"], None), ([], b"a\xff")])
def test_a_text_that_is_not_utf8_is_told(files: Path, given: list[str], piped: bytes | None) -> None:
    """As an argument or from a pipe, without a traceback."""
    words = [str(files / "card.yaml"), *given]
    error = CliRunner().invoke(run.command, words, piped, standalone_mode=False).exception
    assert isinstance(error, InvalidData)
    assert "not UTF-8" in str(error)


def test_an_empty_text_is_a_text(files: Path) -> None:
    """An empty TEXT is scored, and refused; standard input is read only without a TEXT."""
    done = CliRunner().invoke(run.command, [str(files / "card.yaml"), ""], input="A refund", standalone_mode=False)
    assert done.return_value == 1
    assert "Refund: ItemWithoutText: the item has no text to score" in done.output


def test_an_output_is_never_replaced_unasked(files: Path) -> None:
    """A finished file stays unless --restart is given."""
    output = files / "out.csv"
    output.write_text("precious")
    assert "already exists" in read_refusal(files, "--output", str(output))
    assert output.read_text() == "precious"
    command(files, "--output", str(output), "--restart")
    assert len(table(output)) == 4


def test_two_runs_do_not_write_one_output(files: Path) -> None:
    """The second run is refused, and the first continues."""
    from plexus.running.journal import Journal

    with Journal(files / "out.csv", {}), pytest.raises(InvalidData, match="another run is writing this file"):
        Journal(files / "out.csv", {})


def test_a_restart_takes_nothing_from_a_run_that_goes_on(files: Path) -> None:
    """--restart forgets an unfinished run, never one that is being written."""
    from plexus.running.journal import Journal

    with Journal(files / "out.csv", {}) as part:
        part.add([{"row": 1, "id": "", "results": {}}])
        with pytest.raises(InvalidData, match="another run is writing this file"):
            Journal(files / "out.csv", {}, restart=True)
        assert [*part.read_rows()] == [{"row": 1, "id": "", "results": {}}]


def test_a_run_does_not_go_on_with_another_dependency(files: Path) -> None:
    """A change of a score's dependency is a change of the run's identity, as one of the score is."""
    from plexus.running.run import describe_run

    before = describe_run(plexus.load(CARD.format(words="refund")), ["Reason"])
    assert before != describe_run(plexus.load(CARD.format(words="refunds")), ["Reason"])


def test_two_columns_of_one_name_are_refused(files: Path) -> None:
    """A score named as another's column would overwrite it; JSONL has no columns."""
    (files / "card.yaml").write_text(CARD.format(words="refund").replace("Reason", "Refund error"))
    assert "'Refund error'" in read_refusal(files)
    assert "write .jsonl" in read_refusal(files, "--output", str(files / "out.csv"))
    assert command(files, "--json").exit_code == 0


def test_an_id_may_be_0(files: Path) -> None:
    """Numbers name rows as well as words."""
    (files / "texts.jsonl").write_text('{"text": "a refund, late", "n": 0}\n{"text": "late refund", "n": 1}\n')
    done = command(files, "--id", "n", data="texts.jsonl")
    assert [line.split(",")[:2] for line in done.stdout.splitlines()[1:]] == [["1", "0"], ["2", "1"]]


def test_options_of_files_need_a_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Misuse is exit 2 and says which options go together."""
    with pytest.raises(SystemExit) as ended:
        main(["run", str(files / "card.yaml"), "a text", "--output", "x.csv"])
    assert ended.value.code == 2
    assert "require --data" in capsys.readouterr().err


def test_the_columns_of_the_table_are_kept_beside_the_results(files: Path) -> None:
    """Text, id and all others, in their order; in JSON lines as an object of their own."""
    command(files, "--keep-columns", "--output", str(files / "out.csv"))
    result = table(files / "out.csv")
    assert list(result[0]) == ["row", "id", "text", *COLUMNS[2:]]
    assert [(row["id"], row["text"]) for row in result][3] == ("d", 'A refund, "now"')
    lines = command(files, "--keep-columns", "--json").stdout.splitlines()
    assert json.loads(lines[0])["columns"] == {"id": "a", "text": "A refund: it came late"}


@pytest.mark.parametrize("name", ["Refund", "Refund confidence"])
def test_a_score_of_a_kept_columns_name_gets_columns_of_its_own(files: Path, name: str) -> None:
    """All four have the suffix, whichever of them the table has; its own column keeps its name and value."""
    (files / "texts.csv").write_text(f"{name},text\nby hand,A refund\n")
    done = command(files, "--keep-columns", "--output", str(files / "out.csv"))
    (row,) = table(files / "out.csv")
    assert (row[name], row["Refund (score)"], row["Refund (score) error"]) == ("by hand", "Yes", "")
    assert "Refund explanation" not in row
    assert "columns of the score 'Refund': 'Refund (score)', as the table has such a column" in done.stderr
    assert table(files / "out.csv") == list(csv.DictReader(command(files, "--keep-columns").stdout.splitlines()))


def test_a_kept_column_never_hides_a_result(files: Path) -> None:
    """A table that has the names with the suffix as well is refused before anything is scored."""
    (files / "texts.csv").write_text("Refund,Refund (score),text\nyes,no,A refund\n")
    assert "named 'Refund (score)'. next: write .jsonl, or plexus data convert FILE --rename" in read_refusal(
        files, "--keep-columns", "--output", str(files / "out.csv")
    )
    assert not (files / "out.csv").exists()


@pytest.mark.parametrize(
    ("costs", "message"), [(("0.4", "0.7"), "spent 1.1 of 1 USD"), ((None,), "the cost of 1 result is unknown")]
)
def test_a_budget_of_a_run_stops_when_it_is_spent_or_unknown(costs: tuple[str | None, ...], message: str) -> None:
    """US dollars over all rows; a cost that is unknown cannot be kept within a budget."""
    kept: list[int] = []
    chunks = ([make_priced_row(number, cost)] for number, cost in enumerate((*costs, "9"), start=1))
    with pytest.raises(BudgetExceeded, match=message):
        keep_all(chunks, lambda rows: kept.extend(row["row"] for row in rows), int, Tally(), Decimal(1))
    assert kept == list(range(1, len(costs) + 1))


def test_a_budget_includes_the_cost_of_an_earlier_run() -> None:
    """A run whose earlier part has spent the budget scores nothing."""
    with pytest.raises(BudgetExceeded):
        keep_all(
            [[make_priced_row(1, "0.1")]], lambda _: pytest.fail("scored"), int, Tally(cost=Decimal(2)), Decimal(1)
        )


def make_priced_row(number: int, cost: str | None) -> ScoredRow:
    """Return a row whose score asked a model once."""
    usage = {"calls": 1, "input_tokens": 5, "output_tokens": 1}
    return ScoredRow(row=number, id="", results={"A": {"value": "x", "usage": usage, "cost": cost}})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--retry-failed"], "require --data and --output"),
        (["--budget-total", "2"], "require --data and --output"),
        (["--output", "x.csv", "--retry-failed", "--restart"], "contradict each other"),
        (["--output", "x.csv", "--budget-total", "-1"], "--budget-total -1.0: expected US dollars above 0"),
        (["--workers", "2", "--record", "c.jsonl"], "--workers and --record contradict each other"),
    ],
)
def test_options_that_cannot_be_kept_are_refused(files: Path, options: list[str], said: str) -> None:
    """Before anything is scored."""
    error = command(files, *options).exception
    assert isinstance(error, click.UsageError)
    assert said in str(error)
