"""Many jobs while environments are killed, messages come twice, poison comes in and calls fail; then all is read.

python -m tests.faults.soak [--jobs 2000] [--seconds 600] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from scripts import _scenario, _tables, enqueue
from scripts._items import Item
from tests.faults.stage import TEXT, Faulty, real_stage, set_queue, violations

ENVIRONMENTS = 8
KILLED, TWICE, POISON, ERRORS = 0.05, 0.05, 0.02, 0.05
BATCH = 10
CALLS = ("dynamodb.UpdateItem", "dynamodb.BatchGetItem", "dynamodb.TransactWriteItems", "sqs.SendMessageBatch")
VISIBILITY_S = 15
SHOWN = 20


@dataclass(frozen=True)
class Soaked:
    """What was done to how many jobs, and what does not hold afterwards; times in seconds."""

    seed: int
    jobs: int
    twice: int
    poison: int
    killed: int
    faults: int
    responses: int
    distinct: int
    dead_letters: int
    seconds: float
    broken: tuple[str, ...]

    def table(self) -> str:
        """The counts, one a line."""
        names = {
            "jobs": self.jobs,
            "messages sent twice": self.twice,
            "poison messages": self.poison,
            "environments killed": self.killed,
            "calls that failed": self.faults,
            "responses": self.responses,
            "distinct responses": self.distinct,
            "dead letters": self.dead_letters,
            "violations": len(self.broken),
        }
        lines = [f"{name:21}{value:>8}" for name, value in names.items()]
        return "\n".join(
            [*lines, f"{'seconds':21}{self.seconds:>8.1f}   ({self.jobs / self.seconds:.1f} jobs a second)"]
        )


def soak(stage: Faulty, jobs: int, limit_s: float, seed: int, say: Any = lambda _: None) -> Soaked:
    """Run the whole; raises nothing for a violation, which is in the answer."""
    chance = random.Random(seed)
    stage.forget()
    items = [Item(uuid.UUID(int=chance.getrandbits(128)).hex, f"{TEXT} {number}", {}) for number in range(jobs)]
    stage.jobs += [job.id for job in enqueue.seed(stage.aws, stage.card, items, ["Mentions Refund"])]
    twice, poison = chance.sample(stage.jobs, round(TWICE * jobs)), [f"poison {n}" for n in range(round(POISON * jobs))]
    bodies = [*map(enqueue.body, [*stage.jobs, *twice]), *poison]
    chance.shuffle(bodies)
    set_queue(stage.aws, VisibilityTimeout=str(VISIBILITY_S), RedrivePolicy=_patient(stage))
    rules = _errors(chance, jobs)
    stage.faults(*rules)
    began = time.monotonic()
    stage.send(bodies)
    _scenario.switch_event_source(stage.aws, enabled=True)
    try:
        killed = _disturb(stage, chance, jobs, began + limit_s, say)
    finally:
        _scenario.switch_event_source(stage.aws, enabled=False)
    seconds = time.monotonic() - began
    used = sum(rule["times"] == 0 for rule in stage.left())
    stage.faults()
    return _verdict(stage, seed, (len(twice), poison, killed, used), seconds)


def _patient(stage: Faulty) -> str:
    """A redrive policy under which only the worker sends messages away: kills count as receives too."""
    sqs, names = stage.aws.client("sqs"), stage.aws.stage.queues
    url = stage.aws.queue_url(names.request)
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    return json.dumps({**json.loads(policy), "maxReceiveCount": 1000})


def _errors(chance: random.Random, jobs: int) -> list[dict[str, Any]]:
    """Transient errors at random calls: half of them before the call has an effect, half after."""
    kinds = ({"code": "ThrottlingException"}, {"when": "after", "status": 500})
    return [
        {"operation": chance.choice(CALLS), "skip": chance.randrange(20), **chance.choice(kinds)}
        for _ in range(round(ERRORS * jobs))
    ]


def _disturb(stage: Faulty, chance: random.Random, jobs: int, end: float, say: Any) -> int:
    """Kill an environment now and then until the queue is empty; how many were killed."""
    planned, killed = max(1, round(KILLED * jobs / BATCH)), 0
    at = sorted(chance.uniform(0.05, 0.9) for _ in range(planned))
    while True:
        left = stage.depth()
        done = 1 - left / (jobs * (1 + TWICE + POISON))
        if killed < planned and done >= at[killed] and (alive := stage.environments()):
            killed += stage.kill(chance.choice(alive)["id"])
        say(f"{left} messages left, {killed} of {planned} environments killed")
        if not left:
            return killed
        if time.monotonic() > end:
            return killed
        time.sleep(0.25)


def _verdict(stage: Faulty, seed: int, done: tuple[int, list[str], int, int], seconds: float) -> Soaked:
    """Read every table and queue."""
    twice, poison, killed, used = done
    letters, responses = stage.letters(), stage.responses()
    results = _tables.scan(stage.aws, "ScoreResult")
    broken = violations(stage.jobs, stage.records("ScoringJob"), results, stage.records("Outbox"), responses)
    found = Counter(letter.body for letter in letters)
    broken += [f"{body!r} is not in the dead-letter queue" for body in poison if not found[body]]
    broken += [f"{body!r} is a dead letter" for body in found if body not in poison]
    broken += [f"{letter.id} has no reason" for letter in letters if not letter.reason]
    broken += [f"{left} messages are left in the request queue"] if (left := stage.depth()) else []
    return Soaked(
        seed=seed,
        jobs=len(stage.jobs),
        twice=twice,
        poison=len(poison),
        killed=killed,
        faults=used,
        responses=len(responses),
        distinct=len(set(responses)),
        dead_letters=len(letters),
        seconds=seconds,
        broken=tuple(broken),
    )


def main() -> int:
    """Command line: 0 all holds, 1 something does not, 130 interrupted."""
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
        with real_stage("soak") as stage:
            done = soak(stage, options.jobs, options.seconds, seed, say)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"\r\x1b[K{done.table()}" if terminal else done.table())
    for line in done.broken[:SHOWN]:
        print(f"BROKEN  {line}")
    return 1 if done.broken else 0


if __name__ == "__main__":
    sys.exit(main())
