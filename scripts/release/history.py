"""The alias's history, from the ledger, or else from the descriptions of the published versions."""

from __future__ import annotations

from dataclasses import dataclass

from ..aws import lambda_function, ledger
from ..aws.clients import Aws
from ..aws.lambda_function import FunctionVersion
from ..aws.ledger import Entry
from . import versions


@dataclass(frozen=True)
class History:
    """Changes, newest first; `ledger` is False if they come from the versions' descriptions."""

    entries: tuple[Entry, ...]
    ledger: bool
    live: str


def read_history(aws: Aws, limit: int = 20) -> History:
    """Return the last changes of the stage's function.

    Newest first, at most `limit`. Without a ledger, or with an empty one, changes come from the published versions'
    descriptions: those name no rollbacks, and only versions that Lambda still has.
    """
    live = versions.read_live(aws).version
    entries = ledger.read_entries(aws, limit)
    if entries:
        return History(tuple(entries), True, live)
    # A ledger that was lost and created again is empty, although versions were published.
    return History(tuple(_from_versions(aws))[:limit], entries is not None, live)


def _from_versions(aws: Aws) -> list[Entry]:
    """Return an entry for each published version, newest first, without action or predecessor."""
    paginator = aws.client("lambda").get_paginator("list_versions_by_function")
    # Lambda caps a page at 50. LocalStack does not, and its marker of a next page is nothing that a client can send.
    pages = paginator.paginate(FunctionName=aws.stage.function.name, PaginationConfig={"PageSize": 10_000})
    try:
        configurations = [entry for page in pages for entry in page["Versions"] if entry["Version"] != "$LATEST"]
    except aws.client("lambda").exceptions.ResourceNotFoundException:
        return []  # there is no function
    published = map(lambda_function.parse_configuration, configurations)
    return [_entry(version) for version in sorted(published, key=lambda version: -int(version.version))]


def _entry(version: FunctionVersion) -> Entry:
    return Entry(
        at=version.modified,
        action="published",
        version=version.version,
        digest=version.digest,
        previous_version="",
        previous_digest="",
        commit=versions.commit_of(version.description),
        configuration=version.configuration,
        locks="",
        who=version.description.rpartition(" by ")[2] if " by " in version.description else "",
    )
