"""Send stored results to the original's GraphQL API.

score-processor publish [--scorecard KEY] [--score NAME] [--since 2h]
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import click

from .command.shell import Shell
from .command.verb import verb
from .console.errors import DONE, FAILED
from .console.options import parse_timestamp_since
from .console.text import pluralize
from .jobs import publishing, results

MOST_REFUSALS = 20


@dataclass(frozen=True)
class Publication:
    """The number of results by outcome (created, present, refused), and the id and reason of each refused one."""

    action: str
    results: int
    counts: dict[str, int]
    refused: Sequence[dict[str, str]]

    @property
    def exit_code(self) -> int:
        """1 if the API refused a result."""
        return FAILED if self.refused else DONE


def _render(done: Publication, shell: Shell) -> None:
    shell.print(f"{done.action} {pluralize(done.results, 'result')}")
    for action, count in sorted(done.counts.items()):
        shell.print(f"{action}: {count}")
    for entry in done.refused[:MOST_REFUSALS]:
        shell.print(f"  {entry['id']}: {entry['reason']}")


@verb(acts=True, render=_render)
@click.option("--scorecard", default="", help="Only results of this scorecard (key, name or id).")
@click.option("--score", default="", help="Only results of this score (key, name or id).")
@click.option("--since", default="", help="Only results since 10m, 2h, 1d ago, or an ISO 8601 time.")
@click.option("--at-once", type=click.IntRange(1, 100), default=4, show_default=True, help="Requests at a time.")
def main(shell: Shell, scorecard: str, score: str, since: str, at_once: int) -> Publication:
    """Send stored results to the GraphQL API of the original, whose dashboard and subscribers then have them.

    The API is named by PLEXUS_API_URL and PLEXUS_API_KEY. A result that the API has is left as it is, so that the
    command may be repeated; exit code 1 if the API refuses one.
    """
    with shell.count("reading", None) as done:
        rows = results.read(shell.aws, scorecard, score, parse_timestamp_since(since), done=done)
    if shell.dry_run:
        return Publication("would send", len(rows), {}, ())
    api = publishing.Api.of(os.environ.get("PLEXUS_API_URL", ""), os.environ.get("PLEXUS_API_KEY", ""))
    shell.confirm(f"Sends {pluralize(len(rows), 'result')} to {api.url}.")
    named = results.with_names(shell.aws, rows)
    try:
        with shell.count("sending", len(named)) as done:
            sent = list(publishing.publish(api, named, at_once, done))
    finally:
        api.http.close()
    refused = [{"id": entry.id, "reason": entry.reason} for entry in sent if entry.action == "refused"]
    return Publication("sent", len(sent), dict(Counter(entry.action for entry in sent)), refused)
