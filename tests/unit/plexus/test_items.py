"""One function turns rows and records into items: the same value comes out, whichever way it came in."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

import plexus
from handler import attribute_values
from plexus import items
from plexus.exceptions import InvalidData
from plexus.running.texts import TextFile
from plexus.tables import open_table
from plexus.tables.labels import read_labelled
from scripts.console.errors import OperationFailed
from scripts.jobs import item_files
from tests.memory.world import World, scoring


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ({"b", "a", "ä"}, ["a", "b", "ä"]),
        ({Decimal("10"), Decimal("2.5"), Decimal("-1")}, [-1, 2.5, 10]),
        ({b"b", b"a"}, ["YQ==", "Yg=="]),
        (Decimal("0.1"), 0.1),
        (Decimal("3.0"), 3),
        (3.0, 3),
        (1e23, 10**23),
        (Decimal("12345678901234567890.12"), 12345678901234567000),
        (timedelta(hours=30), "P1DT6H"),
        (float("nan"), None),
        (float("-inf"), "-inf"),
        (b"\0\1", "AAE="),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        ({"a": ({1.0},)}, {"a": [[1]]}),
        (True, True),
        ("2.0", "2.0"),
    ],
)
def test_values_become_json(value: object, normal: object) -> None:
    """Sets are sorted, whole numbers are integers, bytes are base64, times are ISO 8601; texts are as written."""
    assert items.normalize(value) == normal
    assert type(items.normalize(value)) is type(normal)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('["North", "South"]', ["North", "South"]),
        (' {"age": 41.0} ', {"age": 41}),
        ("[inaudible]", "[inaudible]"),
        ('{"age": 1, "age": 2}', '{"age": 1, "age": 2}'),
        ("{{ name }}", "{{ name }}"),
        ('["a", NaN]', '["a", NaN]'),
        ('["a", 1e400]', '["a", 1e400]'),
        ("[" * 101 + "]" * 101, "[" * 101 + "]" * 101),
        ("[" * 2000 + "]" * 2000, "[" * 2000 + "]" * 2000),
        ("[" * 600 + "]" * 600, "[" * 600 + "]" * 600),
        ("41", "41"),
        ("null", "null"),
        ('"quoted"', '"quoted"'),
        (["[1]"], ["[1]"]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_lists_and_maps_in_json_text_are_decoded(field: object, value: object) -> None:
    """A field of metadata that holds a list or a map as JSON text is that; any other text stays, deeper ones too."""
    assert items.from_record("text", {"field": field}).metadata == {"field": value}
    assert items.from_row({"text": "text", "field": field}, "text").metadata == {"field": value}


def nest(levels: int) -> object:
    """Return maps and lists in alternation, within each other."""
    value: object = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_lists_and_maps_that_are_nested_too_deeply_are_refused() -> None:
    """The limit is the same wherever an item is read, and far from the depth at which Python gives up."""
    assert items.from_row({"text": "a", "field": nest(100)}, "text").metadata == {"field": nest(100)}
    for levels in (101, 400):
        with pytest.raises(InvalidData, match="nested deeper than 100 levels"):
            items.from_row({"text": "a", "field": nest(levels)}, "text")
        with pytest.raises(InvalidData, match="nested deeper than 100 levels"):
            items.from_record("a", {"field": nest(levels)})


@pytest.mark.parametrize("metadata", [None, "", " ", {}, "{}", '"{}"', "null"])
def test_metadata_may_be_missing(metadata: object) -> None:
    """An item without metadata has none, however its record says so."""
    assert items.from_record("text", metadata) == plexus.Item("text", {})


def test_metadata_may_be_json_text() -> None:
    """AWSJSON is decoded, once encoded or twice."""
    once = json.dumps({"schools": '["North"]'})
    assert items.from_record("text", once).metadata == {"schools": ["North"]}
    assert items.from_record("text", json.dumps(once)).metadata == {"schools": ["North"]}


@pytest.mark.parametrize("metadata", ["free text", "[1]", 41, ["a"], {"a"}, True, b"a"])
def test_metadata_of_another_kind_is_refused(metadata: object) -> None:
    """The error names the kind, and quotes nothing."""
    with pytest.raises(InvalidData, match=r"the item's metadata is (a|bytes)[a-z ]*, expected a map$"):
        items.from_record("text", metadata)


def test_a_map_in_the_column_metadata_is_the_metadata() -> None:
    """Its keys are the item's; the other columns join them, and two values for one name are refused."""
    row = {"id": "1", "text": "call", "metadata": {"age": 41.0, "turns": [{"speaker": "Agent", "text": "hi"}]}}
    expected = {"id": "1", "age": 41, "turns": [{"speaker": "Agent", "text": "hi"}]}
    assert items.from_row(row, "text") == plexus.Item("call", expected)
    assert items.from_row({**row, "age": 41}, "text").metadata == expected
    with pytest.raises(InvalidData, match="'age': a column and a key of 'metadata', with other values"):
        items.from_row({**row, "age": 42}, "text")


ROWS: list[dict[str, Any]] = [
    {"id": "a", "text": "I want a refund.", "age": 41, "score": 2.0, "price": 0.1, "tags": ["b", "a"], "flag": True},
    {"id": "0", "text": " =1+1 refund\r\nnow ", "age": None, "nested": {"turns": [{"speaker": "Agent", "start": 1.5}]}},
    {"id": 7, "text": "refund ✓ 👩🏽\u200d🚒", "schools": '["North", "South"]', "note": "nan", "large": 10**20},
    {"id": "m", "text": "refund", "metadata": {"age": 41, "turns": '[{"speaker": "Agent"}]'}, "empty": ""},
    {"id": "x", "text": "refund", "small": 1e-9, "negative": -0.0, "third": 1 / 3, "list": [], "map": {}},
]


def write_csv(path: Path) -> None:
    """Write the rows as a spreadsheet would: texts only, lists as JSON."""
    import csv

    names = list(dict.fromkeys(name for row in ROWS for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in ROWS:
            writer.writerow({k: json.dumps(v) if isinstance(v, (list, dict)) else v for k, v in row.items()})


def write_jsonl(path: Path) -> None:
    """Write the rows with their types."""
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def write_parquet(path: Path) -> None:
    """Write columns with a type each: integers with gaps are floats, and there are times and decimals."""
    columns = {
        "id": [1.0, None],
        "text": ["I want a refund.", "refund"],
        "age": [41.0, None],
        "price": [Decimal("1.50"), Decimal("2.00")],
        "when": [datetime(2026, 1, 2, 3), None],
        "tags": [["b", "a"], []],
        "raw": [b"\0\1", None],
    }
    parquet.write_table(pyarrow.table(columns), path)


@pytest.mark.parametrize(
    ("name", "write"), [("rows.csv", write_csv), ("rows.jsonl", write_jsonl), ("rows.parquet", write_parquet)]
)
def test_every_way_in_gives_the_same_item(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    """A row is one item in `run`, in `evaluate`, and in the worker after `enqueue` has stored it in DynamoDB."""
    path = tmp_path / name
    write(path)
    with open_table(path, ["text"]) as table:
        run = [row.item for row in TextFile.of(table, "text", None).read()]
        assert [each.item for each in read_labelled(table, "text", "text")] == run

    calls: list[plexus.Item] = []

    def keep(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        calls.append(item)
        return plexus.Result("Yes")

    world = World(tmp_path)
    for number, item in enumerate(item_files.read_items(path), start=1):
        world.send_jobs(world.job(number, item.text))
        record = world.dynamodb.tables["Item"][f"item-{number}"]
        record["metadata"] = dict(attribute_values.encode(item.metadata))
        assert world.batch(world.runtime(score=scoring(keep))) == []
    assert calls == run
    assert json.dumps([item.metadata for item in calls]) == json.dumps([item.metadata for item in run])


def test_a_key_without_a_name_is_not_sent(tmp_path: Path) -> None:
    """DynamoDB's maps have no empty names: the worker would read another name than `run`."""
    (tmp_path / "items.jsonl").write_text(json.dumps({"text": "a", "deep": [{"": 1}]}) + "\n")
    with pytest.raises(OperationFailed, match="row 1: deep: got a key without a name"):
        item_files.read_items(tmp_path / "items.jsonl")


def test_metadata_that_a_table_would_change_is_not_sent(tmp_path: Path) -> None:
    """Deeper lists and maps would reach the worker as text."""
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps({"text": "a", "deep": nest(attribute_values.DEEPEST - 1)}) + "\n")
    assert len(item_files.read_items(path)) == 1
    path.write_text(json.dumps({"text": "a", "deep": nest(attribute_values.DEEPEST)}) + "\n")
    with pytest.raises(OperationFailed, match="row 1: deep: got more than 28 levels of lists and maps"):
        item_files.read_items(path)


@pytest.mark.parametrize("number", [10**38 + 1, 1e126, 1e-140])
def test_a_number_that_a_table_would_change_is_not_sent(tmp_path: Path, number: float) -> None:
    """DynamoDB has 38 digits and exponents to 125: another number would be scored than the file has."""
    (tmp_path / "items.jsonl").write_text(json.dumps({"text": "a", "deep": [{"x": number}]}) + "\n")
    with pytest.raises(OperationFailed, match="row 1: deep: got a number that DynamoDB cannot store exactly"):
        item_files.read_items(tmp_path / "items.jsonl")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", {"N": "41"}, "Item item-1: its text is a number, expected a string"),
        ("text", {"SS": ["a"]}, "Item item-1: its text is a set, expected a string"),
        ("text", {"B": "AAE="}, "Item item-1: its text is bytes, expected a string"),
        ("metadata", {"S": "free text"}, "Item item-1: the item's metadata is a text, expected a map"),
        ("metadata", {"L": []}, "Item item-1: the item's metadata is a list, expected a map"),
    ],
)
def test_a_record_of_another_type_fails_its_job(tmp_path: Path, field: str, value: dict[str, Any], said: str) -> None:
    """The job is FAILED with the field and both types, and its message does not come back."""
    world = World(tmp_path)
    world.send_jobs(world.job())
    world.dynamodb.tables["Item"]["item-1"][field] = value
    world.batch(world.runtime())
    assert world.status("job-1") == "FAILED"
    assert world.dynamodb.fields("ScoringJob", "job-1")["errorMessage"] == f"IncompleteJob: {said}"
