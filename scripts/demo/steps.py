"""The steps of the demo: build, local AWS, resources, push, deploy, configure, score, and read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..aws import dynamodb, event_source, queues, resources
from ..aws.clients import Aws, create_clients
from ..aws.invocation import Invocation
from ..checkout import ROOT
from ..checkout.layout import LocalImage, read_local_image
from ..command.shell import Shell
from ..console.errors import OperationFailed
from ..console.progress import show_bytes
from ..console.text import format_megabytes
from ..images import push
from ..jobs import sending
from ..jobs.item_files import read_items
from ..jobs.seeding import Job, read_card
from ..release import configuration, deployment
from . import scenario, summary
from .report_page import Report, Step
from .scenario import Deliveries

CARD = ROOT / "examples" / "scorecards" / "reviews.yaml"
TRAINED = ROOT / "build" / "reviews.yaml"
ITEMS = ROOT / "examples" / "items" / "items.csv"
GRACE_S = 10.0

T = TypeVar("T")


@dataclass
class Demo:
    """The state of a running demo; the report lists its `steps`."""

    shell: Shell
    steps: list[Step] = field(default_factory=list)
    answer: Invocation | None = None

    def step(self, name: str, action: Callable[[], T], describe: Callable[[T], str]) -> T:
        """Print the step's name, call `action`, and print its result, formatted by `describe`, and its duration.

        A step that raises has no duration and is not in the report.
        """
        console = self.shell.console
        console.print(f"{len(self.steps) + 1}. {name}", style="bold", markup=False)
        began = time.monotonic()
        result = action()
        done = Step(name, time.monotonic() - began, describe(result))
        self.steps.append(done)
        console.print(f"   {done.summary} ({done.seconds:.1f} s)", markup=False)
        return result


def run(*command: str) -> None:
    """Run a command of this project with its output passed through. If it fails, exit with its status.

    The command has printed the reason, so nothing is added to it. Ctrl-C reaches the command, too: it is blocked until
    the command handles it (`nix.command`), and raised here once the command has cleaned up.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with subprocess.Popen([sys.executable, *command], cwd=ROOT) as process:
            status = _wait(process, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if status == 130:
        raise KeyboardInterrupt
    if status:
        raise SystemExit(status)


def _wait(process: subprocess.Popen[bytes], mask: set[signal.Signals | int]) -> int:
    """Wait with that signal mask; after an interruption, which may be this process's alone, end the command."""
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        raise


def fetch_inputs(demo: Demo) -> None:
    """Fetch everything that the later steps need: from then on they work without a network."""
    from local_aws import sysroot
    from nix import inputs
    from nix.clients.package_clients import EnvironmentProblem
    from nix.command import describe_os_error
    from nix.environments import install_site
    from nix.pins import InputProblem

    def action() -> None:
        try:
            inputs.fetch(("image", "local-aws"))
            if not os.environ.get("LOCAL_AWS_SITE"):
                install_site("local-aws", sysroot.PYTHON)
        except (InputProblem, EnvironmentProblem) as problem:
            raise OperationFailed(str(problem)) from None
        except OSError as problem:
            raise OperationFailed(describe_os_error(problem)) from None

    demo.step("Fetch the pinned inputs", action, lambda _: "all of them are in the cache")


def build_image(demo: Demo) -> LocalImage:
    """Build the image and read its layout."""

    def action() -> LocalImage:
        run("-m", "nix.build")
        return read_local_image()

    return demo.step(
        "Build the image",
        action,
        lambda image: f"{image.digest}, {len(image.layers)} layers, {format_megabytes(image.size)}",
    )


def start_local_aws(demo: Demo) -> Any:
    """Start the local AWS unless it runs."""
    from local_aws import control
    from local_aws.status import describe_guarantees

    def describe(instance: Any) -> str:
        isolation = f": {describe_guarantees(instance)}" if instance.engine == "plain" else ""
        return f"{instance.endpoint}, registry {instance.registry}, engine {instance.engine}{isolation}"

    return demo.step("Start the local AWS", control.start, describe)


def create_resources(demo: Demo, aws: Aws) -> None:
    """Create the stacks; the function's stack waits for an image."""
    demo.step(
        "Create the resources through CloudFormation",
        lambda: resources.deploy(aws),
        lambda done: ", ".join(f"{outcome.stack} {outcome.action}" for outcome in done),
    )


def ship(demo: Demo, aws: Aws, image: LocalImage) -> None:
    """Push the image, create the function if it does not exist, deploy by digest, and configure."""
    demo.step(
        "Push the image",
        lambda: push.push(aws, image, progress=show_bytes),
        lambda done: (
            f"{done.action} {format_megabytes(done.sent_bytes)} of {format_megabytes(done.total_bytes)} "
            f"to {done.image_uri}"
        ),
    )
    demo.step(
        "Create the function",
        lambda: resources.deploy(aws),
        lambda done: ", ".join(f"{outcome.stack} {outcome.action}" for outcome in done if "function" in outcome.stack),
    )
    demo.step(
        "Deploy by digest",
        lambda: deployment.deploy(aws, image.digest, commit=image.revision),
        lambda done: f"{done.action}: alias {aws.stage.function.alias} points at version {done.version}",
    )
    demo.step(
        "Configure",
        lambda: configuration.configure(aws),
        lambda done: (
            f"{done.action}: timeout {aws.stage.function.timeout_s} s, memory {aws.stage.function.memory_mb} MB"
        ),
    )


def prepare_jobs(demo: Demo, aws: Aws) -> list[Job]:
    """Train the scores, publish their artifacts, and write the jobs' records."""

    def action() -> list[Job]:
        run("-m", "plexus", "train", str(CARD), "--write", str(TRAINED))
        return sending.seed(aws, read_card(TRAINED), read_items(ITEMS))

    return demo.step(
        "Train the scorecard, publish its artifacts, write the jobs",
        action,
        lambda jobs: (
            f"{len(jobs)} jobs: {len({job.item.id for job in jobs})} items, {len({job.score for job in jobs})} scores"
        ),
    )


def score_examples(demo: Demo, aws: Aws, jobs: Sequence[str]) -> Deliveries:
    """Deliver the jobs in every way, two of them twice, and add a poison message.

    The three queues are emptied first: an earlier demo may have been interrupted. The event source is off until its
    own step, or it would take the messages of the others.
    """
    names = aws.stage.queues
    deliveries = scenario.divide(jobs)
    event_source.switch_event_source(aws, enabled=False)
    for name in (names.request, names.response, names.request_dead_letters):
        queues.receive(aws, aws.queue_url(name))
    demo.answer = demo.step(
        "Score 1 job by manual poll, as make invoke does",
        lambda: scenario.poll(aws, deliveries.poll),
        lambda answer: summary.format_report(answer.report),
    )
    demo.step(
        f"Score {len(deliveries.fan_out)} jobs by fan-out",
        lambda: scenario.fan_out(aws, deliveries.fan_out),
        lambda _: "one invocation for each job",
    )
    demo.step(
        f"Score {len(deliveries.event_source)} jobs by event source, with 2 duplicates and a poison message",
        lambda: scenario.send_through_event_source(aws, deliveries),
        lambda _: "the request queue is empty; the poison message is a dead letter",
    )
    return deliveries


def collect(
    demo: Demo, aws: Aws, image: LocalImage, engine: str, jobs: Sequence[Job], deliveries: Deliveries
) -> Report:
    """Read the tables, the queues and the log.

    Deletes the responses that it reads; dead letters stay, to be looked at.
    """
    ids = [job.id for job in jobs]
    records = {table: dynamodb.scan(aws, table) for table in ("ScoringJob", "ScoreResult", "Outbox")}
    records = {table: [row for row in rows if scenario.find_job(table, row) in ids] for table, rows in records.items()}
    names = aws.stage.queues
    responses = tuple(
        json.loads(message["Body"])["score_result_id"] for message in queues.receive(aws, aws.queue_url(names.response))
    )
    letters = scenario.read_dead_letters(aws, aws.queue_url(names.request_dead_letters))
    waiting = queues.count_messages(aws, aws.queue_url(names.request))
    built = json.loads((ROOT / "build" / "image.json").read_text(encoding="utf-8"))
    return Report(
        digest=image.digest,
        revision=image.revision,
        size=built["size"],
        unpacked_size=built["unpacked_size"],
        layers=tuple((layer["name"], layer["size"], layer["unpacked_size"]) for layer in built["layers"]),
        engine=engine,
        steps=tuple(demo.steps),
        rows=scenario.list_rows(jobs, deliveries, records),
        responses=responses,
        dead_letters=letters,
        checks=scenario.list_checks(ids, records, responses, letters, waiting),
        invocation=summary.parse_invocation(demo.answer.report if demo.answer else None),
        log=summary.read_last_lines(aws),
    )


def run_demo(demo: Demo) -> Report:
    """Run every step and return the report.

    The first step that fails is raised; what earlier steps did stays, and the next demo continues from it.
    """
    fetch_inputs(demo)
    image = build_image(demo)
    instance = start_local_aws(demo)
    aws = create_clients(demo.shell.stage, instance.endpoint)
    create_resources(demo, aws)
    ship(demo, aws, image)
    jobs = prepare_jobs(demo, aws)
    deliveries = score_examples(demo, aws, [job.id for job in jobs])
    return demo.step(
        "Read the results",
        lambda: collect(demo, aws, image, instance.engine, jobs, deliveries),
        lambda report: (
            f"{len(report.rows)} results, {len(report.responses)} responses, {len(report.dead_letters)} dead letter"
        ),
    )
