"""Render a snapshot as HTML: the whole page, or a fragment for each panel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from plexus import pages

from ..aws.ledger import Entry
from ..checkout import git
from ..console.text import format_duration, shorten_digest
from . import summary
from .plot import format_milliseconds, plot
from .values import STATES, Deploys, Panel, Snapshot

FOLDER = Path(__file__).with_name("templates")
LEFT = ("queues", "jobs", "letters", "function", "deploys")
RIGHT = ("latency", "troubles", "results", "shadow")


def parse_time(at: float | str) -> datetime | None:
    """Parse seconds since 1970 or ISO 8601 to local time; None if it is neither.

    A text without an offset is taken for local time.
    """
    try:
        if isinstance(at, str):
            return datetime.fromisoformat(at).astimezone()
        return datetime.fromtimestamp(at).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def format_clock(at: float | str, now: float) -> str:
    """Format a time, without the date if it is today."""
    when, today = parse_time(at), parse_time(now)
    if when is None or today is None:
        return str(at)
    if when.date() == today.date():
        return when.strftime("%H:%M:%S")
    return when.strftime("%-d %b %H:%M" if when.year == today.year else "%-d %b %Y")


def format_iso(at: float | str) -> str:
    """Format a time as ISO 8601, for `datetime` attributes and tooltips."""
    when = parse_time(at)
    return when.isoformat(timespec="seconds") if when else str(at)


def share(part: float, whole: float) -> str:
    """Format a share in percent; never 0 % of a non-zero part, never 100 % of less than the whole."""
    if not whole or not part:
        return ""
    percent = 100 * part / whole
    if percent < 1:
        return "< 1 %"
    return "> 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


@cache
def create_environment() -> Any:
    """Return the template environment."""
    templates = pages.create_environment(FOLDER)
    templates.filters |= {
        "clock": format_clock,
        "duration": format_duration,
        "iso": format_iso,
        "ms": format_milliseconds,
        "plot": plot,
        "short": shorten_digest,
        "commit": git.shorten_revision,
    }
    templates.globals |= {"share": share, "STATES": STATES}
    return templates


def render_fragment(panel: Panel, now: float, changes: Sequence[Entry] = ()) -> str:
    """Render a panel's body: its problem, if any, and its last value, if any; plots mark the alias's `changes`."""
    template = create_environment().get_template(f"{panel.name}.html.j2")
    return str(template.render(panel=panel, value=panel.value, now=now, changes=changes))


def render_fragments(snapshot: Snapshot, visibility_timeout_s: float) -> dict[str, str]:
    """Render every part of the page that changes, by element id.

    Every text is escaped by the templates.
    """
    deploys = snapshot.panels["deploys"].value
    changes = deploys.entries if isinstance(deploys, Deploys) else ()
    parts = {f"body-{name}": render_fragment(panel, snapshot.at, changes) for name, panel in snapshot.panels.items()}
    parts["verdict"] = _render("verdict", snapshot, remarks=summary.list_remarks(snapshot, visibility_timeout_s))
    parts["figures"] = _render("figures", snapshot, figures=summary.list_figures(snapshot))
    return parts


def _render(name: str, snapshot: Snapshot, **more: Any) -> str:
    return str(create_environment().get_template(f"{name}.html.j2").render(snapshot=snapshot, **more))


def render_page(snapshot: Snapshot, visibility_timeout_s: float, *, static: bool = False) -> str:
    """Render the page; a static one is self-contained and does not refresh."""
    inside = render_fragments(snapshot, visibility_timeout_s)
    return _render("page", snapshot, inside=inside, columns=(LEFT, RIGHT), static=static)
