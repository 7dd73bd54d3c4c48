"""Lambda's platform log lines and error payloads. Pure functions."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Report:
    """A REPORT line. Times are in milliseconds, memory in MB; `init_ms` is set for a cold start only."""

    request_id: str
    duration_ms: float
    memory_mb: int
    peak_mb: int
    init_ms: float | None = None
    status: str = ""  # "", "timeout" or "error"
    error_type: str = ""

    @property
    def billed_ms(self) -> int:
        """Return the billed milliseconds, rounded up. The init phase of images is billed too."""
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
    """Return the START line."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """Return the END line."""
    return f"END RequestId: {request_id}"


def format_init_report(init_ms: float, phase: str, status: str, error_type: str = "") -> str:
    """Return the INIT_REPORT line of a failed init phase; `phase` is `init` or `invoke`."""
    line = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{line}\tError Type: {error_type}" if error_type else line


def format_timeout(request_id: str, timeout_s: float, now: datetime | None = None) -> str:
    """Return the line for a function that timed out."""
    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{stamp}Z {request_id} Task timed out after {timeout_s:.2f} seconds"


@dataclass(frozen=True)
class Failure:
    """A failure reported by the platform rather than the handler."""

    error_type: str
    text: str

    def body(self, request_id: str) -> bytes:
        """Return the payload for the caller."""
        message = f"RequestId: {request_id} Error: {self.text}"
        return json.dumps({"errorType": self.error_type, "errorMessage": message}).encode()


def parse_failure(body: bytes) -> Failure:
    """Return the failure in an error payload, whatever the runtime sent: `Runtime.Unknown` and the start of it."""
    try:
        value = json.loads(body)
        return Failure(str(value["errorType"]), str(value.get("errorMessage", repr(body[:200]))))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Failure("Runtime.Unknown", repr(body[:200]))


def create_timeout_failure(timeout_s: float) -> Failure:
    """Return the failure of a function that exceeded its timeout."""
    return Failure("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds")


def create_size_failure(size: int, limit: int) -> Failure:
    """Return the failure of a response that exceeds Lambda's limit."""
    text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    return Failure("Function.ResponseSizeTooLarge", text)


def exit_failure(status: int | None, *, out_of_memory: bool) -> Failure:
    """Return the failure of a runtime that exited. `status` follows subprocess: negative for a signal."""
    if out_of_memory:
        return Failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
    if not status:
        return Failure("Runtime.ExitError", "Runtime exited without providing a reason")
    # The first process of a PID namespace reports a signal as 128 + its number.
    number = -status if status < 0 else status - 128 if status > 128 else 0
    if number:
        return Failure("Runtime.ExitError", f"Runtime exited with error: signal: {SIGNALS.get(number, number)}")
    return Failure("Runtime.ExitError", f"Runtime exited with error: exit status {status}")


SIGNALS = {6: "aborted", 8: "floating point exception", 9: "killed", 11: "segmentation fault", 15: "terminated"}
