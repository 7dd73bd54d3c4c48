"""Option types that reject a wrong value before the command does anything."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import click


class Between(click.FloatRange):
    """A finite number in a range. click's own FloatRange accepts NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; a usage error if it is not finite or not in the range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def check_address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return a URL that the SDK accepts as an endpoint; a usage error otherwise.

    None stays None. The address is not contacted.
    """
    try:
        parts = urlsplit(value or "http://none")
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # unbalanced brackets, a port above 65535
        whole = False
    if not whole:
        raise click.BadParameter(f"got {value!r}, expected http://HOST:PORT")
    return value


UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_timestamp_since(text: str) -> str:
    """Return what `parse_since` does in the format of the tables' times, which compare as text; empty for none."""
    if not text:
        return ""
    start = datetime.fromtimestamp(parse_since(text, time.time()) / 1000, UTC)
    return start.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_since(text: str, now_s: float) -> int:
    """Return `10m`, `2h` or `1d` before `now_s`, or an ISO 8601 time, in milliseconds since 1970; never negative.

    A time without an offset is in this host's time zone. A usage error for any other text.
    """
    match = re.fullmatch(r"(\d{1,12})([smhd])", text)
    if match:
        return max(0, int((now_s - int(match.group(1)) * UNITS_S[match.group(2)]) * 1000))
    try:
        return max(0, int(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"--since: got {text!r}, expected a time: 90s, 10m, 2h, 1d or 2026-01-31T12:00"
        ) from None
