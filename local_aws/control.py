"""Start, find and stop instances of the local AWS. Standard library only; LocalStack runs in a process of its own."""

import contextlib
import dataclasses
import errno
import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local_aws import cgroups, engines, instance, launch, ports, records
from local_aws.exceptions import LocalAwsError, PortInUse, StartFailed
from local_aws.instance import Instance, find
from local_aws.processes import Process
from local_aws.processes import find as find_process
from local_aws.tools import Tools, tools

__all__ = ["Instance", "find", "start", "stop"]

DEFAULT_PORT = 4566
READY_LIMIT_S = 90.0
STOP_LIMIT_S = 15.0
STOP_GRACE_S = 0.5
LOG_LINES = 20
MAIN = "localstack"  # the record of LocalStack's own process


def start(name: str | None = None, port: int | None = None) -> Instance:
    """Start an instance, or return the running one; of two callers at once, one starts and both get the instance.

    Raises PortInUse for a given port that is taken, StartFailed with the log's end when LocalStack does not come up.
    Whatever ends this early leaves no process behind.
    """
    name = name or instance.default_name()
    port = port or _port_from_environment()
    with _locked(name) as folder:
        running = find(name)
        if running and _healthy(running.endpoint):
            if port and port != running.port:
                raise PortInUse(f"instance {name} already runs on port {running.port}: stop it first, or omit the port")
            return running
        clean(name)
        try:
            return _start(name, folder, port)
        except StartFailed:
            if not _lost_a_port(folder):
                raise
            return _start(name, folder, port)


def _lost_a_port(folder: Path) -> bool:
    """Whether another process took a port between its choice and LocalStack's start; then a second choice is due."""
    return os.strerror(errno.EADDRINUSE) in log_tail(folder)


def stop(name: str | None = None) -> bool:
    """Stop an instance and all that it started; False when it was not running."""
    name = name or instance.default_name()
    if not instance.folder(name).exists():
        return False
    with _locked(name) as folder:
        running = find(name)
        if running:
            running.process.signal(signal.SIGTERM)
            _wait_closed(running)
        clean(name)
        (folder / "instance.json").unlink(missing_ok=True)
        return running is not None


def _wait_closed(running: Instance) -> None:
    """Wait until LocalStack has ended its services, which it does before it closes its gateway.

    Its process may go on for seconds: threads that poll try again and again to reach that gateway. `clean` ends it.
    """
    end = time.monotonic() + STOP_LIMIT_S
    while running.process.alive() and ports.is_served(running.port) and time.monotonic() < end:
        time.sleep(0.05)
    running.process.wait(STOP_GRACE_S)


def clean(name: str) -> None:
    """End whatever a killed instance of this name left: recorded processes and cgroups. Call under its lock."""
    folder = instance.folder(name)
    for process in leftovers(name).values():
        process.kill(group=True)
    if hierarchy := cgroups.find():
        for group in hierarchy.named(instance.key(name)):
            group.remove()
    for part in ("run", "registry", "tmp", "vol", "s3"):
        shutil.rmtree(folder / part, ignore_errors=True)


def leftovers(name: str) -> dict[str, Process]:
    """Record → live process of all that this instance started, itself included."""
    return records.alive(instance.folder(name) / "run")


def log_tail(folder: Path, lines: int = LOG_LINES) -> str:
    """The last lines of the instance's log."""
    with contextlib.suppress(OSError):
        return "\n".join((folder / "log").read_text(errors="replace").splitlines()[-lines:])
    return ""


def _start(name: str, folder: Path, port: int | None) -> Instance:
    gateway = _gateway_port(name, port)
    engine = engines.choose()
    found = tools()
    settings = launch.Settings(
        folder, instance.key(name), gateway, ports.free_port(gateway), engine.name, found, _site(found)
    )
    launch.prepare(settings)
    process = launch.spawn(settings)
    try:
        records.record(folder / "run", MAIN, process.pid)
        endpoint = f"http://127.0.0.1:{gateway}"
        _wait_ready(process, endpoint, folder)
        identity = find_process(process.pid)
        if identity is None:
            raise StartFailed(_failure(folder, "ended right after it was ready"))
        started = Instance(
            name=name,
            pid=process.pid,
            start_ticks=identity.start_ticks,
            started=time.time(),
            endpoint=endpoint,
            registry=f"127.0.0.1:{settings.registry_port}",
            engine=engine.name,
            guarantees=dataclasses.asdict(engine.guarantees),
        )
        instance.write(started)
    except BaseException:  # Ctrl-C too: nothing may stay behind
        if process.poll() is None:
            Process(process.pid, identity.start_ticks).kill(group=True) if (
                identity := find_process(process.pid)
            ) else process.kill()
        process.wait(10)
        clean(name)
        raise
    return started


def _wait_ready(process: subprocess.Popen[bytes], endpoint: str, folder: Path) -> None:
    end = time.monotonic() + READY_LIMIT_S
    while True:
        if (status := process.poll()) is not None:
            raise StartFailed(_failure(folder, f"ended with exit status {status}"))
        if _healthy(endpoint):
            return
        if time.monotonic() > end:
            raise StartFailed(_failure(folder, f"was not ready after {READY_LIMIT_S:.0f} s"))
        time.sleep(0.02)


def _failure(folder: Path, what: str) -> str:
    return f"LocalStack {what}; the last lines of {folder / 'log'}:\n{log_tail(folder)}"


def _healthy(endpoint: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(endpoint + "/_local_aws/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):  # no answer, or one that is not HTTP
        return False


def _gateway_port(name: str, port: int | None) -> int:
    if port is not None:
        if not ports.is_free(port):
            owner = ports.owner(port)
            if owner == ports.NOBODY:
                raise PortInUse(f"port {port} on 127.0.0.1 may not be taken by this user: name another port (--port)")
            raise PortInUse(f"port {port} on 127.0.0.1 is used by {owner}: end it, or name another port (--port)")
        return port
    if name == "default" and ports.is_free(DEFAULT_PORT):
        return DEFAULT_PORT
    return ports.free_port()


def _port_from_environment() -> int | None:
    text = os.environ.get("LOCAL_AWS_PORT", "")
    if not text:
        return None
    if not text.isdecimal() or not int(text) <= ports.HIGHEST:
        raise LocalAwsError(f"LOCAL_AWS_PORT={text}: expected a port number, 0 to {ports.HIGHEST} (0: any free one)")
    return int(text) or None


def _site(found: Tools) -> Path:
    if given := os.environ.get("LOCAL_AWS_SITE"):
        return Path(given)
    del found
    from environments import site

    return site("local-aws", launch.PYTHON)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[Path]:
    """Hold the instance's lock; a killed holder lets go of it."""
    folder = instance.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder
