"""Options whose values are checked before anything is done: a wrong one is misuse, not a traceback."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlsplit

import click


class Between(click.FloatRange):
    """A number in a range; "not a number" is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or misuse."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An address as the SDK takes one, or misuse."""
    try:
        parts = urlsplit(value or "http://none")
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not close, a port past 65535
        whole = False
    if not whole:
        raise click.BadParameter(f"{value!r} is no address; write http://HOST:PORT")
    return value
