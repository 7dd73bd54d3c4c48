"""How long the worker's steps took, as subsegments of the invocation's trace, in datagrams to X-Ray's daemon.

Each is a line that names the format, and a document (AWS X-Ray Developer Guide, "Segment documents"). Nothing waits
for it. Of the work it holds ids and counts, never an item's text, a message or what an error says.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from handler.clock import Clock
from handler.steps import Step
from handler.tracing import TracingHeader

ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
_FORMAT = b'{"format": "json", "version": 1}\n'
_LONGEST = 1000  # characters of an annotation


class Daemon:
    """X-Ray's daemon at an IPv4 address and port, shared by threads."""

    def __init__(self, host: str, port: int):
        self._address = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, document: Mapping[str, object]) -> None:
        """One datagram; one that cannot be sent is lost, since no job may fail or wait for its trace."""
        with suppress(OSError):
            self._socket.sendto(_FORMAT + json.dumps(document).encode(), self._address)


def daemon(environ: Mapping[str, str]) -> Daemon | None:
    """The daemon that Lambda names, as `169.254.79.129:2000`; None where there is none."""
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
    """The trace of one invocation. Steps of one that is not sampled, or that nobody listens for, are only run."""

    header: TracingHeader | None = None
    daemon: Daemon | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def trace_id(self) -> str | None:
        """The trace's id, whether it is sampled or not."""
        return self.header.trace_id if self.header else None

    @contextmanager
    def step(self, step: Step, **annotations: str | int | None) -> Iterator[None]:
        """Tell how long the block took; where it raises, that it failed, by the error's class."""
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
            self.daemon.send(document(header, step, start, end, annotations, failure))


def document(
    header: TracingHeader,
    step: Step,
    start: float,
    end: float,
    annotations: Mapping[str, str | int | None],
    failure: BaseException | None = None,
) -> dict[str, object]:
    """A subsegment that is sent by itself; `start` and `end` are Unix time in seconds."""
    told = {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in annotations.items()}
    return {
        "type": "subsegment",
        "id": os.urandom(8).hex(),
        "trace_id": header.trace_id,
        "parent_id": header.parent_id,
        "name": step.value,
        "start_time": start,
        "end_time": end,
        "annotations": {**told, "error": type(failure).__name__} if failure else told,
        **({"fault": True} if failure else {}),
    }
