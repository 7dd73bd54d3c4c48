"""The panels of the function (state, alias, event source) and of the last deploys."""

from __future__ import annotations

from ..aws import lambda_function
from ..checkout import git
from ..release import history, versions
from .connection import ReadOnly
from .hygiene import sanitize
from .values import Deploys, Function

MOST_DEPLOYS = 8


def read_function(aws: ReadOnly) -> Function:
    """Read the function's state, its alias and the event source mapping, in four calls.

    State and memory may be of two versions while a deploy is running.
    """
    latest, live = lambda_function.read(aws), versions.read_live(aws)
    return Function(
        name=aws.stage.function.name,
        alias=aws.stage.function.alias,
        state=live.facts.state if live.facts else latest.state,
        last_update_status=latest.last_update_status,
        reason=sanitize(latest.reason),
        version=live.version,
        digest=live.digest,
        commit=git.shorten_revision(live.commit),
        modified=live.facts.modified if live.facts else latest.modified,
        memory_mb=latest.memory_mb,
        timeout_s=latest.timeout_s,
        shares=live.alias.shares if live.alias else {},
        event_source=describe_event_sources(aws) if live.alias else "none",
    )


def describe_event_sources(aws: ReadOnly) -> str:
    """Describe the alias's event sources."""
    settings = aws.stage.function
    response = aws.client("lambda").list_event_source_mappings(FunctionName=f"{settings.name}:{settings.alias}")
    words = [
        f"{one['EventSourceArn'].rpartition(':')[2]}: {one['State'].lower()}, batches of {one.get('BatchSize', 1)}"
        for one in response["EventSourceMappings"]
    ]
    return "; ".join(words) or "none: jobs arrive by fan-out or poll"


def deploys(aws: ReadOnly) -> Deploys:
    """Read the alias's last changes in three calls, plus one per 50 versions without a ledger."""
    ledger = history.read_history(aws, MOST_DEPLOYS)
    return Deploys(ledger.entries, ledger.ledger, ledger.live)
