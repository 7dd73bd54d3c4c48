"""`make results` reads the newest results by an index of each scorecard, and never scans the table of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from local_aws import control
from local_aws.status import ask
from scripts.aws.clients import Aws
from scripts.console.errors import NotFound
from scripts.jobs import results
from tests.e2e import busy
from tests.e2e.staged import Staged

COUNT = 120  # more than a BatchGetItem takes


def record(number: int) -> dict[str, str]:
    """Return a result: even numbers are of scorecard `even`, odd ones of `odd`; every third is of another score."""
    card = ("even", "odd")[number % 2]
    time = f"2026-11-29T{number // 60:02d}:{number % 60:02d}:00Z"
    score = f"{card}-{'main' if number % 3 else 'third'}"
    return {"id": f"indexed-{number:03d}", "scorecardId": card, "scoreId": score, "createdAt": time, "value": "Yes"}


@pytest.fixture(scope="module")
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share, with the results of two scorecards."""
    tables = {
        "Scorecard": [{"id": card, "key": f"{card}-key", "name": card.title()} for card in ("even", "odd")],
        "Score": [
            {"id": f"{card}-{name}", "scorecardId": card, "name": name, "key": name}
            for card in ("even", "odd")
            for name in ("main", "third")
        ],
        "ScoreResult": [record(number) for number in range(COUNT)],
    }
    for table, records in tables.items():
        busy.write(released.aws, table, records)
    yield released
    for table, records in tables.items():
        for entry in records:
            released.aws.client("dynamodb").delete_item(
                TableName=released.aws.stage.table(table), Key={"id": {"S": entry["id"]}}
            )


def ids(records: list[dict[str, object]]) -> list[int]:
    """Return the numbers of results."""
    return [int(str(entry["id"]).removeprefix("indexed-")) for entry in records]


def test_the_newest_of_all_scorecards_are_returned_in_order(stage: Staged) -> None:
    """A limit takes the newest of both scorecards, oldest first, with all attributes; without one all are returned."""
    newest = results.read(stage.aws, limit=5)
    assert newest == [record(number) for number in range(COUNT - 5, COUNT)]
    assert ids(results.read(stage.aws)) == list(range(COUNT))


def test_results_are_those_of_a_scorecard_a_score_and_a_time(stage: Staged) -> None:
    """A key, a name and an id select alike, and combine with a time."""
    odd = list(range(1, COUNT, 2))
    assert ids(results.read(stage.aws, "odd-key")) == ids(results.read(stage.aws, "Odd")) == odd
    thirds = [number for number in odd if number % 3 == 0]
    assert ids(results.read(stage.aws, "odd", "third")) == thirds
    assert ids(results.read(stage.aws, score="odd-third", limit=2)) == thirds[-2:]
    assert ids(results.read(stage.aws, since="2026-11-29T01:30:00Z")) == list(range(90, COUNT))


def test_the_table_of_results_is_not_scanned(stage: Staged) -> None:
    """Reading 50 results queries the index and fetches them by id; only the small table of scorecards is scanned."""
    running = control.find(stage.name)
    assert running is not None
    ask(running, "/_local_aws/calls", {"record": True})
    results.read(stage.aws, limit=50)
    calls = [call for call in ask(running, "/_local_aws/calls") if call["caller"] == "test"]
    ask(running, "/_local_aws/calls", {"record": False})
    assert [(call["operation"], call["parameters"]) for call in calls] == [
        ("BatchGetItem", {"RequestItems": ["local-ScoreResult"]}),
        ("Query", {"IndexName": "byScorecard", "TableName": "local-ScoreResult"}),
        ("Scan", {"TableName": "local-Scorecard"}),
    ]


def test_a_table_without_the_index_is_an_error_with_its_remedy(stage: Staged) -> None:
    """A table that was made before the index says which index it lacks, and what adds it."""
    aws = Aws(replace(stage.aws.stage, tables=replace(stage.aws.stage.tables, prefix="older-")), stage.aws.endpoint)
    client = aws.client("dynamodb")
    for table in ("Scorecard", "ScoreResult"):
        client.create_table(
            TableName=f"older-{table}",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    try:
        busy.write(aws, "Scorecard", [{"id": "even"}])
        with pytest.raises(NotFound, match="table older-ScoreResult: index byScorecard") as caught:
            results.read(aws)
        assert caught.value.remedy == "make infra-deploy"
    finally:
        for table in ("Scorecard", "ScoreResult"):
            client.delete_table(TableName=f"older-{table}")
