"""The whole job on one machine: build, local AWS, push, deploy, score the examples, show what came of it.

python -m scripts.demo
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from . import _page, _scenario, configure, deploy, infra, invoke, logs, push
from ._aws import ROOT, Aws, clients
from ._command import Shell, verb
from ._errors import OperationFailed
from ._image import LocalImage, local_image
from ._page import DeadLetter, Report, Row, Step
from ._progress import Progress
from ._text import megabytes

CARD = ROOT / "examples" / "scorecards" / "reviews.yaml"
ITEMS = ROOT / "examples" / "items" / "items.csv"
TRAINING = ROOT / "examples" / "items" / "train.csv"
PAGE = ROOT / "build" / "demo.html"
LOG_LINES = 14

T = TypeVar("T")


@dataclass
class Demo:
    """What the steps so far have made; `steps` is told on the page."""

    shell: Shell
    steps: list[Step] = field(default_factory=list)

    def step(self, name: str, action: Callable[[], T], said: Callable[[T], str]) -> T:
        """Do one step: say what begins, and in one line what came of it."""
        self.shell.console.print(f"[bold]{name}[/bold]")
        began = time.monotonic()
        result = action()
        self.steps.append(Step(name, time.monotonic() - began, said(result)))
        self.shell.console.print(f"  {self.steps[-1].said}  [dim]{self.steps[-1].seconds:.1f} s[/dim]")
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
        lambda done: f"{done.action}: {megabytes(done.sent_bytes)} of {megabytes(done.total_bytes)} to {done.image_uri}",
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


def score_examples(demo: Demo, aws: Aws, jobs: Sequence[str]) -> Ways:
    """Bring the jobs in by every way, deliver two of them twice, and add a poison."""
    names = aws.stage.queues
    request = aws.queue_url(names.request)
    ways = _scenario.divide(jobs)
    _scenario.switch_event_source(aws, enabled=False)
    for name in (names.request, names.response, names.request_dead_letters):
        _scenario.receive(aws, aws.queue_url(name))
    demo.answer = demo.step(
        "One job by the manual poll (make invoke)",
        lambda: _scenario.poll(aws, request, ways.poll),
        lambda answer: str(answer.report) if answer.report else "no report",
    )
    demo.step(
        f"{len(ways.fan_out)} jobs by fan-out",
        lambda: _scenario.fan_out(aws, request, ways.fan_out),
        lambda _: "each in an invocation of its own",
    )
    demo.step(
        f"{len(ways.event_source)} jobs through the event source, two duplicates and a poison",
        lambda: _scenario.through_event_source(aws, request, ways),
        lambda _: "the request queue is empty, the poison is a dead letter",
    )
    return ways
