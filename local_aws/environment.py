"""One execution environment of an image's function: init, invocations, timeouts, freezing and its log."""

import os
import secrets
import threading
import time
from dataclasses import dataclass

from local_aws import cgroups, platform_log
from local_aws.engine import Engine
from local_aws.exceptions import StartFailed
from local_aws.image import Image
from local_aws.logs import Sink, Tail
from local_aws.runtime_api import RESPONSE_LIMIT, Event, Invocation
from local_aws.sandbox import FunctionSettings, Sandbox

INIT_LIMIT_S = 10.0  # limit of the init phase; a retry is limited by the function's own timeout


@dataclass(frozen=True)
class Reply:
    """The outcome of an invocation: its payload, whether that is an error, the log tail and the report."""

    payload: bytes
    error: bool
    log: str
    report: platform_log.Report


@dataclass(frozen=True)
class _Init:
    """The outcome of an init phase; `failure` is the payload of a failed one."""

    took_ms: float
    failure: bytes | None = None
    sandbox: Sandbox | None = None


class Environment:
    """Run one container at a time, and replace it after a crash or a timeout. Not for concurrent invocations.

    `stop` may be called from any thread; an invocation in flight ends as if the container had been killed.
    """

    def __init__(
        self, image: Image, settings: FunctionSettings, engine: Engine, sink: Sink, name: str | None = None
    ) -> None:
        self.name = name or f"{cgroups.OF}{os.getpid()}-{secrets.token_hex(8)}"
        self._image, self._settings, self._engine, self._sink = image, settings, engine, sink
        self._tail = Tail()
        self._sandbox: Sandbox | None = None
        self._cold_ms: float | None = None  # duration of an init phase that no REPORT line has included yet
        self._lock = threading.Lock()
        self._stopped = self._lost = False

    def start(self) -> None:
        """Run the init phase. The first invocation retries a failed one, as on AWS."""
        init = self._init(INIT_LIMIT_S, "init", "")
        self._cold_ms = init.took_ms if init.failure is None else None
        if sandbox := self._sandbox:
            sandbox.running.freeze()
            sandbox.idle(self._lose)

    def invoke(self, request_id: str, payload: bytes, arn: str = "", trace_id: str = "") -> Reply:
        """Run one invocation until it returns, fails or times out.

        A container that exited since the previous invocation is replaced, which makes this a cold start.
        Raises StartFailed if no container can be started.
        """
        self._tail = Tail()
        sandbox = self._awake()
        began = time.monotonic()
        self._log(platform_log.start_line(request_id, self._settings.version))
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
        """Stop the container permanently. Idempotent."""
        with self._lock:
            self._stopped = True
            sandbox = self._sandbox
        if sandbox:
            self._discard(sandbox)

    def pids(self) -> list[int]:
        """List the container's processes."""
        sandbox = self._sandbox
        return sandbox.running.pids() if sandbox else []

    def _awake(self) -> Sandbox | None:
        """Return the idle container, or a new one if that exited; None if the init phase failed."""
        for _ in range(2):
            sandbox = self._sandbox
            if sandbox and sandbox.busy():
                return sandbox
            if sandbox or self._lost:
                self._lost = False
                self.start()
        return None

    def _lose(self, sandbox: Sandbox) -> None:
        """Forget an idle container that exited, as if AWS had reclaimed it: the next start is cold."""
        self._lost = self._sandbox is sandbox
        self._discard(sandbox)

    def _discard(self, sandbox: Sandbox) -> None:
        """Stop a container and release its resources. The next invocation starts another."""
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
            failure = platform_log.create_size_failure(int(event.body), RESPONSE_LIMIT)
            body = Event("error", failure.body(request_id))
            return self._finish(sandbox, request_id, began, body, cold_ms, status="error")
        if event is None:
            failure = platform_log.create_timeout_failure(self._settings.timeout_s)
            sandbox.pipe.drain()
            self._log(platform_log.format_timeout(request_id, self._settings.timeout_s))
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
            # The log is complete once the runtime asks for the next invocation. A runtime that never does is discarded.
            broken = broken or not sandbox.is_ready()
            peak_mb = sandbox.running.peak_mb()
            peak_mb = peak_mb or (self._settings.memory_mb if error_type == "Runtime.OutOfMemory" else 0)
            sandbox.pipe.drain()
            if broken:
                self._discard(sandbox)
            else:
                sandbox.running.freeze()
                sandbox.idle(self._lose)
        self._log(platform_log.end_line(request_id))
        report = platform_log.Report(
            request_id, took_ms, self._settings.memory_mb, peak_mb or 1, cold_ms, status, error_type
        )
        self._log(str(report))
        return Reply(event.body, event.kind == "error", self._tail.read_text(), report)

    def _init(self, limit_s: float, phase: str, request_id: str) -> _Init:
        began = time.monotonic()
        sandbox = self._start()
        event = sandbox.api.wait(limit_s)
        took_ms = (time.monotonic() - began) * 1000
        if event and event.kind == "ready":
            sandbox.pipe.drain()  # what the init phase printed stands before the first START
            return _Init(took_ms, sandbox=sandbox)
        if event is None:
            status, body = "timeout", platform_log.create_timeout_failure(limit_s).body(request_id)
        elif event.kind == "init-error":
            sandbox.api.wait(1.0)  # the runtime exits by itself afterwards
            status, body = "error", event.body
        else:
            status, body = "error", sandbox.exit_failure().body(request_id)
        sandbox.pipe.drain()
        self._discard(sandbox)
        kind = platform_log.parse_failure(body).error_type if status == "error" else ""
        self._log(platform_log.format_init_report(took_ms, phase, status, kind))
        return _Init(took_ms, body)

    def _start(self) -> Sandbox:
        """Start a container. Raise StartFailed if `stop` was called first."""
        if not self._stopped:
            sandbox = Sandbox(self._image, self._settings, self._engine, self._log, self.name)
            with self._lock:
                if not self._stopped:
                    self._sandbox = sandbox
                    return sandbox
            sandbox.stop()
        raise StartFailed(f"execution environment of {self._settings.name}: stopped before it started")

    def _log(self, line: str) -> None:
        self._tail.add(line)
        self._sink(line)
