"""One execution environment: init, invocations, timeouts, freezing and the log of an image's function."""

import json
import os
import secrets
import threading
import time
from dataclasses import dataclass

from local_aws import cgroups, report
from local_aws.engine import Engine
from local_aws.exceptions import StartFailed
from local_aws.image import Image
from local_aws.logs import Sink, Tail
from local_aws.runtime_api import RESPONSE_LIMIT, Event, Invocation
from local_aws.sandbox import FunctionSettings, Sandbox

INIT_LIMIT_S = 10.0  # of the init phase; a second try runs within the function's own timeout


@dataclass(frozen=True)
class Reply:
    """What an invocation gave: the payload, whether it is an error, the log's tail and the numbers."""

    payload: bytes
    error: bool
    log: str
    report: report.Report


@dataclass(frozen=True)
class _Init:
    """How an init phase ended: `failure` is the payload of a failed one."""

    took_ms: float
    failure: bytes | None = None
    sandbox: Sandbox | None = None


class Environment:
    """Runs one container at a time and starts a new one after a crash or a timeout. Not for concurrent invocations.

    `stop` may come from any thread, at any moment: what is under way ends as if the container had been killed.
    """

    def __init__(
        self, image: Image, settings: FunctionSettings, engine: Engine, sink: Sink, name: str | None = None
    ) -> None:
        self.name = name or f"{cgroups.OF}{os.getpid()}-{secrets.token_hex(8)}"
        self._image, self._settings, self._engine, self._sink = image, settings, engine, sink
        self._tail = Tail()
        self._sandbox: Sandbox | None = None
        self._cold_ms: float | None = None  # of an init phase that no REPORT has told yet
        self._lock = threading.Lock()
        self._stopped = self._lost = False

    def start(self) -> None:
        """Run the init phase; a failed one is tried again by the first invocation, as on AWS."""
        init = self._init(INIT_LIMIT_S, "init", "")
        self._cold_ms = init.took_ms if init.failure is None else None
        if sandbox := self._sandbox:
            sandbox.running.freeze()
            sandbox.idle(self._lose)

    def invoke(self, request_id: str, payload: bytes, arn: str = "", trace_id: str = "") -> Reply:
        """Run one invocation to its end, error or timeout. StartFailed when no container can be started.

        A container that died between two invocations is replaced: the invocation is a cold one.
        """
        self._tail = Tail()
        sandbox = self._awake()
        began = time.monotonic()
        self._log(report.start_line(request_id, self._settings.version))
        cold_ms, self._cold_ms = self._cold_ms, None
        if sandbox is None:
            init = self._init(self._settings.timeout_s, "invoke", request_id)
            if init.failure is not None:
                return self._finish(None, request_id, began, Event("error", init.failure), cold_ms, status="error")
            sandbox = init.sandbox
        left = self._settings.timeout_s - (time.monotonic() - began)
        if cold_ms is not None:
            began, left = time.monotonic(), self._settings.timeout_s
        assert sandbox is not None  # init succeeded
        deadline_ms = int((time.time() + left) * 1000)
        invocation = Invocation(request_id, payload, arn or self._settings.arn, trace_id, deadline_ms)
        event = sandbox.call(invocation, left)
        return self._conclude(sandbox, request_id, began, event, cold_ms)

    def stop(self) -> None:
        """End the container for good; idempotent."""
        with self._lock:
            self._stopped = True
            sandbox = self._sandbox
        if sandbox:
            self._discard(sandbox)

    def pids(self) -> list[int]:
        """The container's processes."""
        sandbox = self._sandbox
        return sandbox.running.pids() if sandbox else []

    def _awake(self) -> Sandbox | None:
        """The container that waits, or a new one where that one died idle; None where the init phase failed."""
        for _ in range(2):
            sandbox = self._sandbox
            if sandbox and sandbox.busy():
                return sandbox
            if sandbox or self._lost:
                self._lost = False
                self.start()
        return None

    def _lose(self, sandbox: Sandbox) -> None:
        """The idle container is gone, as if AWS had taken it back: the next invocation begins with an init phase."""
        self._lost = self._sandbox is sandbox
        self._discard(sandbox)

    def _discard(self, sandbox: Sandbox) -> None:
        """End a container and what belongs to it; the next invocation starts another."""
        with self._lock:
            if self._sandbox is sandbox:
                self._sandbox = None
        sandbox.stop()

    def _conclude(
        self, sandbox: Sandbox, request_id: str, began: float, event: Event | None, cold_ms: float | None
    ) -> Reply:
        if event and event.kind in ("response", "error"):
            return self._finish(sandbox, request_id, began, event, cold_ms)
        if event and event.kind == "too-large":
            failure = report.too_large(int(event.body), RESPONSE_LIMIT)
            body = Event("error", failure.body(request_id))
            return self._finish(sandbox, request_id, began, body, cold_ms, status="error")
        if event is None:
            failure = report.timed_out(self._settings.timeout_s)
            sandbox.pipe.drain()
            self._log(report.timeout_line(request_id, self._settings.timeout_s))
            body = Event("error", failure.body(request_id))
            return self._finish(sandbox, request_id, began, body, cold_ms, status="timeout", broken=True)
        failure = sandbox.exit_failure()
        sandbox.pipe.drain()
        self._log(f"RequestId: {request_id} Error: {failure.text}")
        self._log(failure.error_type)
        body = Event("error", failure.body(request_id))
        kind = failure.error_type
        return self._finish(sandbox, request_id, began, body, cold_ms, status="error", error_type=kind, broken=True)

    def _finish(
        self,
        sandbox: Sandbox | None,
        request_id: str,
        began: float,
        event: Event,
        cold_ms: float | None,
        *,
        status: str = "",
        error_type: str = "",
        broken: bool = False,
    ) -> Reply:
        took_ms = (time.monotonic() - began) * 1000
        peak_mb = 0
        if sandbox:
            # The log is whole once the runtime asks for more; one that never does is not used again.
            broken = broken or not sandbox.settled()
            peak_mb = sandbox.running.peak_mb()
            peak_mb = peak_mb or (self._settings.memory_mb if error_type == "Runtime.OutOfMemory" else 0)
            sandbox.pipe.drain()
            if broken:
                self._discard(sandbox)
            else:
                sandbox.running.freeze()
                sandbox.idle(self._lose)
        self._log(report.end_line(request_id))
        told = report.Report(request_id, took_ms, self._settings.memory_mb, peak_mb or 1, cold_ms, status, error_type)
        self._log(str(told))
        return Reply(event.body, event.kind == "error", self._tail.text(), told)

    def _init(self, limit_s: float, phase: str, request_id: str) -> _Init:
        began = time.monotonic()
        sandbox = self._start()
        event = sandbox.api.wait(limit_s)
        took_ms = (time.monotonic() - began) * 1000
        if event and event.kind == "ready":
            return _Init(took_ms, sandbox=sandbox)
        if event is None:
            status, body = "timeout", report.timed_out(limit_s).body(request_id)
        elif event.kind == "init-error":
            sandbox.api.wait(1.0)  # the runtime exits by itself after this
            status, body = "error", event.body
        else:
            status, body = "error", sandbox.exit_failure().body(request_id)
        sandbox.pipe.drain()
        self._discard(sandbox)
        self._log(report.init_report(took_ms, phase, status, error_type(body) if status == "error" else ""))
        return _Init(took_ms, body)

    def _start(self) -> Sandbox:
        """A new container; StartFailed when `stop` came first."""
        if not self._stopped:
            sandbox = Sandbox(self._image, self._settings, self._engine, self._log, self.name)
            with self._lock:
                if not self._stopped:
                    self._sandbox = sandbox
                    return sandbox
            sandbox.stop()
        raise StartFailed(f"execution environment of {self._settings.name}: it was stopped before it had started")

    def _log(self, line: str) -> None:
        self._tail.add(line)
        self._sink(line)


def error_type(body: bytes) -> str:
    """The type that an error payload names."""
    try:
        return str(json.loads(body).get("errorType", "Runtime.Unknown"))
    except (ValueError, AttributeError):
        return "Runtime.Unknown"
