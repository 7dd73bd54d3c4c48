"""Format sizes, times and digests, and make untrusted text printable."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which terminals interpret, and lone surrogates, which cannot be encoded."""


def escape_controls(text: str) -> str:
    """Replace characters that a terminal would interpret; newlines and tabs stay.

    A carriage return becomes a newline: Lambda's runtime separates the lines of a traceback by it.
    """
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def format_megabytes(size: int) -> str:
    """Format a size in bytes as kB or MB (powers of ten), to one decimal."""
    if abs(size) < 1_000_000:
        return f"{size / 1000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB"


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: `1 item`, `3 items`. Only nouns whose plural adds an s."""
    return f"{count} {noun}{'s' * (count != 1)}"


def shorten_digest(digest: str) -> str:
    """Return the first 12 hexadecimal digits of a digest."""
    return digest.rpartition(":")[2][:12]


def format_duration(seconds: float) -> str:
    """Format seconds in their two largest units: `2 h 5 min`.

    Below ten seconds with one decimal place. The smaller unit is rounded down, and left out if it is zero.
    """
    whole = int(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"


def format_clock_time(epoch_ms: float) -> str:
    """Format milliseconds since 1970 as local hours and minutes; with the date if it is not today's."""
    when, today = (datetime.fromtimestamp(ms / 1000, UTC).astimezone() for ms in (epoch_ms, time.time() * 1000))
    return when.strftime("%H:%M" if when.date() == today.date() else "%Y-%m-%d %H:%M")


def find_first_line(text: str) -> str:
    """Return the first line that is not empty; Lambda's runtime ends lines by a carriage return."""
    return next((line.strip() for line in escape_controls(text).splitlines() if line.strip()), "")


def cut_text(text: str, limit: int) -> str:
    """Cut a text after at most `limit` characters, at the end of a word, and mark the cut."""
    if len(text) <= limit:
        return text
    kept = text[: limit + 1].rpartition(" ")[0]
    return f"{kept or text[:limit]} …"


def cut_to_last_lines(text: str, limit: int) -> str:
    """Return the last whole lines of a text that have at most `limit` characters, and mark what was cut."""
    text = escape_controls(text)
    if len(text) <= limit:
        return text
    return f"…\n{text[-limit - 1 :].partition(chr(10))[2] or text[-limit:]}"


def format_utc_now() -> str:
    """Return the current time as ISO 8601 in UTC, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
