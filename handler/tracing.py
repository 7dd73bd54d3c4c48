"""X-Ray's tracing header, of an invocation or of a message: the trace that it belongs to, and whether it is recorded.

Form and ids: AWS X-Ray Developer Guide, "Tracing header" and "Trace ID format".
"""

import re
from dataclasses import dataclass

INVOCATION = "_X_AMZN_TRACE_ID"  # the variable that the runtime sets anew for each invocation
MESSAGE = "AWSTraceHeader"  # the system attribute that SQS keeps for a sender that is traced
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SEGMENT_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class TracingHeader:
    """`Root=1-…;Parent=…;Sampled=1`, read; `parent_id` is the segment that what follows belongs below."""

    trace_id: str
    parent_id: str | None = None
    is_sampled: bool = False


def parse(header: object) -> TracingHeader | None:
    """Read a header; None where it is missing or names no trace, since tracing must not stop work."""
    if not isinstance(header, str):
        return None
    fields = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in header.split(";"))}
    if not _TRACE_ID.fullmatch(fields.get("Root", "")):
        return None
    parent = fields.get("Parent", "")
    return TracingHeader(
        fields["Root"], parent if _SEGMENT_ID.fullmatch(parent) else None, fields.get("Sampled") == "1"
    )


def trace_id(header: object) -> str | None:
    """The trace that a header names."""
    read = parse(header)
    return read.trace_id if read else None
