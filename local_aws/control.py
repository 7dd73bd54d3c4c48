"""Start, find and stop instances of the local AWS. Standard library only: LocalStack runs in its own process."""

import contextlib
import dataclasses
import errno
import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import stages
from local_aws import cgroups, engine_choice, instance, localstack_process, network, pidfiles, ports
from local_aws.exceptions import LocalAwsError, PortInUse, StartFailed
from local_aws.instance import Instance, find
from local_aws.processes import Process
from local_aws.processes import find as find_process
from local_aws.sysroot import PYTHON, find_sysroot

__all__ = ["Instance", "find", "start", "stop"]

DEFAULT_PORT = 4566  # LocalStack's own, which other tools expect
READY_LIMIT_S = 300.0  # a start takes seconds, on a loaded machine minutes
ANSWER_LIMIT_S = 120.0  # a busy instance accepts connections at once and answers late
STOP_LIMIT_S = 15.0
STOP_GRACE_S = 0.5
LOG_LINES = 20
MAIN = "localstack"  # name of LocalStack's own pidfile


def start(name: str | None = None, port: int | None = None, reach: str | None = None) -> Instance:
    """Start an instance, or return the running one. Concurrent callers all get the same instance.

    `reach` is what its functions reach beside it (default: LOCAL_AWS_REACH, else the local stage's).

    Raises PortInUse if the requested port is taken, and StartFailed with the end of the log if LocalStack does not
    become ready. No process is left behind, whatever interrupts the start.
    """
    name = name or instance.read_default_name()
    port = port or _port_from_environment()
    with _lock(name) as folder:
        running = find(name)
        if running and _healthy(running.endpoint, name, ANSWER_LIMIT_S):
            if port and port != running.port:
                raise PortInUse(
                    f"instance {name} already runs on port {running.port}. next: stop it first, or omit the port"
                )
            return running
        clean(name)
        reach = _reach() if reach is None else reach
        try:
            return _start(name, folder, port, reach)
        except StartFailed:
            if not _lost_a_port(folder):
                raise
            return _start(name, folder, port, reach)


def _lost_a_port(folder: Path) -> bool:
    """Return whether another process took a port between its selection and LocalStack's start: then retry."""
    return os.strerror(errno.EADDRINUSE) in log_tail(folder)


def stop(name: str | None = None) -> bool:
    """Stop an instance and everything it started. Return False if it was not running.

    SIGTERM first; what has not ended after STOP_LIMIT_S seconds is killed, and so is everything that it started.
    Idempotent. Waits for a start of the same instance that is in progress.
    """
    name = name or instance.read_default_name()
    if not instance.locate_folder(name).exists():
        return False
    with _lock(name) as folder:
        running = find(name)
        if running:
            running.process.signal(signal.SIGTERM)
            _wait_closed(running)
        clean(name)
        (folder / "instance.json").unlink(missing_ok=True)
        return running is not None


def _wait_closed(running: Instance) -> None:
    """Wait until LocalStack has shut down its services, which it does before it closes its gateway.

    The process may linger for seconds, as polling threads retry that gateway; `clean` kills it.
    """
    end = time.monotonic() + STOP_LIMIT_S
    while running.process.is_alive() and ports.is_served(running.port) and time.monotonic() < end:
        time.sleep(0.05)
    running.process.wait(STOP_GRACE_S)


def clean(name: str) -> None:
    """Remove a killed instance's processes and cgroups. The caller holds the instance's lock.

    Only processes with the instance's own mark are killed. Its log and its settings stay.
    """
    folder = instance.locate_folder(name)
    for process in find_leftovers(name).values():
        process.kill(group=True)
    if hierarchy := cgroups.find():
        for group in hierarchy.list_groups(instance.derive_key(name)):
            group.remove()
    for part in ("run", "registry", "tmp", "vol", "s3"):
        shutil.rmtree(folder / part, ignore_errors=True)


def find_leftovers(name: str) -> dict[str, Process]:
    """Map names to live processes that this instance started, including itself."""
    return pidfiles.find_alive(instance.locate_folder(name) / "run")


def log_tail(folder: Path, lines: int = LOG_LINES) -> str:
    """Return the last lines of the instance's log."""
    with contextlib.suppress(OSError):
        return "\n".join((folder / "log").read_text(errors="replace").splitlines()[-lines:])
    return ""


def _start(name: str, folder: Path, port: int | None, reach: str) -> Instance:
    gateway = _gateway_port(name, port)
    engine = engine_choice.choose()
    sysroot = find_sysroot()
    settings = localstack_process.Settings(
        folder, instance.derive_key(name), gateway, ports.free_port(gateway), engine.name, sysroot, _site(), reach
    )
    localstack_process.prepare(settings)
    process = localstack_process.spawn(settings)
    try:
        pidfiles.record(folder / "run", MAIN, process.pid)
        endpoint = f"http://127.0.0.1:{gateway}"
        _wait_ready(process, endpoint, name)
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
    except BaseException:  # also on Ctrl-C: leave nothing behind
        if process.poll() is None:
            if identity := find_process(process.pid):
                identity.kill(group=True)
            else:
                process.kill()
        process.wait(10)
        clean(name)
        raise
    return started


def _wait_ready(process: subprocess.Popen[bytes], endpoint: str, name: str) -> None:
    folder = instance.locate_folder(name)
    end = time.monotonic() + READY_LIMIT_S
    while True:
        if (status := process.poll()) is not None:
            raise StartFailed(_failure(folder, f"ended with exit status {status}"))
        if _healthy(endpoint, name, 2):
            return
        if time.monotonic() > end:
            raise StartFailed(_failure(folder, f"was not ready after {READY_LIMIT_S:.0f} s"))
        time.sleep(0.02)


def _failure(folder: Path, what: str) -> str:
    return f"LocalStack {what}; the last lines of {folder / 'log'}:\n{log_tail(folder)}"


def _healthy(endpoint: str, name: str, limit_s: float) -> bool:
    """Return whether this instance answers, and not one of another folder that took the port first."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(endpoint + "/_local_aws/ready", timeout=limit_s) as answer:
            return bool(json.load(answer) == {"ready": True, "key": instance.derive_key(name)})
    except (OSError, http.client.HTTPException, ValueError):  # no response, not HTTP, or not JSON
        return False


def _gateway_port(name: str, port: int | None) -> int:
    if port is not None:
        if not ports.is_free(port):
            owner = ports.find_owner(port)
            if owner == ports.NOBODY:
                raise PortInUse(
                    f"port {port} on 127.0.0.1 cannot be bound by this user. next: choose another port (--port)"
                )
            raise PortInUse(
                f"port {port} on 127.0.0.1 is in use by {owner}. next: stop it, or choose another port (--port)"
            )
        return port
    if name == "default" and ports.is_free(DEFAULT_PORT):
        return DEFAULT_PORT
    return ports.free_port()


def _port_from_environment() -> int | None:
    text = os.environ.get("LOCAL_AWS_PORT", "")
    if not text:
        return None
    if not text.isdecimal() or not int(text) <= ports.HIGHEST:
        raise LocalAwsError(
            f"LOCAL_AWS_PORT: got {text}, expected a port number from 0 to {ports.HIGHEST} (0: any free port)"
        )
    return int(text) or None


def _reach() -> str:
    """Return what functions reach beside the gateway; a wrong address is reported before anything starts."""
    try:
        reach = network.read_reach(stages.load("local").reach)
    except stages.StageError as error:
        raise LocalAwsError(str(error)) from error
    network.parse(reach)
    return reach


def _site() -> Path:
    if configured := os.environ.get("LOCAL_AWS_SITE"):
        return Path(configured)
    from nix.environments import install_site

    return install_site("local-aws", PYTHON)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[Path]:
    """Hold the instance's lock, which the kernel releases if its holder is killed."""
    folder = instance.make_folder(name)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder
