"""Processes many jobs while environments are killed, messages are duplicated or poison, and calls fail; then verifies.

python -m tests.faults.soak [--jobs 2000] [--seconds 600] [--seed N]

One job in a hundred needs more memory than the function has, so that it ends its process every time. A quarter of the
poison messages have 1 MiB. Half of all poison comes first, so that whole batches are poison. One job in a hundred is in
a hot partition: its first writes are throttled, as are the transactions that it shares. One in ten comes through a FIFO
queue, whose groups must keep their order.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.aws import dynamodb, event_source
from scripts.jobs import sending
from scripts.jobs.item_files import Item
from tests.faults.disturbances import (
    BATCH,
    VISIBILITY_S,
    Watched,
    create_killers,
    group,
    mapped_fifo,
    patient_policy,
    throttle_transactions,
    transient_errors,
)
from tests.faults.stage import SCORE, TEXT, Faulty, real_stage, set_queue, violations

ENVIRONMENTS = 8
KILLED, TWICE, POISON, KILLERS, HOT, ORDERED = 0.05, 0.05, 0.02, 0.01, 0.01, 0.1
HOTTEST = 40  # jobs; each rule of the fault point is compared with each call
MEMORY_MB = 256
POISON_BYTES = 1_048_576
REASON = "EndedProcesses: the scoring job ended its process "
MOST_LINES = 20


@dataclass(frozen=True)
class Soaked:
    """The numbers of jobs and faults, and the violations found afterwards; times are in seconds."""

    seed: int
    jobs: int
    twice: int
    poison: int
    killers: int
    killed: int
    faults: int
    hot: int
    ordered: int
    responses: int
    distinct: int
    dead_letters: int
    lags: tuple[float, ...]  # from each result to its first response, sorted
    memory: tuple[int, int]  # of the median environment in the first and in the last quarter of the time, MB
    seconds: float
    broken: tuple[str, ...]

    def table(self) -> str:
        """Format the counts, one per line."""
        names = {
            "jobs": self.jobs,
            "messages sent twice": self.twice,
            "poison messages": self.poison,
            "jobs that end their process": self.killers,
            "environments killed": self.killed,
            "calls that failed": self.faults,
            "jobs in hot partitions": self.hot,
            "jobs of a FIFO queue": self.ordered,
            "responses": self.responses,
            "distinct responses": self.distinct,
            "dead letters": self.dead_letters,
            "violations": len(self.broken),
        }
        lines = [f"{name:28}{value:>8}" for name, value in names.items()]
        for name, share in (("half", 0.5), ("99 %", 0.99), ("all", 1.0)):
            lag = self.lags[max(0, round(share * len(self.lags)) - 1)] if self.lags else 0.0
            lines.append(f"{f'seconds to answer {name}':28}{lag:>8.1f}")
        for name, most in zip(("first", "last"), self.memory, strict=True):
            lines.append(f"{f'MB, {name} quarter':28}{most:>8}")
        return "\n".join(
            [*lines, f"{'seconds':28}{self.seconds:>8.1f}   ({self.jobs / self.seconds:.1f} jobs a second)"]
        )


def soak(stage: Faulty, jobs: int, limit_s: float, seed: int, say: Any = lambda _: None) -> Soaked:
    """Run the soak test; violations are in the report, and not raised."""
    chance = random.Random(seed)
    stage.forget()
    items = [Item(uuid.UUID(int=chance.getrandbits(128)).hex, f"{TEXT} {number}", {}) for number in range(jobs)]
    stage.jobs += [job.id for job in sending.seed(stage.aws, stage.card, items, [SCORE])]
    poison = [f"poison {n}".ljust(0 if n % 4 else POISON_BYTES, "x") for n in range(round(POISON * jobs))]
    fatal = create_killers(stage, round(KILLERS * jobs))
    groups = chance.sample(stage.jobs, round(ORDERED * jobs))
    ordered = set(groups)
    plain = [job for job in stage.jobs if job not in ordered]
    twice = chance.sample(plain, round(TWICE * jobs))  # a second message on another queue knows no order
    hot = chance.sample(stage.jobs, min(HOTTEST, round(HOT * jobs)))
    storm, later = poison[: len(poison) // 2], poison[len(poison) // 2 :]
    bodies = [*map(sending.create_body, [*plain, *twice, *fatal]), *(each for each in later if len(each) < 1000)]
    chance.shuffle(bodies)
    set_queue(stage.aws, VisibilityTimeout=str(VISIBILITY_S), RedrivePolicy=patient_policy(stage))
    for large in (each for each in poison if len(each) >= 1000):
        stage.send([large])  # a batch of messages has at most 1 MiB, too
    stage.send([each for each in storm if len(each) < 1000])
    stage.send(bodies)
    with mapped_fifo(stage) as queue:
        for start in range(0, len(groups), BATCH):
            part = groups[start : start + BATCH]
            queue.send(list(map(sending.create_body, part)), [group(start + n) for n in range(len(part))])
        errors = transient_errors(chance, jobs)
        stage.faults(*errors, *throttle_transactions(hot))  # for the worker's calls, and not for those above
        began = time.monotonic()
        event_source.switch_event_source(stage.aws, enabled=True)
        watched = Watched(stage, queue.url)
        try:
            killed = _disturb(watched, chance, jobs, began + limit_s, say)
        finally:
            event_source.switch_event_source(stage.aws, enabled=False)
        seconds = time.monotonic() - began
        used = sum(rule["times"] == 0 for rule in stage.list_faults()[: len(errors)])
        stage.faults()
        counts = Counts(len(twice), killed, used, len(hot), watched.memory())
        return _verdict(stage, seed, counts, (poison, fatal, groups), seconds)


@dataclass(frozen=True)
class Counts:
    """What was done beside the messages; `memory` as in Soaked."""

    twice: int
    killed: int
    faults: int
    hot: int
    memory: tuple[int, int]


def _disturb(watched: Watched, chance: random.Random, jobs: int, end: float, say: Any) -> int:
    """Kill environments at random times until the queue is empty; returns how many were killed."""
    planned, killed, stage = max(1, round(KILLED * jobs / BATCH)), 0, watched.stage
    at = sorted(chance.uniform(0.05, 0.9) for _ in range(planned))
    while True:
        left = watched.depth()
        done = 1 - left / (jobs * (1 + TWICE + POISON))
        if killed < planned and done >= at[killed] and (alive := stage.environments()):
            killed += stage.kill(chance.choice(alive)["id"])
        say(f"{left} messages left, {killed} of {planned} environments killed")
        if not left:
            return killed
        if time.monotonic() > end:
            return killed
        time.sleep(0.25)


def _answers(stage: Faulty) -> list[tuple[str, float]]:
    """Empty the response queue; returns each score_result_id with the time when it was sent, in Unix seconds."""
    client, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.response)
    results: list[tuple[str, float]] = []
    while got := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=BATCH, MessageSystemAttributeNames=["SentTimestamp"]
    ).get("Messages", []):
        for message in got:
            sent = int(message["Attributes"]["SentTimestamp"]) / 1000
            results.append((json.loads(message["Body"])["score_result_id"], sent))
        entries: Any = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(got)]
        client.delete_message_batch(QueueUrl=url, Entries=entries)
    return results


def _lags(results: list[dict[str, Any]], answers: list[tuple[str, float]]) -> tuple[float, ...]:
    """Return the seconds from each result to its first response, sorted."""
    first: dict[str, float] = {}
    for result, at in sorted(answers, key=lambda answer: -answer[1]):
        first[result] = at
    created = {one["id"]: datetime.fromisoformat(one["createdAt"]).timestamp() for one in results}
    return tuple(sorted(at - created[result] for result, at in first.items() if result in created))


def _disorder(groups: Sequence[str], completed: dict[str, str]) -> list[str]:
    """Return the jobs of a FIFO queue that were completed before an earlier one of their group."""
    last: dict[str, str] = {}
    broken: list[str] = []
    for number, job in enumerate(groups):
        if completed.get(job, "") < last.get(group(number), ""):
            broken.append(f"{job} was completed before an earlier job of {group(number)}")
        last[group(number)] = completed.get(job, "")
    return broken


def _verdict(
    stage: Faulty, seed: int, counts: Counts, sent: tuple[list[str], list[str], list[str]], seconds: float
) -> Soaked:
    """Read every table and queue, and return the report."""
    poison, killers, groups = sent
    answers = _answers(stage)
    letters, responses = stage.letters(), [result for result, _ in answers]
    results = dynamodb.scan(stage.aws, "ScoreResult")
    broken = violations(stage.jobs, stage.records("ScoringJob"), results, stage.records("Outbox"), responses)
    actual = Counter(letter.body for letter in letters)
    expected = [*poison, *map(sending.create_body, killers)]
    broken += [f"{body[:60]!r} is not in the dead-letter queue" for body in expected if not actual[body]]
    broken += [f"{body[:60]!r} is a dead letter" for body in actual if body not in expected]
    jobs = dynamodb.scan(stage.aws, "ScoringJob")
    reasons = {one["id"]: str(one.get("errorMessage")) for one in jobs}
    broken += _disorder(groups, {one["id"]: str(one.get("completedAt") or "") for one in jobs})
    broken += [f"{job} has the reason {reasons[job]}" for job in killers if not reasons[job].startswith(REASON)]
    broken += [f"{letter.id} has no reason" for letter in letters if not letter.reason and letter.has_room]
    broken += [f"{left} messages are left in the request queue"] if (left := stage.depth()) else []
    return Soaked(
        seed=seed,
        jobs=len(stage.jobs),
        twice=counts.twice,
        poison=len(poison),
        killers=len(killers),
        killed=counts.killed,
        faults=counts.faults,
        hot=counts.hot,
        ordered=len(groups),
        responses=len(responses),
        distinct=len(set(responses)),
        dead_letters=len(letters),
        lags=_lags(results, answers),
        memory=counts.memory,
        seconds=seconds,
        broken=tuple(broken),
    )


def main() -> int:
    """Run from the command line; returns 1 if there are violations, 130 if interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=600, help="end, and count what is left as lost, after so long")
    parser.add_argument("--seed", type=int, default=None, help="of everything random (default: a new one)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    terminal = sys.stderr.isatty()

    def say(text: str) -> None:
        if terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    print(f"soak of {options.jobs} jobs, seed {seed}", flush=True)
    try:
        with real_stage("soak", MEMORY_MB) as stage:
            done = soak(stage, options.jobs, options.seconds, seed, say)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"\r\x1b[K{done.table()}" if terminal else done.table())
    for line in done.broken[:MOST_LINES]:
        print(f"BROKEN  {line}")
    return 1 if done.broken else 0


if __name__ == "__main__":
    sys.exit(main())
