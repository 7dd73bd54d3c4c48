"""Reports the duration of the worker's steps to X-Ray's daemon, as subsegments of the invocation's trace.

Each datagram has a line that names the format, and a document (AWS X-Ray Developer Guide, "Segment documents"). It is
sent without waiting for an answer, and contains ids and counts only: never an item's text or an error's message.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from handler.clock import Clock
from handler.crash_points import Step
from handler.tracing_header import TracingHeader

ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
_FORMAT = b'{"format": "json", "version": 1}\n'
_MAXIMUM_LENGTH = 1000  # characters of an annotation


class Daemon:
    """X-Ray's daemon at an IPv4 address and port. Thread-safe."""

    def __init__(self, host: str, port: int):
        self._address = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, document: Mapping[str, object]) -> None:
        """Send one datagram. Errors are ignored, since no job may fail or wait because of its trace."""
        with suppress(OSError):
            self._socket.sendto(_FORMAT + json.dumps(document).encode(), self._address)


def find_daemon(environ: Mapping[str, str]) -> Daemon | None:
    """Return the daemon at the address that Lambda sets (`169.254.79.129:2000`), or None; no name is resolved."""
    host, _, port = environ.get(ADDRESS, "").rpartition(":")
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return Daemon(host, int(port))


@dataclass(frozen=True)
class Trace:
    """The trace of one invocation. If it is not sampled, or there is no daemon, its steps are not reported."""

    header: TracingHeader | None = None
    daemon: Daemon | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def trace_id(self) -> str | None:
        """The id of the trace, whether it is sampled or not."""
        return self.header.trace_id if self.header else None

    @contextmanager
    def step(self, step: Step, **annotations: str | int | None) -> Iterator[None]:
        """Report the duration of the block; if it raises, report it as failed, with the class of the error.

        The report is one UDP packet, after the block: nothing waits for the daemon. A trace that is not sampled has
        none. The duration is from the monotonic clock, the start from the wall clock.
        """
        header = self.header
        if self.daemon is None or header is None or not (header.is_sampled and header.parent_id):
            yield
            return
        start, began = self.clock.wall(), self.clock.monotonic()
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            end = start + self.clock.monotonic() - began
            self.daemon.send(create_document(header, step, start, end, annotations, failure))


def create_document(
    header: TracingHeader,
    step: Step,
    start: float,
    end: float,
    annotations: Mapping[str, str | int | None],
    failure: BaseException | None = None,
) -> dict[str, object]:
    """Return the document of an independent subsegment; `start` and `end` are in Unix seconds.

    Texts are cut to `_MAXIMUM_LENGTH` characters, which X-Ray accepts. The id is random. `failure` adds its class's
    name only: messages may contain customers' texts.
    """
    limited = {
        name: value[:_MAXIMUM_LENGTH] if isinstance(value, str) else value for name, value in annotations.items()
    }
    return {
        "type": "subsegment",
        "id": os.urandom(8).hex(),
        "trace_id": header.trace_id,
        "parent_id": header.parent_id,
        "name": step.value,
        "start_time": start,
        "end_time": end,
        "annotations": {**limited, "error": type(failure).__name__} if failure else limited,
        **({"fault": True} if failure else {}),
    }
