"""The same row gets the same value in `run`, `evaluate` and `test`, and in the worker after `enqueue`."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import plexus
from handler import attribute_values
from handler.records import derive_result_id
from plexus.commands import run as run_command
from plexus.commands import test as test_command
from plexus.evaluation import predictions
from plexus.tables import open_table
from plexus.tables.labels import Labelled, read_labelled
from scripts.aws.stage import load_stage
from scripts.jobs import item_files, seeding
from tests.memory.world import CARD, World
from tests.unit.plexus.awkward_files import FILES, File

BLANK = "ItemWithoutText"
SCORED = [file for file in FILES if all(text.strip() for _, text, _ in file.rows)]


def list_values(file: File) -> list[str]:
    """Return the values of the rows, by the words that the card looks for."""
    return ["Yes" if "refund" in text or "money back" in text else "No" for _, text, _ in file.rows]


def by_run(card: Path, path: Path, file: File) -> list[str]:
    """Return the values that `plexus run` prints, or the kind of error."""
    words = [str(card), "--data", str(path), "--text", file.text, "--json"]
    words += ["--id", file.id] if file.id else []
    words += ["--encoding", file.encoding] if file.encoding else []
    done = CliRunner().invoke(run_command.command, words, standalone_mode=False)
    assert done.exception is None, done.exception
    results = [json.loads(line)["results"]["Refund"] for line in done.stdout.splitlines()]
    return [result.get("value") or result["error"] for result in results]


def by_evaluate(rows: list[Labelled]) -> list[str]:
    """Return the values that `plexus evaluate` compares with the labels."""
    scorecard = plexus.load(CARD)
    result = predictions.predict(scorecard, scorecard.scores[0], rows, plexus.Context())
    return [str(each.value) for each in result]


def by_test(folder: Path, rows: list[Labelled]) -> list[str]:
    """Return the values that `plexus test` gets for the rows' texts and metadata."""
    card = folder / "tests.yaml"
    cases = [{"text": each.item.text, "metadata": dict(each.item.metadata), "value": "Yes"} for each in rows]
    card.write_text(f"{CARD}    tests: {json.dumps(cases)}\n", encoding="utf-8")
    return [result.got for result in test_command.run(card, folder / "store")]


def by_worker(folder: Path, path: Path, file: File) -> list[str]:
    """Return the values of the jobs of the items that `enqueue` reads, stored as it stores them."""
    world = World(folder)
    columns = item_files.Columns(file.text, file.id or "id", {"encoding": file.encoding})
    result = item_files.parse_items(path, item_files.read_rows(path, columns), columns)
    for number, item in enumerate(result, start=1):
        world.send_jobs(world.job(number, item.text))
        world.dynamodb.tables["Item"][f"item-{number}"]["metadata"] = dict(attribute_values.encode(item.metadata))
    assert world.batch(world.runtime()) == []
    return [world.dynamodb.fields("ScoreResult", derive_result_id(f"job-{n + 1}"))["value"] for n in range(len(result))]


@pytest.mark.parametrize("file", SCORED, ids=lambda file: file.name)
def test_a_row_has_one_value(tmp_path: Path, file: File) -> None:
    """All commands and the worker read the same text from every file."""
    (tmp_path / "card.yaml").write_text(CARD)
    path = file.create(tmp_path)
    label = file.label or file.text
    with open_table(path, [name for name in (file.text, label, file.id) if name], encoding=file.encoding) as table:
        rows = read_labelled(table, file.text, label)
    assert by_run(tmp_path / "card.yaml", path, file) == list_values(file)
    assert by_evaluate(rows) == list_values(file)
    assert by_test(tmp_path, rows) == list_values(file)
    assert by_worker(tmp_path, path, file) == list_values(file)


def test_a_row_without_a_text_is_an_error_of_that_row(tmp_path: Path) -> None:
    """A blank cell is a row of its own: `run` fails it alone, and no later row moves up."""
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "texts.csv").write_text("text\na refund\n\nmoney back\n")
    file = File("texts.csv", b"", id="")
    assert by_run(tmp_path / "card.yaml", tmp_path / "texts.csv", file) == ["Yes", BLANK, "Yes"]


METADATA_CARD = """
name: Schools
key: schools
scores:
  - name: Places
    class: CompositeScore
    expression: "str(len(metadata['schools'])) + ' ' + str(metadata['age']) + ' ' + metadata['schools'][0] + text"
"""
SCHOOLS = [
    {"id": 0, "text": "a", "age": 41.0, "schools": ["North", "South"]},
    {"id": "b", "text": "b", "metadata": {"age": 2.5, "schools": '["East"]'}},
    {"id": "c", "text": "c", "age": 10**15, "schools": [f"School {number}" for number in range(9000)]},
]


def test_metadata_reaches_a_score_by_every_way(tmp_path: Path) -> None:
    """A card that uses metadata gets the same values in `run` and, through the records of `enqueue`, in the worker.

    The last row's metadata is too large for a record, and goes by S3.
    """
    (tmp_path / "card.yaml").write_text(METADATA_CARD)
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SCHOOLS))
    done = CliRunner().invoke(
        run_command.command, [str(tmp_path / "card.yaml"), "--data", str(path), "--json"], standalone_mode=False
    )
    by_run = [json.loads(line)["results"]["Places"]["value"] for line in done.stdout.splitlines()]
    assert by_run == ["2 41 Northa", "1 2.5 Eastb", f"9000 {10**15} School 0c"]

    world = World(tmp_path, bucket="bucket")
    clients = world.clients()
    local = load_stage("local")
    rules = {"index": local.index, "is_foreign": local.is_foreign}
    stage = SimpleNamespace(account_key="acme", bucket="bucket", table=lambda name: name, **rules)
    aws: Any = SimpleNamespace(stage=stage, client=lambda name: {"dynamodb": clients.dynamodb, "s3": clients.s3}[name])
    card = seeding.read_card(tmp_path / "card.yaml")
    jobs = seeding.seed_jobs(aws, card, item_files.read_items(path), ["Places"], "run")
    world.send_jobs(*(job.id for job in jobs))
    assert world.batch(world.runtime()) == []
    assert [world.dynamodb.fields("ScoreResult", derive_result_id(job.id))["value"] for job in jobs] == by_run
    assert [job.item.id for job in jobs] == ["0", "b", "c"]
    assert any("metadata/" in key for key in world.objects)
