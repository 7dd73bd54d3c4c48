"""The lines that Lambda writes around an invocation, and the errors it answers with; pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Report:
    """What a REPORT line tells; times in milliseconds, memory in MB. `init_ms` only for a cold start."""

    request_id: str
    duration_ms: float
    memory_mb: int
    peak_mb: int
    init_ms: float | None = None
    status: str = ""  # "", "timeout" or "error"
    error_type: str = ""

    @property
    def billed_ms(self) -> int:
        """Whole milliseconds; for images the init phase is billed too."""
        return -int(-(self.duration_ms + (self.init_ms or 0.0)) // 1)

    def __str__(self) -> str:
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {min(self.peak_mb, self.memory_mb)} MB",
        ]
        if self.init_ms is not None:
            fields.append(f"Init Duration: {self.init_ms:.2f} ms")
        if self.status:
            fields.append(f"Status: {self.status}")
        if self.error_type:
            fields.append(f"Error Type: {self.error_type}")
        return "\t".join(fields) + "\t"


def start_line(request_id: str, version: str) -> str:
    """The line before an invocation's own."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """The line after an invocation's own."""
    return f"END RequestId: {request_id}"


def init_report(init_ms: float, phase: str, status: str, error_type: str = "") -> str:
    """The line about an init phase that failed; `phase` is `init` or `invoke`."""
    line = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{line}\tError Type: {error_type}" if error_type else line


def timeout_line(request_id: str, timeout_s: float, now: datetime | None = None) -> str:
    """The line about a function that ran out of time."""
    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{stamp}Z {request_id} Task timed out after {timeout_s:.2f} seconds"


@dataclass(frozen=True)
class Failure:
    """A failure that the platform, not the handler, reports."""

    error_type: str
    text: str

    def body(self, request_id: str) -> bytes:
        """The payload that the caller gets."""
        message = f"RequestId: {request_id} Error: {self.text}"
        return json.dumps({"errorType": self.error_type, "errorMessage": message}).encode()


def timed_out(timeout_s: float) -> Failure:
    """The function ran longer than it may."""
    return Failure("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds")


def too_large(size: int, limit: int) -> Failure:
    """The response is larger than Lambda hands on."""
    text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    return Failure("Function.ResponseSizeTooLarge", text)


def exited(status: int | None, *, out_of_memory: bool) -> Failure:
    """The runtime ended; `status` as of subprocess: negative for a signal."""
    if out_of_memory:
        return Failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
    if not status:
        return Failure("Runtime.ExitError", "Runtime exited without providing a reason")
    # Through a namespace's first process a signal arrives as 128 + its number.
    number = -status if status < 0 else status - 128 if status > 128 else 0
    if number:
        return Failure("Runtime.ExitError", f"Runtime exited with error: signal: {SIGNALS.get(number, number)}")
    return Failure("Runtime.ExitError", f"Runtime exited with error: exit status {status}")


SIGNALS = {6: "aborted", 8: "floating point exception", 9: "killed", 11: "segmentation fault", 15: "terminated"}
