"""`plexus models`: the table of models, their prices and limits, and its renewal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

OLD = timedelta(days=548)


@click.command(name="models", short_help="List known models, their prices and limits.")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option(
    "--renew",
    metavar="SOURCE",
    help="Write a new table instead, from litellm's: a file, an https address, or `litellm` for the installed package.",
)
@click.option(
    "--write",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that --renew writes, with model_limits.toml beside it; by default the library's own.",
)
def command(words: tuple[str, ...], renew: str | None, write: Path | None) -> int:
    """List the models whose name has every WORD: US dollars per million tokens, window, refused parameters."""
    from plexus import models, prices

    if renew is not None:
        return _renew(renew, write or prices.TABLE)
    as_of, source, _ = prices.read_rows()
    matching = {name: row for name, row in models.read_rows().items() if all(word in name for word in words)}
    width = max(map(len, matching), default=0)
    for name, row in matching.items():
        rates = f"{row.get('input', '?'):>7} {row.get('output', '?'):>7} {row.get('cached', ''):>7}"
        refuses = row.get("refuses")
        listed = f"refuses {', '.join(refuses)}" if isinstance(refuses, list) else ""
        click.echo(f"{name:<{width}} {rates} {row.get('window', ''):>9} {listed}".rstrip())
    click.echo(
        f"{len(matching)} models; input, output and cached tokens in US dollars per million; window in tokens", err=True
    )
    click.echo(describe_origin(as_of, source, datetime.now(UTC).date()), err=True)
    return 0 if matching else 1


def describe_origin(as_of: date, source: str, today: date) -> str:
    """Describe of what day the table is, from where, and how to renew one that is too old to be trusted."""
    remedy = ", more than eighteen months old; next: plexus models --renew SOURCE"
    return f"as of {as_of}, from {source}{remedy if today - as_of > OLD else ''}"


def _renew(source: str, target: Path) -> int:
    from plexus import model_sources, models
    from plexus.whole_file import write_text

    old = models.read_rows()
    rows = model_sources.renew(model_sources.read_source(source), old)
    today = datetime.now(UTC).date()
    for file, part in zip((target, models.find_limit_file(target)), model_sources.split(rows), strict=True):
        write_text(file, model_sources.format_table(part, model_sources.SOURCE, today))
    changed = sum(name in old and dict(old[name]) != row for name, row in rows.items())
    added = sum(name not in old for name in rows)
    click.echo(f"{target}: {len(rows)} models as of {today}; {added} added, {changed} changed")
    return 0
