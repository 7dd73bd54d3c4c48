"""`plexus compare`: compare two files of results for the same items, or two scorecards on the same texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

import click

from plexus.commands import options
from plexus.problems import pluralize

if TYPE_CHECKING:
    from plexus.comparison.cards import Scored
    from plexus.comparison.differences import Agreement
    from plexus.comparison.prompts import PromptAgreement
    from plexus.context import Context

_FILE = click.Path(path_type=Path, dir_okay=False)
_FILE_OR_FOLDER = click.Path(path_type=Path)


@click.command(name="compare", short_help="Compare two files of results, or scorecards.")
@click.argument("old", metavar="OLD", type=_FILE_OR_FOLDER)
@click.argument("new", metavar="NEW", type=_FILE_OR_FOLDER)
@click.option("--data", "data_file", type=_FILE, help="OLD and NEW are scorecards: score this table with both.")
@options.text_column
@click.option("--id", "id_column", metavar="COLUMN", help="With --data: column that identifies each row.")
@click.option("--prompts-only", is_flag=True, help="With --data: call no provider; compare each text's first prompt.")
@click.option("--score", "names", metavar="NAME", multiple=True, help="Name of a score in NEW. Default: all in both.")
@click.option("--pair", "pairs", nargs=2, multiple=True, metavar="OLD NEW", help="A score's two names, if they differ.")
@click.option("--old-id", metavar="COLUMN", help="Column of OLD that identifies items, as in metadata.external_id.")
@click.option("--new-id", metavar="COLUMN", help="Column of NEW that identifies items.")
@click.option("--least", type=click.FloatRange(0, 1), default=1.0, metavar="SHARE", help="Exit 1 if less is the same.")
@click.option("--common", is_flag=True, help="Do not count items that are on one side only or failed in both.")
@click.option("--fold", is_flag=True, help="Case and white space of values do not count.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Print this many differences.")
@click.option("--output", type=_FILE, help="Write every difference to this file: .csv, .tsv, .xlsx, .jsonl, .parquet.")
@options.replace
@options.add_table_layout
@options.store
@options.model_options
@options.as_json
def command(
    old: Path,
    new: Path,
    data_file: Path | None,
    text_column: str,
    id_column: str | None,
    prompts_only: bool,
    names: tuple[str, ...],
    pairs: tuple[tuple[str, str], ...],
    old_id: str | None,
    new_id: str | None,
    least: float,
    common: bool,
    fold: bool,
    limit: int,
    output: Path | None,
    is_replaced: bool,
    layout: options.Layout,
    store: Path,
    as_json: bool,
    **model_options: Unpack[options.ModelOptions],
) -> int:
    """Compare results, item by item: how many have the same value, and which differ.

    \b
    Each file is the output of `plexus run`, or a table or an export of ScoreResults.
    With --data, both are scorecards, in either dialect, or folders of these, paired by path, key, id or name;
    their requests are compared too.
    Exit codes: 0; 1 if less than --least is the same, or an item is in one file only or failed in both.
    """
    check_options([old, new])
    form = _check_output(output, [old, new, data_file, model_options["record"]], replace=is_replaced)
    if data_file is None:
        scored, code = {"": _pair_results((old, old_id), (new, new_id), layout, pairs, names)}, 0
    else:
        data = TextTable(data_file, text_column, id_column, layout)
        context = options.create_context(_find_store(store, old, new), **model_options)
        ask = partial(_score, data=data, context=context, pairs=pairs, names=names, prompts_only=prompts_only)
        scored, code = _score_folders(old, new, ask, common=common) if old.is_dir() else ({"": ask((old, new))}, 0)
    prompts = [each for one in scored.values() for each in one.prompts]
    if prompts_only:
        return max(code, _show_prompts(prompts, least, as_json=as_json))
    agreements = _compare_values(scored, fold=fold)
    if output is not None:
        _write(output, form, agreements)
    _show(agreements, prompts if data_file is not None else None, limit, as_json=as_json)
    return max([code, *(_exit_code(each, least, common=common) for each in agreements)])


def _compare_values(scored: Mapping[str, Scored], *, fold: bool) -> list[Agreement]:
    """Return the agreement of each pair of scores, by card."""
    from plexus.comparison import differences

    return [
        differences.compare(results.old, results.new, pair, fold=fold, card=card)
        for card, results in scored.items()
        for pair in results.pairs
    ]


def check_options(files: list[Path]) -> None:
    """Raise click.UsageError for options of the command line that require or contradict others, or the files."""
    from plexus.card_files import is_yaml

    values = click.get_current_context().params
    folders = [path for path in files if path.is_dir()]
    cards = [path for path in files if is_yaml(path) or path in folders]
    if len(folders) == 1:
        raise click.UsageError(f"{folders[0]} is a folder and the other is not, expected two folders or two files")
    if len(cards) == 1:
        raise click.UsageError(
            f"{cards[0]} is a scorecard and the other file is not, expected two scorecards or two files of results. "
            f"next: plexus run {cards[0]} --data TEXTS --output RESULTS, and compare the results"
        )
    if folders and (values["names"] or values["pairs"]):
        raise click.UsageError("--score and --pair are for two files. next: compare the two scorecards alone")
    if cards and values["data_file"] is None:
        raise click.UsageError("OLD and NEW are scorecards and require texts. next: --data TEXTS")
    if not cards and values["data_file"] is not None:
        raise click.UsageError(
            "--data requires two scorecards (.yaml or .yml), got two files of results. next: leave it out"
        )
    needs_data = options.find_explicit(
        "text_column", "id_column", "prompts_only", "store", "offline", "record", "model", "budget"
    )
    if needs_data and not cards:
        raise click.UsageError("--text, --id, --prompts-only, --store and the options of models require --data")
    if cards and (values["old_id"] is not None or values["new_id"] is not None):
        raise click.UsageError("--old-id and --new-id are for files of results. next: --id COLUMN of the texts")
    if values["prompts_only"] and options.find_explicit("record", "offline", "budget", "output", "fold"):
        raise click.UsageError("--prompts-only contradicts --record, --offline, --budget, --output and --fold")


def _check_output(output: Path | None, inputs: Sequence[Path | None], *, replace: bool) -> str:
    """Return the format of the file of differences, or an empty text.

    Raises InvalidData if it is an input, or exists with content and is not to `replace`.
    """
    from plexus.tables.output import check_output, check_replaced, format_of

    if output is None:
        return ""
    check_output(output, [path for path in inputs if path is not None])
    check_replaced(output, replace=replace)
    return format_of(output, None)


def _find_store(store: Path, *sides: Path) -> Path:
    from plexus.card_files import find_cards

    return options.find_store(store, [card for side in sides for card in find_cards(side)])


def _pair_results(
    first: tuple[Path, str | None],
    second: tuple[Path, str | None],
    layout: options.Layout,
    pairs: Sequence[tuple[str, str]],
    names: Sequence[str],
) -> Scored:
    """Read two files, each with its column of ids, and choose what to compare.

    These are the scores of `pairs`, and of equal names; `names` of NEW limit them.
    """
    from plexus.comparison import result_file
    from plexus.comparison.cards import Scored
    from plexus.comparison.differences import pair_scores

    old, new = (result_file.read(path, column, layout) for path, column in (first, second))
    options.print_notes(*old.notes, *new.notes)
    chosen = pair_scores(old, new, pairs, names)
    _print_unpaired(old.scores, new.scores, chosen)
    return Scored(old, new, chosen, [])


class TextTable(NamedTuple):
    """A table of texts: the file, the columns of texts and ids, and its layout."""

    path: Path
    text: str
    id: str | None
    layout: options.Layout


def _score(
    cards: tuple[Path, Path],
    data: TextTable,
    context: Context,
    pairs: Sequence[tuple[str, str]],
    names: Sequence[str],
    *,
    prompts_only: bool,
) -> Scored:
    """Score the texts with both cards: the scores of `pairs`, and of equal names; `names` of NEW limit them."""
    import plexus
    from plexus.comparison import cards as comparison
    from plexus.comparison.differences import pair_scores
    from plexus.running.job import FileRun
    from plexus.running.texts import TextFile
    from plexus.tables import open_table

    first, second = map(plexus.load_file, cards)
    before, after = map(comparison.list_scores, cards, (first, second))
    chosen = pair_scores(before, after, pairs, names)
    with ExitStack() as stack:
        if prompts_only:
            chosen = comparison.select_graphs(first, second, chosen)
            first, second = stack.enter_context(comparison.without_replies(first, second))
        _print_unpaired(before.scores, after.scores, chosen)
        context = replace(context, exchanges=True, replies={}, offline=context.offline or prompts_only)
        columns = [data.text, *([data.id] if data.id is not None else [])]
        table = stack.enter_context(open_table(data.path, columns, **data.layout))
        source = TextFile.of(table, data.text, data.id)
        options.print_notes(table.notice and f"{table.name}: {table.notice}")
        old, new = (
            FileRun(card, list(scores), source, context, False, 1)
            for card, scores in zip((first, second), zip(*chosen, strict=True), strict=True)
        )
        with options.create_progress(source.rows, "scoring with both") as bar:
            return comparison.score(old, new, [*map(str, cards)], bar.update)


def _score_folders(
    old: Path, new: Path, ask: Callable[[tuple[Path, Path]], Scored], *, common: bool
) -> tuple[dict[str, Scored], int]:
    """Score with the pairs of scorecards of two folders; return the results by card, and 1 if a card has none.

    A card that fails is printed, and the others are compared.
    """
    from plexus.comparison.cards import NoPrompts
    from plexus.comparison.differences import name_score
    from plexus.comparison.folders import pair_folders
    from plexus.exceptions import InvalidData, PlexusError

    paired = pair_folders(old, new)
    if not paired.pairs:
        raise InvalidData(f"no scorecard is in both folders, {old} and {new}. next: plexus lint on each of them")
    options.print_notes(*paired.broken.values())
    for side, alone in (("OLD", paired.only_old), ("NEW", paired.only_new)):
        options.print_notes(*(f"not compared, only in {side}: {file}" for file in alone))
    code = int(bool(paired.broken) or bool((paired.only_old or paired.only_new) and not common))
    scored: dict[str, Scored] = {}
    for card, files in paired.pairs.items():
        try:
            scored[card] = ask(files)
            for agreement in scored[card].prompts:
                agreement.score = name_score(card, agreement.score)
        except NoPrompts as error:
            options.print_notes(f"{card}: not compared: {error}")
        except PlexusError as error:
            options.print_notes(f"{card}: {error}")
            code = 1
    rest = len(paired.broken) + len(paired.only_old) + len(paired.only_new)
    counts = f"{len(scored)} compared, {len(paired.pairs) - len(scored)} not; {pluralize(rest, 'other file')}"
    options.print_notes(f"{pluralize(len(paired.pairs), 'pair')} of scorecards: {counts}")
    return scored, code if scored else 1


def _show(
    agreements: Sequence[Agreement], prompts: Sequence[PromptAgreement] | None, limit: int, *, as_json: bool
) -> None:
    """Print a comparison of values and prompts; None for files of results, which have no prompts."""
    from plexus.comparison import text

    if as_json:
        listed = [each.as_row() for agreement in agreements for each in agreement.listed]
        document: dict[str, object] = {"scores": [each.as_dict() for each in agreements], "differences": listed}
        prompted = {} if prompts is None else {"prompts": [each.as_dict() for each in prompts]}
        click.echo(json.dumps(document | prompted, indent=2, ensure_ascii=False))
    else:
        table = text.render_prompts(prompts or ())
        click.echo(text.render(agreements, limit) + (f"\n{table}" if table else ""), nl=False)


def _show_prompts(prompts: list[PromptAgreement], least: float, *, as_json: bool) -> int:
    """Print a comparison of requests alone; return 1 if the requests of a score agree too little, or it has none."""
    from plexus.comparison import text

    if as_json:
        click.echo(json.dumps({"prompts": [each.as_dict() for each in prompts]}, indent=2, ensure_ascii=False))
    else:
        click.echo(text.render_prompts(prompts), nl=False)
    for agreement in prompts:
        name, share = agreement.score, agreement.share
        if agreement.parameters and least:
            nodes = ", ".join(dict.fromkeys(each.node for each in agreement.parameters))
            options.print_notes(f"{name}: got different parameters of requests, expected the same: node {nodes}")
        if agreement.silent:
            options.print_notes(
                f"{name}: not compared, {pluralize(agreement.silent, 'row')} without a request to a model"
            )
        if share is not None and share < least:
            options.print_notes(
                f"{name}: got {share:.4f} of the rows with the same prompts, expected at least {least:.4f}"
            )
    return int(any(each.share is None or each.share < least or (each.parameters and least) for each in prompts))


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
    rows = (each.as_row() for agreement in agreements for each in agreement.listed)
    output.write_file(path, form, columns, rows, map(json.dumps, rows))
    options.print_notes(f"wrote {output}")


def _exit_code(agreement: Agreement, least: float, *, common: bool) -> int:
    """Return 1 if the score agrees too little, or on nothing; print why on stderr."""
    from plexus.comparison.differences import ONLY_NEW, ONLY_OLD

    share, kinds = agreement.share, agreement.kinds
    failed = f"{pluralize(len(agreement.failed), 'item')} failed in both"
    if share is None:
        nothing = "no item is in both files. next: --old-id and --new-id name their columns"
        options.print_notes(
            f"{agreement.score}: {f'no other item is in both: {failed}' if agreement.failed else nothing}"
        )
        return 1
    alone = kinds[ONLY_OLD] + kinds[ONLY_NEW]
    problems = [f"got {share:.4f} the same, expected at least {least:.4f}"] if share < least else []
    if alone and not common:
        problems.append(f"{pluralize(alone, 'item')} in one file only. next: --common, if that is expected")
    if agreement.failed and not common:
        problems.append(f"{failed}. next: --common, if that is expected")
    options.print_notes(*(f"{agreement.score}: {problem}" for problem in problems))
    return 1 if problems else 0
