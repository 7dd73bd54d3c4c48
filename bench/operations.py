"""Pushes beside skopeo's, a deploy split into its waits, and the time from an edit to its answer, in one run.

python bench/operations.py [--edits N] [--json]      (after make venv; skopeo from Debian, or its columns are empty)

Works in a clone of the repository with a local AWS of its own. Ours is whole commands, the start of Python and the
search for missing blobs included; skopeo copies the same layout to the same registry through a counting proxy.
Processor time is that of the commands and all that they start, not that of the local AWS.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measure import say, size

ROOT = Path(__file__).resolve().parents[1]

NAME = "bench-operations"
SMOKE = 'EVENT={"source":"smoke"}'
REQUEST = re.compile(rb"(?:GET|HEAD|PUT|POST|PATCH) \S+ HTTP/1\.1\r\n")


class Watch:
    """Measures from its creation: seconds, and the processor seconds of children that have finished since."""

    def __init__(self) -> None:
        self._began, self._spent = time.perf_counter(), _processor_seconds()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds since the creation."""
        return time.perf_counter() - self._began

    @property
    def processor(self) -> float:
        """Processor seconds of the children that have finished since the creation."""
        return _processor_seconds() - self._spent


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Push:
    """A push: wall-clock and processor seconds of the whole command, requests, and bytes sent."""

    seconds: float
    processor: float
    requests: int
    sent: int


@dataclass(frozen=True)
class Edit:
    """Wall-clock and processor seconds from an edit to its answer."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Row:
    """The same push by both tools; `skopeo` is None if it is not installed."""

    what: str
    ours: Push
    skopeo: Push | None


class Proxy:
    """Forwards connections to a loopback port, and counts requests and uploaded bytes."""

    def __init__(self, port: int) -> None:
        self.requests = self.sent = 0
        self._target = port
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for pair in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        while data := source.recv(1 << 18):
            if up:
                with self._lock:
                    self.sent += len(data)
                    self.requests += len(REQUEST.findall(data))
            target.sendall(data)
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """Stop accepting connections."""
        self._server.close()


@dataclass(frozen=True)
class Stage:
    """A clone of this repository, and the local AWS that it uses."""

    source: Path
    environment: dict[str, str]
    registry: str
    login: str

    def make(self, *targets: str) -> str:
        """Run make and return its output; raise SystemExit with the output if it fails."""
        done = subprocess.run(
            ["make", *targets], cwd=self.source, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"make {' '.join(targets)}: {done.stderr[-2000:] or done.stdout[-2000:]}")
        return done.stdout

    def push(self) -> Push:
        """Push the last build with `score-processor push`."""
        command = [str(ROOT / ".venv/bin/python"), "-m", "scripts", "push", "--json"]
        watch = Watch()
        done = subprocess.run(
            command, cwd=self.source, env=self.environment, capture_output=True, text=True, check=True
        )
        took, spent, output = watch.seconds, watch.processor, json.loads(done.stdout)
        return Push(took, spent, output["requests"], output["sent_bytes"])

    def copy(self) -> Push | None:
        """Copy the same layout with skopeo to another repository; None if skopeo is not installed."""
        if shutil.which("skopeo") is None:
            return None
        proxy = Proxy(int(self.registry.rpartition(":")[2]))
        target = f"docker://127.0.0.1:{proxy.port}/bench/skopeo:latest"
        options = ("-q", "--preserve-digests", "--dest-tls-verify=false", f"--dest-creds={self.login}")
        watch = Watch()
        subprocess.run(["skopeo", "copy", *options, f"oci:{self.source}/build/image", target], check=True)
        took, spent = watch.seconds, watch.processor
        proxy.close()
        return Push(took, spent, proxy.requests, proxy.sent)

    def edit(self, number: int) -> None:
        """Append a line to the handler's source."""
        with (self.source / "handler/app.py").open("a") as file:
            file.write(f"# edit {number}\n")


@contextmanager
def stage() -> Iterator[Stage]:
    """Yield a clone with a running local AWS; both are removed at the end."""
    import boto3

    with tempfile.TemporaryDirectory(prefix="score-processor-bench-") as folder:
        work = Path(folder)
        source = work / "source"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
        (source / ".venv").symlink_to(ROOT / ".venv")
        os.environ.update({"LOCAL_AWS_HOME": str(work / "aws"), "LOCAL_AWS_NAME": NAME})
        from local_aws import control

        running = control.start(NAME)
        try:
            session = boto3.session.Session("test", "test", region_name="us-west-2")
            client = session.client("ecr", endpoint_url=running.endpoint)
            client.create_repository(repositoryName="bench/skopeo")
            token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
            login = base64.b64decode(token).decode()
            yield Stage(source, {**os.environ, "STAGE": "local"}, running.registry, login)
        finally:
            control.stop(NAME)


def pushes(clone: Stage) -> Iterator[Row]:
    """Yield the pushes of the whole image, of an unchanged one, and of a changed layer of the handler."""
    say("build, create the stage's resources")
    clone.make("build", "infra-deploy")
    for what in ("everything", "an unchanged image"):
        say(f"push: {what}")
        yield Row(what, clone.push(), clone.copy())
    clone.edit(0)
    clone.make("build")
    say("push: a changed handler")
    yield Row("a changed handler", clone.push(), clone.copy())


def deploys(clone: Stage) -> dict[str, float]:
    """Deploy, then deploy a changed handler; return the seconds of the second deploy by step."""
    say("deploy")
    clone.make("infra-deploy", "deploy")
    clone.edit(1)
    clone.make("build", "push")
    began = time.perf_counter()
    output = clone.make("deploy")
    took = time.perf_counter() - began
    steps = {name: float(seconds) for name, seconds in re.findall(r"(\w+) (\d+\.\d+) s\b", output.splitlines()[-1])}
    return {**steps, "whole command": took}


def answers(clone: Stage, count: int) -> list[Edit]:
    """Time `count` edits, each from the change to the answer of the function that has it."""
    took = []
    for number in range(count):
        say(f"edit to answer: {number + 1} of {count}")
        clone.edit(2 + number)
        watch = Watch()
        clone.make("build", "push", "deploy", "invoke", SMOKE)
        took.append(Edit(watch.seconds, watch.processor))
    return took


def shares(clone: Stage) -> dict[str, float]:
    """Return the processor seconds of each command that an edit needs."""
    clone.edit(100)
    spent = {}
    for words in (("build",), ("push",), ("deploy",), ("invoke", SMOKE)):
        watch = Watch()
        clone.make(*words)
        spent[words[0]] = watch.processor
    return spent


def make_itself(clone: Stage) -> float:
    """Return the milliseconds that make takes to find four recipes, best of five."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        clone.make("-n", "build", "push", "deploy", "invoke")
        took.append(1000 * (time.perf_counter() - began))
    return min(took)


def page(rows: list[Row], steps: dict[str, float], edits: list[Edit], spent: dict[str, float], make_ms: float) -> str:
    """Format the results as Markdown."""
    head = "| push of | ours, s | skopeo, s | ratio | processor, s | requests | sent |"
    lines = [head, "|---|---:|---:|---:|---:|---:|---:|", *map(_line, rows)]
    took = [one.seconds for one in edits]
    least = min(one.processor for one in edits)
    lines += ["", f"Deploy of a changed handler: {_list(steps)}."]
    lines.append(f"Edit to answer: best {min(took):.2f} s of {', '.join(f'{one:.2f}' for one in took)} s.")
    lines.append(f"Processor time of an edit: least {least:.2f} s; alone {_list(spent)}.")
    lines.append(f"make itself: {make_ms:.0f} ms to find four recipes.")
    return "\n".join(lines)


def _line(row: Row) -> str:
    ours, peer = row.ours, row.skopeo
    if peer is None:
        return (
            f"| {row.what} | {ours.seconds:.2f} | - | - | {ours.processor:.2f} | {ours.requests} | {size(ours.sent)} |"
        )
    return (
        f"| {row.what} | {ours.seconds:.2f} | {peer.seconds:.2f} | {peer.seconds / ours.seconds:.1f} "
        f"| {ours.processor:.2f} / {peer.processor:.2f} | {ours.requests} / {peer.requests} "
        f"| {size(ours.sent)} / {size(peer.sent)} |"
    )


def _list(steps: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in steps.items())


def main() -> int:
    """Run the benchmark, and print its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=5, help="edits of which the best is reported (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    with stage() as running:
        rows = list(pushes(running))
        steps, edits, spent = deploys(running), answers(running, options.edits), shares(running)
        make_ms = make_itself(running)
    if options.json:
        output = {"push": [asdict(row) for row in rows], "deploy": steps, "edits": [asdict(one) for one in edits]}
        print(json.dumps({**output, "processor": spent, "make_ms": make_ms}))
    else:
        print(page(rows, steps, edits, spent, make_ms))
    return 0


if __name__ == "__main__":
    sys.exit(main())
