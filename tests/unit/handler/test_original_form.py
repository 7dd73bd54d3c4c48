"""The worker on Amplify's tables: their names and indexes, and results as the original writes them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from handler.exceptions import SettingsError
from handler.original_form import describe_cost, list_nodes
from handler.records import derive_result_id
from handler.settings import REQUIRED, load
from handler.tables import Tables
from plexus import Result
from plexus.usage import Usage
from tests.memory.world import World, scoring

SUFFIX = "-t4bles-NONE"
TABLES = Tables("own-", SUFFIX, {"Account": "accountsByKey", "Score": "byScorecardIdAndExternalId"})
NAMES = ("Account", "Item", "Scorecard", "Score", "ScoreVersion", "ScoringJob", "ScoreResult")
BUCKET = "attachments"


def rename(world: World) -> None:
    """Move the world's records to Amplify's tables."""
    for name in NAMES:
        world.dynamodb.tables[name + SUFFIX] = world.dynamodb.tables.pop(name)
    world.dynamodb.tables["own-Outbox"] = world.dynamodb.tables.pop("Outbox")


def work(world: World, external_id: str | None = "case-7", **result: Any) -> dict[str, Any]:
    """Score one job on Amplify's tables, with a score that gives this result; returns the stored record."""
    job = world.job()
    world.dynamodb.put("Item", id="item-1", accountId="account-1", text="a text", externalId=external_id)
    rename(world)
    engine = scoring(lambda *_: Result(**result))
    runtime = world.runtime(score=engine, tables=TABLES, attachment_bucket=BUCKET)
    world.send_jobs(job)
    assert world.batch(runtime) == []
    assert world.sent_results() == [derive_result_id(job)]
    completed = world.dynamodb.fields("ScoringJob" + SUFFIX, job)
    assert (completed["status"], completed["updatedAt"]) == ("COMPLETED", completed["completedAt"])
    return dict(world.dynamodb.fields("ScoreResult" + SUFFIX, derive_result_id(job)))


def test_a_result_has_the_shape_that_the_originals_api_reads(world: World) -> None:
    """Metadata, cost, trace and attachments are the original's, and so are the sort keys of Amplify's indexes."""
    nodes = {"judge": {"classification": "Yes"}, "notes": {"extracted_text": "money back"}}
    record = work(
        world,
        value="Yes",
        explanation="It asks for money.",
        cost=Decimal("0.0021"),
        usage=Usage(calls=2, input_tokens=300, output_tokens=20, cached_tokens=100),
        trace={"path": ["notes", "judge"], "nodes": nodes},
    )
    assert record["metadata"] == {
        "source": "Worker",
        "cached_at": record["createdAt"],
        "external_id": "case-7",
        "explanation": "It asks for money.",
    }
    tokens = {"prompt_tokens": 300, "completion_tokens": 20, "cached_tokens": 100}
    assert record["cost"] == {"total_cost": "0.0021", "llm_calls": 2, **tokens}
    assert record["trace"] == [
        {"name": "notes", "inputs": {}, "outputs": nodes["notes"]},
        {"name": "judge", "inputs": {}, "outputs": nodes["judge"]},
    ]
    (key,) = record["attachments"]
    assert key.startswith(f"scoreresults/{record['id']}/")
    assert key.endswith("/trace.json")
    assert json.loads(world.objects[f"{BUCKET}/{key}"]) == record["trace"]
    now = record["updatedAt"]
    assert (record["type#scoreId#updatedAt"], record["status#updatedAt"]) == (
        f"prediction#score-1#{now}",
        f"COMPLETED#{now}",
    )
    assert (record["itemId#createdAt"], record["scoreId#itemId"], record["scorecardId#scoreId"]) == (
        f"item-1#{now}",
        "score-1#item-1",
        "card-1#score-1",
    )


def test_texts_too_large_for_a_record_are_attachments(world: World) -> None:
    """A trace and an explanation beyond a record's limit are whole in S3, and the explanation short in the record."""
    long = "money back, please. " * 30_000
    record = work(world, value="Yes", explanation=long, trace={"matches": [long]})
    assert "trace" not in record
    assert record["explanation"] == record["metadata"]["explanation"] == f"{long[:1000]}…"
    contents = {key.rpartition("/")[2]: world.objects[f"{BUCKET}/{key}"].decode() for key in record["attachments"]}
    assert contents["explanation.txt"] == long
    assert json.loads(contents["trace.json"])[0]["outputs"] == {"matches": [long]}


def test_a_result_without_calls_and_trace_has_neither(world: World) -> None:
    """A score that calls no model has no cost, and one without a trace no attachment."""
    record = work(world, value="Yes")
    assert record.keys().isdisjoint({"cost", "trace", "attachments", "explanation"})


def test_an_unknown_cost_is_left_out_and_nodes_outside_the_path_are_kept() -> None:
    """Calls without a price have their tokens; a node that the path does not name comes after the others."""
    assert describe_cost(None, {"calls": 1, "inputTokens": 5}) == {"llm_calls": 1, "prompt_tokens": 5}
    nodes = list_nodes({"path": ["b", "b", "gone"], "nodes": {"a": {}, "b": {}}})
    assert nodes is not None
    assert [node["name"] for node in nodes] == ["b", "a"]


def test_tables_and_indexes_are_settings() -> None:
    """A suffix and the names of indexes are read from the environment; anything else than pairs is refused."""
    complete = dict.fromkeys(REQUIRED, "https://example/1")
    loaded = load(
        complete
        | {"PLEXUS_TABLE_PREFIX": "own-", "PLEXUS_TABLE_SUFFIX": SUFFIX}
        | {"PLEXUS_TABLE_INDEXES": "Account=accountsByKey,Score=byScorecardIdAndExternalId"}
    )
    assert loaded.tables == TABLES
    assert [loaded.tables.name(name) for name in ("ScoringJob", "Outbox")] == [f"ScoringJob{SUFFIX}", "own-Outbox"]
    assert [Tables("p-").name("ScoringJob"), Tables("p-").index("Score")] == ["p-ScoringJob", "byScorecard"]
    with pytest.raises(SettingsError, match=r"PLEXUS_TABLE_INDEXES is 'Account', expected TABLE=INDEX,\.\.\."):
        load(complete | {"PLEXUS_TABLE_INDEXES": "Account"})


@pytest.mark.parametrize("external_id", ["", None])
def test_an_item_without_an_external_id_has_none_in_its_result(world: World, external_id: str | None) -> None:
    """The metadata of the result then name no external id."""
    assert work(world, external_id, value="Yes")["metadata"].get("external_id") is None
