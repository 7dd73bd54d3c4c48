"""Snapshot in, HTML out: the whole page, or one fragment for each panel."""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from .. import _git
from .._page import TEMPLATES
from .._text import duration, short
from . import summary
from .plot import milliseconds, plot
from .values import STATES, Panel, Snapshot

FOLDER = TEMPLATES / "dashboard"
LEFT = ("queues", "jobs", "letters", "function", "deploys")
RIGHT = ("latency", "troubles", "results")


def parsed(at: float | str) -> datetime | None:
    """A time in seconds since 1970 or as ISO 8601, in the machine's own zone; None for what is neither."""
    try:
        if isinstance(at, str):
            return datetime.fromisoformat(at).astimezone()
        return datetime.fromtimestamp(at).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def clock(at: float | str, now: float) -> str:
    """A time as people read it: without the date where it was today."""
    when, today = parsed(at), parsed(now)
    if when is None or today is None:
        return str(at)
    if when.date() == today.date():
        return when.strftime("%H:%M:%S")
    return when.strftime("%-d %b %H:%M" if when.year == today.year else "%-d %b %Y")


def iso(at: float | str) -> str:
    """A time for machines and for the pointer's tip."""
    when = parsed(at)
    return when.isoformat(timespec="seconds") if when else str(at)


def share(part: float, whole: float) -> str:
    """A part in percent: never 0 % of something, never 100 % of less than all."""
    if not whole or not part:
        return ""
    percent = 100 * part / whole
    if percent < 1:
        return "< 1 %"
    return "> 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


@cache
def environment() -> Any:
    """The templates."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clock": clock,
        "duration": duration,
        "iso": iso,
        "ms": milliseconds,
        "plot": plot,
        "short": short,
        "commit": _git.short_revision,
    }
    made.globals |= {"share": share, "STATES": STATES}
    return made


def fragment(panel: Panel, now: float) -> str:
    """A panel's inside: its problem if it has one, and its last value if it has one."""
    made = environment().get_template(f"{panel.name}.html.j2").render(panel=panel, value=panel.value, now=now)
    return str(made)


def fragments(found: Snapshot, visibility_timeout_s: float) -> dict[str, str]:
    """The inside of every part of the page that changes, by its id."""
    told = {f"body-{name}": fragment(panel, found.at) for name, panel in found.panels.items()}
    told["verdict"] = _render("verdict", found, remarks=summary.remarks(found, visibility_timeout_s))
    told["figures"] = _render("figures", found, figures=summary.figures(found))
    return told


def _render(name: str, found: Snapshot, **more: Any) -> str:
    return str(environment().get_template(f"{name}.html.j2").render(snapshot=found, **more))


def page(found: Snapshot, visibility_timeout_s: float, *, static: bool = False) -> str:
    """The page; a static one needs nothing but itself and does not refresh."""
    inside = fragments(found, visibility_timeout_s)
    return _render("page", found, inside=inside, columns=(LEFT, RIGHT), static=static)


def write(text: str, path: Path) -> Path:
    """Write a page in one step; return its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.tmp")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
    return path.resolve()
