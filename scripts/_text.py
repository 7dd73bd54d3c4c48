"""Small values as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, with which a text could command a terminal, and lone surrogates, which no file can hold."""


def printable(text: str) -> str:
    """Return a text that a terminal shows as it is; line ends and tabs stay.

    A carriage return is a line end too: Lambda's runtime puts it between the lines of a trace.
    """
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def megabytes(size: int) -> str:
    """Return a size in bytes as kB or MB (powers of ten), three digits or so."""
    if abs(size) < 1_000_000:
        return f"{size / 1000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB"


def short(digest: str) -> str:
    """Return the first twelve hexadecimal digits of a digest."""
    return digest.rpartition(":")[2][:12]


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    whole = int(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"


def moment(epoch_ms: float) -> str:
    """Return a time in milliseconds since 1970 as local date and time."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def utc_now(timespec: str = "seconds") -> str:
    """Return the time now as ISO 8601 in UTC, to the second or as fine as `timespec` says."""
    return datetime.now(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
