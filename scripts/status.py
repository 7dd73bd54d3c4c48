"""Print the status of the stage.

score-processor status
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from .aws import lambda_function
from .aws.clients import Aws, make
from .aws.ledger import Entry
from .aws.queues import Counts, read_counts, read_measured_age
from .checkout import git
from .command.shell import Shell
from .command.verb import verb
from .console.text import format_duration, shorten_digest
from .release import history, running, versions
from .release.running import RunningRelease

DEPLOYS = 3


@dataclass(frozen=True)
class Status:
    """The served version, a running release, the messages in each queue, and the last changes.

    `queues` has all messages, `waiting` those that a consumer can receive, `in_flight` those that one has received.
    `oldest_s` has the age of the oldest message in seconds by queue, if CloudWatch has data points, and `oldest_at` the
    minute in UTC that CloudWatch measured it in: by now the message is older.
    """

    function: str
    state: str
    alias: str
    version: str
    digest: str
    commit: str
    release: RunningRelease | None
    queues: dict[str, int]
    waiting: dict[str, int]
    in_flight: dict[str, int]
    oldest_s: dict[str, float]
    oldest_at: dict[str, str]
    deploys: tuple[Entry, ...]


def read_status(aws: Aws) -> Status:
    """Return the status of the stage. Reads only.

    About ten calls, one after another: the parts may be of different moments. Counts of messages are SQS's
    approximations, ages are in seconds as of the minute that `oldest_at` names. NotFound if the function does not
    exist.
    """
    live, latest, names = versions.read_live(aws), lambda_function.read(aws), aws.stage.queues
    watched = (names.request, names.request_dead_letters, names.response, names.response_dead_letters)
    messages = {name: read_counts(aws, aws.queue_url(name)) for name in watched}
    measured = {name: read_measured_age(aws, name) for name, found in messages.items() if found.total}
    ages = {name: age for name, age in measured.items() if age and age.seconds}
    return Status(
        function=aws.stage.function.name,
        state=latest.state,
        alias=aws.stage.function.alias,
        version=live.version,
        digest=live.digest,
        commit=live.commit,
        release=running.read(aws, live),
        queues={name: found.total for name, found in messages.items()},
        waiting={name: found.visible for name, found in messages.items()},
        in_flight={name: found.in_flight for name, found in messages.items()},
        oldest_s={name: age.seconds for name, age in ages.items()},
        oldest_at={name: f"{age.minute.astimezone(UTC):%Y-%m-%dT%H:%MZ}" for name, age in ages.items()},
        deploys=history.read_history(aws, DEPLOYS).entries,
    )


def _render(result: Status, shell: Shell) -> None:
    shell.console.print(f"{result.function}: {result.state}", markup=False)
    served = f"version {result.version}, image {shorten_digest(result.digest)}, commit {result.commit}"
    absent = f"does not exist; next: {make('doctor', shell.stage)}"
    shell.console.print(f"alias {result.alias}: {served if result.version else absent}", markup=False)
    if result.release:
        shell.console.print(f"release: {result.release}", markup=False)
    for name, total in result.queues.items():
        waiting, in_flight = result.waiting[name], result.in_flight[name]
        age = format_age(result.oldest_s[name], result.oldest_at[name]) if name in result.oldest_s else ""
        shell.console.print(f"{name}: {Counts(waiting, in_flight, total - waiting - in_flight)}{age}", markup=False)
    for entry in result.deploys:
        when, commit = entry.at[:19].replace("T", " "), git.shorten_revision(entry.commit)
        what = f"{entry.action} of version {entry.version}, image {shorten_digest(entry.digest)}, commit {commit}"
        shell.console.print(f"{when}  {what}{f' by {entry.who}' if entry.who else ''}", markup=False)


def format_age(seconds: float, minute: str) -> str:
    """Format the age of a queue's oldest message as the end of a line, with the minute that it was measured in."""
    return f", oldest {format_duration(seconds)} as of {minute[11:16]} UTC"


@verb(render=_render)
def main(shell: Shell) -> Status:
    """Print the function's state, the alias and its image, a running release, the queues, and the last changes."""
    return read_status(shell.aws)
