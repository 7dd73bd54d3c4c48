"""Send scoring jobs: one for each item of a file and each score of a scorecard, or jobs that exist.

python -m scripts.enqueue items.csv --scorecard card.yaml [--score NAME]...
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from . import _items, _seed
from ._aws import ROOT, Aws
from ._command import Shell, verb
from ._counting import counting
from ._errors import NotFound, OperationFailed
from ._items import Item
from ._seed import Card, Job, publish_artifacts, read_card, seed_jobs

CARD = ROOT / "build" / "reviews.yaml"
BATCH = 10
PENDING = "PENDING"


@dataclass(frozen=True)
class Enqueued:
    """What was sent, and what was not because it is no longer PENDING: `passed` counts those by state.

    `run` names the sending; the same again under that name sends what is still PENDING, and resets nothing.
    """

    run: str
    jobs: int
    scores: tuple[str, ...]
    items: int
    action: str = "sent"
    passed: dict[str, int] = field(default_factory=dict)


def body(job_id: str) -> str:
    """Return the message that names a job."""
    return json.dumps({"scoring_job_id": job_id})


def seed(aws: Aws, card: Card, items: Sequence[Item], scores: Sequence[str] = (), run: str = "") -> list[Job]:
    """Publish the scorecard's artifacts and write every record that its jobs need; return the jobs, none sent."""
    publish_artifacts(aws, card)
    return seed_jobs(aws, card, items, card.names(scores), run or uuid.uuid4().hex)


def send(aws: Aws, bodies: Iterable[str], sent: Callable[[int], None] = lambda _: None) -> int:
    """Send messages to the request queue in batches of ten; return how many. OperationFailed when SQS refuses one."""
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request)
    waiting = list(bodies)
    for start in range(0, len(waiting), BATCH):
        entries = [{"Id": str(n), "MessageBody": text} for n, text in enumerate(waiting[start : start + BATCH])]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            reason = f"{failed[0].get('Code')}: {failed[0].get('Message')}"
            raise OperationFailed(f"{url} refused {len(failed)} messages: {reason}", "run the same --run again")
        sent(len(entries))
    return len(waiting)


def enqueue_items(shell: Shell, items: Sequence[Item], card: Card, names: Sequence[str], run: str) -> Enqueued:
    """Write what the items' jobs need, and send those that are PENDING."""
    publish_artifacts(shell.aws, card)
    with counting("writing jobs", len(items) * len(names), silent=shell.as_json) as done:
        jobs = [job.id for job in seed_jobs(shell.aws, card, items, names, run, done)]
    sent, passed = _send_pending(shell, jobs, _seed.states(shell.aws, jobs))
    return Enqueued(run, sent, tuple(names), len(items), passed=passed)


def enqueue_jobs(shell: Shell, ids: Sequence[str]) -> Enqueued:
    """Send jobs that exist, where they are PENDING; NotFound names all that do not exist, and then none is sent."""
    states = _seed.states(shell.aws, ids)
    if absent := [identity for identity in ids if identity not in states]:
        listed = "".join(f"\n  - {identity}" for identity in absent[:20])
        more = f"\n  - and {len(absent) - 20} more" if len(absent) > 20 else ""
        raise NotFound(
            f"{len(absent)} of {len(ids)} jobs do not exist in stage {shell.stage.name}:{listed}{more}",
            "take them out of the file; nothing was sent",
        )
    if shell.dry_run:
        return Enqueued("", sum(state == PENDING for state in states.values()), (), 0, "would send", _passed(states))
    shell.confirm(f"Sends up to {len(ids)} jobs to {shell.stage.queues.request}.")
    sent, passed = _send_pending(shell, ids, states)
    return Enqueued("", sent, (), 0, passed=passed)


def _passed(states: dict[str, str]) -> dict[str, int]:
    return dict(Counter(state for state in states.values() if state != PENDING))


def _send_pending(shell: Shell, ids: Sequence[str], states: dict[str, str]) -> tuple[int, dict[str, int]]:
    waiting = [identity for identity in ids if states.get(identity) == PENDING]
    with counting("sending", len(waiting), silent=shell.as_json) as done:
        return send(shell.aws, map(body, waiting), done), _passed(states)


def _render(done: Enqueued, shell: Shell) -> None:
    what = f": {done.items} items, scores {', '.join(done.scores)}; run {done.run}" if done.run else ""
    shell.console.print(f"{done.action} {done.jobs} jobs{what}", markup=False)
    for state, count in sorted(done.passed.items()):
        remedy = "; make dlq REDRIVE=… sends them to work again" if state == "FAILED" else ""
        shell.console.print(f"not sent: {count} are {state}{remedy}", markup=False)


@verb(acts=True, render=_render)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--scorecard",
    type=click.Path(path_type=Path),
    default=CARD,
    show_default="build/reviews.yaml",
    help="The scorecard's YAML, trained where it needs to be.",
)
@click.option("--score", "scores", multiple=True, help="Only this score; repeatable.")
@click.option("--run", default="", help="Name this sending. The same again sends what is still PENDING.")
def main(shell: Shell, file: Path, scorecard: Path, scores: tuple[str, ...], run: str) -> Enqueued:
    """Write the records of each item's jobs and send them to the request queue.

    FILE is CSV, JSONL or Parquet with a column `text`, and `id` where there are ids; or with a column
    `scoring_job_id` and no texts: jobs that exist.
    """
    rows = _items.read_rows(file)
    if _items.names_jobs(rows):
        return enqueue_jobs(shell, _items.jobs(file, rows))
    items, card, run = _items.items(file, rows), read_card(scorecard), run or uuid.uuid4().hex[:12]
    names = card.names(scores)
    if lacking := card.unpublished(names):
        raise OperationFailed(
            f"{scorecard}: no digest names the model or cassette of {', '.join(lacking)}: no worker could score them",
            f"python -m plexus train {scorecard} --write build/{scorecard.stem}.trained.yaml, then send with that",
        )
    if shell.dry_run:
        return Enqueued(run, len(items) * len(names), tuple(names), len(items), "would send")
    shell.confirm(f"Sends {len(items) * len(names)} jobs to {shell.stage.queues.request}.")
    shell.say(f"run {run}; should it be interrupted, it goes on with --run {run} (make: RUN_ID={run})")
    return enqueue_items(shell, items, card, names, run)


if __name__ == "__main__":
    main()
