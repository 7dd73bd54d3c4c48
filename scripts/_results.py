"""The results of a scorecard or a score since a time, with the names of score and item instead of their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import _tables
from ._aws import Aws
from ._errors import NotFound
from ._tables import Record


def read(
    aws: Aws, scorecard: str = "", score: str = "", since: str = "", done: Callable[[int], None] = lambda _: None
) -> list[Record]:
    """Return ScoreResults as the table holds them, the oldest first; it is read whole, `done` is told of each page.

    `scorecard` and `score` are a key, a name or an id, `since` is ISO 8601 in UTC. NotFound when there is none such.
    """
    wanted = {":scorecardId": _one(aws, "Scorecard", scorecard)["id"]} if scorecard else {}
    if score:
        wanted[":scoreId"] = _one(aws, "Score", score, wanted.get(":scorecardId", ""))["id"]
    conditions = [f"{name[1:]} = {name}" for name in wanted]
    if since:
        conditions.append("createdAt >= :since")
        wanted[":since"] = since
    found = _tables.scan(aws, "ScoreResult", " AND ".join(conditions), wanted, done)
    return sorted(found, key=lambda record: str(record.get("createdAt", "")))


def named(aws: Aws, records: Iterable[Record]) -> list[Record]:
    """Return the records with `score`, the score's name, and `item`, the item's id outside; else their ids here."""
    kept = list(records)
    scores = _names(aws, "Score", (one.get("scoreId") for one in kept), "name")
    items = _names(aws, "Item", (one.get("itemId") for one in kept), "externalId")
    return [
        one
        | {"score": scores.get(one.get("scoreId"), one.get("scoreId"))}
        | {"item": items.get(one.get("itemId"), one.get("itemId"))}
        for one in kept
    ]


def _one(aws: Aws, table: str, name: str, scorecard: str = "") -> Record:
    """The scorecard or score that people call so; of two scores of that name, the scorecard must be told."""
    there = [one for one in _tables.scan(aws, table) if not scorecard or one.get("scorecardId") == scorecard]
    found = [one for one in there if name in (one["id"], one.get("key"), one.get("name"))]
    if len(found) == 1:
        return found[0]
    noun = table.lower()
    if found:
        raise NotFound(f"{len(found)} scorecards have a {noun} {name!r}", "say which: --scorecard KEY")
    known = ", ".join(sorted({str(one.get("key") or one.get("name")) for one in there})) or "none"
    raise NotFound(f"there is no {noun} {name!r} in stage {aws.stage.name}", f"there are: {known}")


def _names(aws: Aws, table: str, ids: Iterable[Any], attribute: str) -> dict[Any, Any]:
    wanted = sorted({identity for identity in ids if identity})
    return {one["id"]: one[attribute] for one in _tables.get(aws, table, wanted, (attribute,)) if attribute in one}
