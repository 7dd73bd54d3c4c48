"""X-Ray's tracing header of an invocation or a message: its trace, and whether the trace is recorded.

Format: AWS X-Ray Developer Guide, "Tracing header" and "Trace ID format".
"""

import re
from dataclasses import dataclass
from typing import Final

INVOCATION = "_X_AMZN_TRACE_ID"  # environment variable, set by the runtime for each invocation
MESSAGE: Final = "AWSTraceHeader"  # system attribute of messages whose sender is traced
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SEGMENT_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class TracingHeader:
    """A parsed `Root=1-…;Parent=…;Sampled=1`; `parent_id` is the segment under which subsegments belong."""

    trace_id: str
    parent_id: str | None = None
    is_sampled: bool = False


def parse(header: object) -> TracingHeader | None:
    """Parse a header; returns None if it is missing or malformed, since tracing must never stop work."""
    if not isinstance(header, str):
        return None
    fields = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in header.split(";"))}
    if not _TRACE_ID.fullmatch(fields.get("Root", "")):
        return None
    parent = fields.get("Parent", "")
    return TracingHeader(
        fields["Root"], parent if _SEGMENT_ID.fullmatch(parent) else None, fields.get("Sampled") == "1"
    )


def parse_trace_id(header: object) -> str | None:
    """Return the trace id of a header, or None."""
    parsed = parse(header)
    return parsed.trace_id if parsed else None
