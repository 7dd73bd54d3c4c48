"""Send scoring jobs: one for each item of a file and each score of a scorecard.

python -m scripts.enqueue items.csv --scorecard card.yaml [--score NAME]...
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ._aws import ROOT, Aws
from ._command import Shell, verb
from ._errors import OperationFailed
from ._items import Item, read_items
from ._seed import Card, Job, publish_artifacts, read_card, seed_jobs

CARD = ROOT / "build" / "reviews.yaml"
BATCH = 10


@dataclass(frozen=True)
class Enqueued:
    """What was sent: jobs by score; `run` names it, and sending it again under that name adds nothing."""

    run: str
    jobs: int
    scores: tuple[str, ...]
    items: int
    artifacts: int
    action: str = "sent"


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


def _render(done: Enqueued, shell: Shell) -> None:
    word = "would send" if done.action == "would send" else "sent"
    shell.console.print(
        f"{word} {done.jobs} jobs: {done.items} items, scores {', '.join(done.scores)}; run {done.run}", markup=False
    )


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
@click.option("--run", default="", help="Name this sending, to go on with it later: jobs that exist are not reset.")
def main(shell: Shell, file: Path, scorecard: Path, scores: tuple[str, ...], run: str) -> Enqueued:
    """Write the records of the jobs for each item of FILE (CSV or JSONL), and send them to the request queue."""
    items, card, run = read_items(file), read_card(scorecard), run or uuid.uuid4().hex[:12]
    names = card.names(scores)
    counts = Enqueued(run, len(items) * len(names), tuple(names), len(items), 0, "would send")
    if shell.dry_run:
        return counts
    shell.confirm(f"Sends {counts.jobs} jobs to {shell.stage.queues.request}.")
    jobs = seed(shell.aws, card, items, names, run)
    send(shell.aws, [body(job.id) for job in jobs])
    return Enqueued(run, len(jobs), tuple(names), len(items), 0)


if __name__ == "__main__":
    main()
