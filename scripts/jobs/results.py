"""Read ScoreResults, with the names of scores and items instead of their ids."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from ..aws import dynamodb
from ..aws.clients import Aws
from ..aws.dynamodb import Record
from ..console.errors import NotFound


def read(
    aws: Aws,
    scorecard: str = "",
    score: str = "",
    since: str = "",
    *,
    limit: int = 0,
    done: Callable[[int], None] = lambda _: None,
) -> list[Record]:
    """Return the newest matching ScoreResults, oldest first: at most `limit`, or all if it is 0.

    `scorecard` and `score` are a key, a name or an id; `since` is ISO 8601 in UTC. NotFound if one does not exist.
    Results are found by the index of each scorecard of the table Scorecard, never by a scan. `done` is called with the
    entries read for each page of an index.
    """
    cards = [str(find(aws, "Scorecard", scorecard)["id"])] if scorecard else []
    values: dict[str, str] = {":since": since} if since else {}
    if score:
        chosen = find(aws, "Score", score, cards[0] if cards else "")
        cards, values[":score"] = [str(chosen["scorecardId"])], chosen["id"]
    elif not cards:
        cards = [str(card["id"]) for card in dynamodb.scan(aws, "Scorecard")]
    index = aws.stage.index("ScoreResult")
    key = "scorecardId = :card" + (f" AND {index.sort} >= :since" if since else "")
    condition = "scoreId = :score" if score else ""
    entries = [
        dynamodb.query(aws, "ScoreResult", index.name, key, {**values, ":card": card}, condition, done)
        for card in cards
    ]
    newest = heapq.merge(*entries, key=lambda entry: str(entry[index.sort]), reverse=True)
    ids = [str(entry["id"]) for entry in islice(newest, limit or None)]
    records = {record["id"]: record for record in dynamodb.get(aws, "ScoreResult", ids)}
    return [records[identity] for identity in reversed(ids) if identity in records]


def with_names(aws: Aws, records: Iterable[Record]) -> list[Record]:
    """Return the records with `score`, the score's name, and `item`, the item's external id; else the internal ids.

    Two batches of reads, of the distinct ids. Order is kept.
    """
    rows = list(records)
    scores = _names(aws, "Score", (one.get("scoreId") for one in rows), "name")
    items = _names(aws, "Item", (one.get("itemId") for one in rows), "externalId")
    return [
        one
        | {"score": scores.get(one.get("scoreId"), one.get("scoreId"))}
        | {"item": items.get(one.get("itemId"), one.get("itemId"))}
        for one in rows
    ]


def compute_total_cost(record: Record) -> Any:
    """Return a result's cost in US dollars, which is the total of an object in Amplify's tables; None if unknown."""
    cost = record.get("cost")
    return cost.get("total_cost") if isinstance(cost, Mapping) else cost


def find(aws: Aws, table: str, name: str, scorecard: str = "") -> Record:
    """Return the scorecard or score with this key, name or id; NotFound if there is not exactly one.

    Scans the table. `scorecard`, a scorecard's id, limits the search to its scores; the name of a score is unique only
    within its scorecard.
    """
    candidates = [one for one in dynamodb.scan(aws, table) if not scorecard or one.get("scorecardId") == scorecard]
    matches = [one for one in candidates if name in (one["id"], one.get("key"), one.get("name"))]
    if len(matches) == 1:
        return matches[0]
    noun = table.lower()
    if matches:
        raise NotFound(f"{len(matches)} scorecards have a {noun} {name!r}", "select one: --scorecard KEY")
    known = ", ".join(sorted({str(one.get("key") or one.get("name")) for one in candidates})) or "none"
    raise NotFound(f"stage {aws.stage.name} has no {noun} {name!r}", f"existing: {known}")


def _names(aws: Aws, table: str, ids: Iterable[Any], attribute: str) -> dict[Any, Any]:
    wanted = sorted({identity for identity in ids if identity})
    return {one["id"]: one[attribute] for one in dynamodb.get(aws, table, wanted, (attribute,)) if attribute in one}
