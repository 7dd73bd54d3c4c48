"""`plexus compare`: compare two files of results for the same items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexus.commands import options
from plexus.problems import pluralize

if TYPE_CHECKING:
    from plexus.comparison.differences import Agreement

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="compare", short_help="Compare two files of results.")
@click.argument("old", metavar="OLD", type=_FILE)
@click.argument("new", metavar="NEW", type=_FILE)
@click.option("--score", "names", metavar="NAME", multiple=True, help="Name of a score in NEW. Default: all in both.")
@click.option("--pair", "pairs", nargs=2, multiple=True, metavar="OLD NEW", help="A score's two names, if they differ.")
@click.option("--old-id", metavar="COLUMN", help="Column of OLD that identifies items, as in metadata.external_id.")
@click.option("--new-id", metavar="COLUMN", help="Column of NEW that identifies items.")
@click.option("--least", type=click.FloatRange(0, 1), default=1.0, metavar="SHARE", help="Exit 1 if less is the same.")
@click.option("--common", is_flag=True, help="Items that only one file has do not count.")
@click.option("--fold", is_flag=True, help="Case and white space of values do not count.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Print this many differences.")
@click.option("--output", type=_FILE, help="Write every difference to this file: .csv, .tsv, .xlsx, .jsonl, .parquet.")
@options.encoding
@options.as_json
def command(
    old: Path,
    new: Path,
    names: tuple[str, ...],
    pairs: tuple[tuple[str, str], ...],
    old_id: str | None,
    new_id: str | None,
    least: float,
    common: bool,
    fold: bool,
    limit: int,
    output: Path | None,
    encoding: str | None,
    as_json: bool,
) -> int:
    """Compare results, item by item: how many have the same value, and which differ.

    \b
    Each file is the output of `plexus run`, or a table or an export of ScoreResults.
    Exit codes: 0; 1 if less than --least is the same, or an item is in one file only.
    """
    from plexus.comparison import differences, result_file, text
    from plexus.tables.output import check_output, format_of

    if output is not None:
        check_output(output, [old, new])
        form = format_of(output, None)
    before, after = result_file.read(old, old_id, encoding), result_file.read(new, new_id, encoding)
    options.print_notes(*before.notes, *after.notes)
    chosen = differences.pair_scores(before, after, pairs, names)
    _print_unpaired(before.scores, after.scores, chosen)
    agreements = [differences.compare(before, after, pair, fold=fold) for pair in chosen]
    if output is not None:
        _write(output, form, agreements)
        options.print_notes(f"wrote {output}")
    if as_json:
        listed = [each.as_row() for agreement in agreements for each in agreement.differences]
        document = {"scores": [each.as_dict() for each in agreements], "differences": listed}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(text.render(agreements, limit), nl=False)
    return max(_exit_code(each, least, common=common) for each in agreements)


def _print_unpaired(old: list[str], new: list[str], chosen: list[tuple[str, str]]) -> None:
    """Print which scores are paired under two names, and which are not compared."""
    for first, second in chosen:
        options.print_notes(f"comparing {first!r} with {second!r}" if first != second else "")
    for side, names, paired in (("OLD", old, {pair[0] for pair in chosen}), ("NEW", new, {pair[1] for pair in chosen})):
        rest = [name for name in names if name not in paired]
        options.print_notes(f"not compared, of {side}: {', '.join(map(repr, rest))}" if rest else "")


def _write(path: Path, form: str, agreements: list[Agreement]) -> None:
    from plexus.comparison.differences import Difference
    from plexus.tables import output

    columns: dict[str, type] = dict.fromkeys(Difference("", "", "", None, None).as_row(), str)
    rows = (each.as_row() for agreement in agreements for each in agreement.differences)
    output.write_file(path, form, columns, rows, map(json.dumps, rows))


def _exit_code(agreement: Agreement, least: float, *, common: bool) -> int:
    """Return 1 if the score agrees too little, or on nothing; print why on stderr."""
    from plexus.comparison.differences import ONLY_NEW, ONLY_OLD

    share, kinds = agreement.share, agreement.kinds
    if share is None:
        options.print_notes(
            f"{agreement.score}: no item is in both files. next: --old-id and --new-id name their columns"
        )
        return 1
    alone = kinds[ONLY_OLD] + kinds[ONLY_NEW]
    problems = [f"got {share:.4f} the same, expected at least {least:.4f}"] if share < least else []
    if alone and not common:
        problems.append(f"{pluralize(alone, 'item')} in one file only. next: --common, if that is expected")
    options.print_notes(*(f"{agreement.score}: {problem}" for problem in problems))
    return 1 if problems else 0
