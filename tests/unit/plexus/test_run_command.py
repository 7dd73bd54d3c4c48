"""`plexus run` over files: every row once, in order, whatever stops it."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import plexus
from plexus.commands import main, run
from plexus.exceptions import InvalidData

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
    """The command on the folder's files."""
    given = [str(folder / "card.yaml"), "--data", str(folder / data), *more]
    return CliRunner().invoke(run.command, given, standalone_mode=False)


def table(path: Path) -> list[dict[str, str]]:
    """A CSV's rows."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_values_or_the_reason_why_not(files: Path) -> None:
    """Values, explanations and errors stand in columns of their own; a failed row fails the command, a skipped not."""
    done = command(files, "--id", "id", "--output", str(files / "out.csv"))
    found = table(files / "out.csv")
    assert list(found[0]) == COLUMNS
    assert [row["id"] for row in found] == ["a", "b", "c", "d"]
    assert [row["Refund"] for row in found] == ["Yes", "No", "", "Yes"]
    assert [row["Reason"] for row in found] == ["Late", "", "", ""]
    assert [row["Reason error"].partition(":")[0] for row in found] == [
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
    for each in ("csv", ending):
        command(files, "--output", str(files / f"out.{each}"))
    values = [row["Refund"] for row in table(files / "out.csv")]
    if ending == "parquet":
        from pyarrow import parquet

        found = [row["Refund"] for row in parquet.read_table(files / "out.parquet").to_pylist()]
    else:
        lines = (files / "out.jsonl").read_text().splitlines()
        found = [json.loads(line)["results"]["Refund"].get("value") for line in lines]
    assert [value or "" for value in found] == values


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


def raised(folder: Path, *more: str, data: str = "texts.csv") -> str:
    """The message of what the command refuses."""
    error = command(folder, *more, data=data).exception
    assert isinstance(error, InvalidData)
    return str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,txt\na,b\n", "row 1 has no column 'text'; did you mean 'txt'?; it has: id, txt"),
        ("id,text\na,b,c\n", "3 fields; expected the 2 named"),
        ("id,text\n", "no rows"),
        ("", "no rows"),
        ("id,text\na,x\na,y\n", "the 'id' 'a' comes twice: rows 1 and 2"),
        ("id,text\n,x\n", "the 'id' '' is empty"),
    ],
)
def test_a_broken_file_is_told_before_anything_is_scored(files: Path, text: str, said: str) -> None:
    """Nothing is written, no part is left, and the message says which row and what was expected."""
    (files / "bad.csv").write_text(text)
    assert said in raised(files, "--id", "id", "--output", str(files / "out.csv"), data="bad.csv")
    assert not list(files.glob("out*"))


def test_a_byte_that_is_not_utf8_is_told(files: Path) -> None:
    """With its place in the file."""
    (files / "bad.csv").write_bytes(b"id,text\na,caf\xe9\n")
    assert ":2: not UTF-8 at byte 6 of the line" in raised(files, data="bad.csv")


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
    assert str(error).startswith("standard input:2: the row that begins here")


@pytest.mark.parametrize(("given", "piped"), [(["a\udcff"], None), ([], b"a\xff")])
def test_a_text_that_is_not_utf8_is_told(files: Path, given: list[str], piped: bytes | None) -> None:
    """As an argument or from a pipe, without a traceback."""
    words = [str(files / "card.yaml"), *given]
    error = CliRunner().invoke(run.command, words, piped, standalone_mode=False).exception
    assert isinstance(error, InvalidData)
    assert "not UTF-8" in str(error)


def test_an_output_is_never_replaced_unasked(files: Path) -> None:
    """A finished file stays unless --restart is given."""
    output = files / "out.csv"
    output.write_text("precious")
    assert "is there already" in raised(files, "--output", str(output))
    assert output.read_text() == "precious"
    command(files, "--output", str(output), "--restart")
    assert len(table(output)) == 4


def slow(folder: Path, rows: int) -> None:
    """A card whose chunks are kept often enough to be stopped between them."""
    lines = ["id,text", *(f"r{number},refund {number} late" for number in range(rows))]
    (folder / "texts.csv").write_text("\n".join(lines) + "\n")


def start(folder: Path) -> subprocess.Popen[str]:
    """The command as a process of its own, in small chunks that each take a while."""
    program = (
        "import sys, time; from plexus.running import run; from plexus.commands import main; run.CHUNK = 20; "
        "go = run.go_on; run.go_on = lambda chunks, keep, step: go(chunks, lambda rows: (keep(rows), time.sleep(.05)),"
        " step); main(sys.argv[1:])"
    )
    given = ["run", "card.yaml", "--data", "texts.csv", "--id", "id", "--output", "out.csv"]
    return subprocess.Popen(
        [sys.executable, "-c", program, *given],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def until(ready: Callable[[], bool]) -> None:
    """Waits for up to 20 s."""
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_that_was_stopped_goes_on(files: Path, number: signal.Signals, status: int) -> None:
    """After kill -9 or Ctrl-C the same command scores the rest: each row once, in order."""
    slow(files, 400)
    part = files / "out.csv.part"
    process = start(files)
    until(lambda: part.exists() and part.read_bytes().count(b"\n") > 60)
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == status
    assert not (files / "out.csv").exists()
    if number is signal.SIGINT:
        assert "the same command goes on from there" in told
    kept = part.read_bytes().count(b"\n") - 1
    assert 60 <= kept < 400
    with part.open("ab") as torn:
        torn.write(b'{"row": 9999, "id"')
    process = start(files)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert f"going on after row {kept} of 400" in told
    assert [row["id"] for row in table(files / "out.csv")] == [f"r{number}" for number in range(400)]
    assert not part.exists()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("card.yaml", CARD.format(words="refunds"), "another scorecard;"),
        ("texts.csv", "id,text\na,x\n", "another data;"),
    ],
)
def test_a_part_of_another_run_is_not_mixed_in(files: Path, file: str, content: str, said: str) -> None:
    """A changed card or file is named; --restart begins anew."""
    slow(files, 400)
    process = start(files)
    until((files / "out.csv.part").exists)
    process.kill()
    process.communicate()
    (files / file).write_text(content)
    options = ("--id", "id", "--output", str(files / "out.csv"))
    assert f"left by a run with {said}" in raised(files, *options)
    command(files, *options, "--restart")
    assert len(table(files / "out.csv")) == (400 if file == "card.yaml" else 1)


def test_two_runs_do_not_write_one_output(files: Path) -> None:
    """The second is told, and the first goes on."""
    from plexus.running.part import Part

    with Part(files / "out.csv", {}), pytest.raises(InvalidData, match="another run is writing this file"):
        Part(files / "out.csv", {})


def test_a_restart_takes_nothing_from_a_run_that_goes_on(files: Path) -> None:
    """--restart forgets an unfinished run, never one that is being written."""
    from plexus.running.part import Part

    with Part(files / "out.csv", {}) as part:
        part.add([{"row": 1}])
        with pytest.raises(InvalidData, match="another run is writing this file"):
            Part(files / "out.csv", {}, restart=True)
        assert [*part.rows()] == [{"row": 1}]


def test_a_run_does_not_go_on_with_another_dependency(files: Path) -> None:
    """What a score depends on decides its values as much as itself."""
    from plexus.running.run import identity

    before = identity(plexus.load(CARD.format(words="refund")), ["Reason"])
    assert before != identity(plexus.load(CARD.format(words="refunds")), ["Reason"])


def test_two_columns_of_one_name_are_refused(files: Path) -> None:
    """A score named as another's column would overwrite it; JSONL has no columns."""
    (files / "card.yaml").write_text(CARD.format(words="refund").replace("Reason", "Refund error"))
    assert "'Refund error'" in raised(files)
    assert "write .jsonl" in raised(files, "--output", str(files / "out.csv"))
    assert command(files, "--json").exit_code == 0


def test_an_id_may_be_0(files: Path) -> None:
    """Numbers name rows as well as words."""
    (files / "texts.jsonl").write_text('{"text": "a refund, late", "n": 0}\n{"text": "late refund", "n": 1}\n')
    done = command(files, "--id", "n", data="texts.jsonl")
    assert [line.split(",")[:2] for line in done.stdout.splitlines()[1:]] == [["1", "0"], ["2", "1"]]


def test_memory_does_not_grow_with_the_rows(files: Path) -> None:
    """Twenty times the rows take less than a tenth more memory."""

    def peak(rows: int) -> int:
        slow(files, rows)
        process = subprocess.Popen(
            [sys.executable, "-m", "plexus", "run", "card.yaml", "--data", "texts.csv", "--json"],
            cwd=files,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        found: resource.struct_rusage = used
        return found.ru_maxrss

    assert peak(20_000) < 1.1 * peak(1_000)


def test_options_of_files_need_a_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Misuse is exit 2 and says which options go together."""
    with pytest.raises(SystemExit) as ended:
        main(["run", str(files / "card.yaml"), "a text", "--output", "x.csv"])
    assert ended.value.code == 2
    assert "go with --data" in capsys.readouterr().err
