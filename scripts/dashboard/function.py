"""The function with its alias and event source, and the ledger's last entries."""

from __future__ import annotations

from .. import _function, _git, _release, history
from .connection import ReadOnly
from .hygiene import shown
from .values import Deploys, Function

SHOWN = 8


def function(aws: ReadOnly) -> Function:
    """Read $LATEST's state, what the alias names, and the event source mapping: four calls."""
    latest, live = _function.read(aws), _release.read_live(aws)
    return Function(
        name=aws.stage.function.name,
        alias=aws.stage.function.alias,
        state=live.facts.state if live.facts else latest.state,
        last_update_status=latest.last_update_status,
        reason=shown(latest.reason),
        version=live.version,
        digest=live.digest,
        commit=_git.short_revision(live.commit),
        modified=live.facts.modified if live.facts else latest.modified,
        memory_mb=latest.memory_mb,
        timeout_s=latest.timeout_s,
        shares=live.alias.shares if live.alias else {},
        event_source=event_source(aws) if live.alias else "none",
    )


def event_source(aws: ReadOnly) -> str:
    """What feeds the alias, in words."""
    settings = aws.stage.function
    found = aws.client("lambda").list_event_source_mappings(FunctionName=f"{settings.name}:{settings.alias}")
    words = [
        f"{one['EventSourceArn'].rpartition(':')[2]}: {one['State'].lower()}, batches of {one.get('BatchSize', 1)}"
        for one in found["EventSourceMappings"]
    ]
    return "; ".join(words) or "none: jobs come by fan-out or poll"


def deploys(aws: ReadOnly) -> Deploys:
    """Read the last changes of the alias: three calls; without a ledger one more for each 50 versions."""
    found = history.history(aws, SHOWN)
    return Deploys(found.entries, found.ledger, found.live)
