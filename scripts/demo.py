"""The whole job on one machine: build, local AWS, push, deploy, score the examples, show what came of it.

python -m scripts.demo
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from . import _page, _scenario, _show, _tables, configure, deploy, enqueue, infra, push
from ._aws import ROOT, Aws, clients
from ._command import FAILED, Shell, verb
from ._errors import OperationFailed
from ._image import LocalImage, local_image
from ._items import read_items
from ._page import Report, Step
from ._progress import Progress
from ._scenario import Ways
from ._seed import Job, read_card
from ._text import megabytes
from .invoke import Answer

CARD = ROOT / "examples" / "scorecards" / "reviews.yaml"
TRAINED = ROOT / "build" / "reviews.yaml"
ITEMS = ROOT / "examples" / "items" / "items.csv"
PAGE = ROOT / "build" / "demo.html"

T = TypeVar("T")


@dataclass
class Demo:
    """What the steps so far have made; `steps` is told on the page."""

    shell: Shell
    steps: list[Step] = field(default_factory=list)
    answer: Answer | None = None

    def step(self, name: str, action: Callable[[], T], said: Callable[[T], str]) -> T:
        """Do one step: say what begins, and in one line what came of it."""
        console = self.shell.console
        console.print(f"{len(self.steps) + 1}. {name}", style="bold", markup=False)
        began = time.monotonic()
        result = action()
        done = Step(name, time.monotonic() - began, said(result))
        self.steps.append(done)
        console.print(f"   {done.said} ({done.seconds:.1f} s)", markup=False)
        return result


def run(*command: str) -> None:
    """Run one of the project's own commands, its output as it comes; OperationFailed when it fails."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise OperationFailed(f"python {' '.join(command)} ended with {done.returncode}", "its message is above")


def build_image(demo: Demo) -> LocalImage:
    """Build, and read back what was built."""

    def action() -> LocalImage:
        run("nix/build.py")
        return local_image()

    return demo.step(
        "Build the image",
        action,
        lambda image: f"{image.digest}, {len(image.layers)} layers, {megabytes(image.size)}",
    )


def start_local_aws(demo: Demo) -> Any:
    """Start the local AWS, or find it running."""
    from local_aws import control

    return demo.step(
        "Start the local AWS",
        control.start,
        lambda instance: f"{instance.endpoint}, registry {instance.registry}, functions in {instance.engine}",
    )


def create_resources(demo: Demo, aws: Aws) -> None:
    """Create the stacks; the function's waits for an image the first time."""
    demo.step(
        "Create the resources through CloudFormation",
        lambda: infra.deploy(aws),
        lambda done: ", ".join(f"{outcome.stack} {outcome.action}" for outcome in done),
    )


def ship(demo: Demo, aws: Aws, image: LocalImage) -> None:
    """Push what the registry lacks, create the function where it is new, deploy by digest, configure."""
    demo.step(
        "Push the image",
        lambda: push.push(aws, image, progress=Progress()),
        lambda done: (
            f"{done.action}: {megabytes(done.sent_bytes)} of {megabytes(done.total_bytes)} to {done.image_uri}"
        ),
    )
    demo.step(
        "Create the function",
        lambda: infra.deploy(aws),
        lambda done: ", ".join(f"{outcome.stack} {outcome.action}" for outcome in done if "function" in outcome.stack),
    )
    demo.step(
        "Deploy by digest",
        lambda: deploy.deploy(aws, image.digest, commit=image.revision),
        lambda done: f"{done.action}: {aws.stage.function.alias} names version {done.version}",
    )
    demo.step(
        "Configure",
        lambda: configure.configure(aws),
        lambda done: f"{done.action}: {aws.stage.function.timeout_s} s, {aws.stage.function.memory_mb} MB",
    )


def prepare_jobs(demo: Demo, aws: Aws) -> list[Job]:
    """Train the scores that are trained, publish what they learned, and write the jobs' records."""

    def action() -> list[Job]:
        run("-m", "plexus", "train", str(CARD), "--write", str(TRAINED))
        return enqueue.seed(aws, read_card(TRAINED), read_items(ITEMS))

    return demo.step(
        "Train, publish the artifacts, write the jobs",
        action,
        lambda jobs: (
            f"{len(jobs)} jobs: {len({job.item.id for job in jobs})} items, {len({job.score for job in jobs})} scores"
        ),
    )


def score_examples(demo: Demo, aws: Aws, jobs: Sequence[str]) -> Ways:
    """Bring the jobs in by every way, deliver two of them twice, and add a poison."""
    names = aws.stage.queues
    ways = _scenario.divide(jobs)
    _scenario.switch_event_source(aws, enabled=False)
    for name in (names.request, names.response, names.request_dead_letters):
        _scenario.receive(aws, aws.queue_url(name))
    demo.answer = demo.step(
        "One job by the manual poll, as make invoke does",
        lambda: _scenario.poll(aws, ways.poll),
        lambda answer: _show.reported(answer.report),
    )
    demo.step(
        f"{len(ways.fan_out)} jobs by fan-out",
        lambda: _scenario.fan_out(aws, ways.fan_out),
        lambda _: "each in an invocation of its own",
    )
    demo.step(
        f"{len(ways.event_source)} jobs through the event source, two duplicates and a poison",
        lambda: _scenario.through_event_source(aws, ways),
        lambda _: "the request queue is empty, the poison is a dead letter",
    )
    return ways


def collect(demo: Demo, aws: Aws, image: LocalImage, engine: str, jobs: Sequence[Job], ways: Ways) -> Report:
    """Read back what the tables, the queues and the log hold now."""
    ids = [job.id for job in jobs]
    records = {table: _tables.scan(aws, table) for table in ("ScoringJob", "ScoreResult", "Outbox")}
    records = {table: [row for row in rows if _scenario.job_of(table, row) in ids] for table, rows in records.items()}
    names = aws.stage.queues
    responses = tuple(
        json.loads(message["Body"])["score_result_id"]
        for message in _scenario.receive(aws, aws.queue_url(names.response))
    )
    letters = _scenario.dead_letters(aws, aws.queue_url(names.request_dead_letters))
    waiting = _scenario.depth(aws, aws.queue_url(names.request))
    built = json.loads((ROOT / "build" / "image.json").read_text(encoding="utf-8"))
    return Report(
        digest=image.digest,
        revision=image.revision,
        size=built["size"],
        unpacked_size=built["unpacked_size"],
        layers=tuple((layer["name"], layer["size"], layer["unpacked_size"]) for layer in built["layers"]),
        engine=engine,
        steps=tuple(demo.steps),
        rows=_scenario.rows(jobs, ways, records),
        responses=responses,
        dead_letters=letters,
        checks=_scenario.checks(ids, records, responses, letters, waiting),
        invocation=_show.invocation(demo.answer.report if demo.answer else None),
        log=_show.last_lines(aws),
    )


def whole_job(demo: Demo) -> Report:
    """Every step, from the pinned inputs to what the tables and queues hold at the end."""
    image = build_image(demo)
    instance = start_local_aws(demo)
    aws = clients(demo.shell.stage, instance.endpoint)
    create_resources(demo, aws)
    ship(demo, aws, image)
    jobs = prepare_jobs(demo, aws)
    ways = score_examples(demo, aws, [job.id for job in jobs])
    return demo.step(
        "Read everything back",
        lambda: collect(demo, aws, image, instance.engine, jobs, ways),
        lambda found: (
            f"{len(found.rows)} results, {len(found.responses)} responses, {len(found.dead_letters)} dead letter"
        ),
    )


@contextlib.contextmanager
def ended_when_interrupted(shell: Shell) -> Iterator[None]:
    """On Ctrl-C end the local AWS, unless it ran before: who stops a demo wants none of it left."""
    from local_aws import control

    ran_before = control.find() is not None
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop the cleaning up
        if not ran_before and control.stop():
            shell.say("ended the local AWS that the demo had started")
        raise


@verb()
def main(shell: Shell) -> int:
    """Do the whole job on this machine: build, local AWS, push, deploy, score the examples, show what came of it."""
    if shell.endpoint_url:
        raise click.UsageError("the demo starts a local AWS of its own: leave --endpoint-url out")
    if not shell.stage.is_local:
        raise OperationFailed(f"the demo acts on the local stage, not on {shell.stage.name}", "make demo STAGE=local")
    began = time.monotonic()
    with ended_when_interrupted(shell):
        report = whole_job(Demo(shell))
    path = _page.write(report, PAGE)
    _show.show(shell.console, report, time.monotonic() - began)
    shell.console.print(f"report: {path}", markup=False)
    return 0 if all(check.holds for check in report.checks) else FAILED


if __name__ == "__main__":
    main()
