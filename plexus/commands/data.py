"""`plexus data`: look at a table of labelled texts, and make clean, split, smaller or converted ones of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from plexus.commands import data_tables, options
from plexus.commands.data_tables import FILE, Columns, open_dataset, print_guarded, read_other
from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables.output import FORMATS

if TYPE_CHECKING:
    from plexus.dataset.cleaning import CleaningResult
    from plexus.dataset.entries import Dataset
    from plexus.tables import Table


@click.group(name="data", short_help="Look at, clean, split, sample and convert tables.")
def command() -> None:
    """Look at a table of labelled texts, and make others of it.

    FILE is any table that `plexus run` reads: CSV in every dialect, JSON, Excel or Parquet; - is standard input.
    """


@command.command(short_help="List what a table has, and what would mislead.")
@data_tables.labelled_data
@click.option(
    "--with", "others", metavar="FILE", type=FILE, multiple=True, help="Look for texts shared with this table."
)
@click.option("--html", type=FILE, help="Write the page to this file.")
@options.replace
@options.as_json
def look(
    file: Path,
    others: tuple[Path, ...],
    html: Path | None,
    is_replaced: bool,
    as_json: bool,
    **columns: Unpack[Columns],
) -> None:
    """List rows, lengths, languages and labels of a table, and what would mislead training or evaluation.

    Listed are empty and damaged texts, spellings and typos of labels, rare classes, repeated texts, texts with several
    labels, and texts that other tables share. If no column is called text or label, the likely ones are guessed.
    """
    from plexus.dataset import entries, looking, page, printing
    from plexus.tables.output import check_output, check_replaced
    from plexus.whole_file import write_text

    if html is not None:
        options.check_writable(html)
        check_output(html, [file, *others])
        check_replaced(html, replace=is_replaced, mark=options.PAGE_MARK)
    with open_dataset(file, columns, guess=True) as source:
        dataset = source.read()
        shared = [read_other(path, source, columns) for path in others]
        notice = source.table.notice
    result = looking.look(dataset, shared)
    if html is not None:
        write_text(html, page.render(result, notice))
    options.print_notes(entries.hint_at_missing_header(dataset))
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
        return
    click.echo(printing.describe(result, notice), nl=False)
    if html is not None:
        click.echo(f"wrote {html}")


@command.command(short_help="Write a table without its faults.")
@data_tables.labelled_data
@data_tables.output
@click.option("--map", "pairs", metavar="OLD=NEW", multiple=True, help="Write a label as another; OLD= leaves it out.")
@click.option("--near", is_flag=True, help="Leave out near-duplicates too.")
@click.option(
    "--without", "others", metavar="FILE", type=FILE, multiple=True, help="Leave out texts that this table has."
)
@click.option(
    "--least-texts",
    "least",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Leave out classes of which fewer texts would remain; training requires 2.",
)
@click.option("--removed", type=FILE, help="Write the rows that are left out, with the reason, to this file.")
@options.replace
def clean(
    file: Path,
    output: Path,
    pairs: tuple[str, ...],
    near: bool,
    others: tuple[Path, ...],
    least: int,
    removed: Path | None,
    is_replaced: bool,
    **columns: Unpack[Columns],
) -> None:
    """Write the rows with a text and a label, each text once, each label in one spelling.

    Left out, counted and listed in --removed are rows without a text or a label, repetitions of a text, and all rows of
    a text that has several labels. The other rows and columns are as they were, in their order.
    """
    from plexus.dataset import cleaning, entries, writing

    if removed is not None and removed.resolve() == output.resolve():
        raise click.UsageError("--removed and --output name the same file")
    paths = [output, *([removed] if removed is not None else [])]
    forms = writing.check_outputs(paths, [file, *others], replace=is_replaced)
    mapping = entries.parse_pairs("--map", pairs)
    with open_dataset(file, columns) as source:
        dataset = source.read()
        shared = [read_other(path, source, columns) for path in others]
        cleaned = cleaning.clean(dataset, mapping, shared, near=near, least=least)
        options.print_notes(*cleaned.notes)
        rows = write_cleaned(source.table, dataset, cleaned, dict(zip(paths, forms, strict=True)))
    counts = ", ".join(f"{count} {kind}" for kind, count in cleaned.counts.items())
    click.echo(
        f"wrote {output}: {rows} of {pluralize(len(dataset.entries), 'row')}"
        + (f"; left out: {counts}" if counts else "")
    )
    if removed is not None:
        click.echo(f"wrote {removed}: {pluralize(len(cleaned.reasons), 'row')}")


def write_cleaned(table: Table, dataset: Dataset, cleaned: CleaningResult, files: Mapping[Path, str]) -> int:
    """Write the rows that stay, and to a second file those that are left out; return the number of rows that stay.

    `files` maps each path to its format. Raises InvalidData as `Writer.write`.
    """
    from plexus.dataset import entries, writing

    names = entries.choose_written_names(dataset)
    writer = writing.Writer(table, names)

    def keep(row: int) -> Mapping[str, object] | None:
        if row not in cleaned.labels:
            return None
        label = cleaned.labels[row]
        is_same = dataset.label is None or dataset.entries[row - 1].label == label
        return {} if is_same else {str(dataset.label): label}

    (output, form), *others = files.items()
    rows = writer.write(output, form, keep)
    for removed, other_form in others:
        # Keys that no column has: a column of the same name is an error, not overwritten.
        reasons = {
            row: {"\0row": row, "\0reason": " ".join(filter(None, reason))} for row, reason in cleaned.reasons.items()
        }
        named = {"\0row": "source row", "\0reason": "left out as", **names}
        writing.Writer(table, named).write(removed, other_form, reasons.get)
    print_guarded(writer)
    return rows


@command.command(short_help="Divide a table into parts to train and to test on.")
@data_tables.labelled_data
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the parts to write."
)
@click.option(
    "--test", type=click.FloatRange(0, 1, True, True), default=0.2, show_default=True, help="Share to test on."
)
@click.option(
    "--validation", type=click.FloatRange(0, 1, True, True), help="Share of a third part to choose models on."
)
@click.option("--group", metavar="COLUMN", help="Keep rows with an equal value in this column together.")
@click.option("--time", metavar="COLUMN", help="Test on the latest rows by this column, instead of random ones.")
@click.option("--time-format", metavar="FORMAT", help="Format of --time, as in %d.%m.%Y. Default: ISO 8601 or numbers.")
@data_tables.seed
@click.option("--format", "form", type=click.Choice(FORMATS), help="Format of the parts. Default: FILE's, or csv.")
@options.replace
def split(
    file: Path,
    output: Path,
    test: float,
    validation: float | None,
    group: str | None,
    time: str | None,
    time_format: str | None,
    seed: int,
    form: str | None,
    is_replaced: bool,
    **columns: Unpack[Columns],
) -> None:
    """Write train, test and, if asked for, validation, and split.json, which records how they were made.

    The parts have the same shares of each class. Near-duplicates stay in one part, so that no text is tested that a
    model has almost learned. With --group or --time the column decides, and repetitions across parts are counted.
    """
    from plexus.dataset import parts, writing

    if group is not None and time is not None:
        raise click.UsageError("--group and --time contradict each other")
    if time_format is not None and time is None:
        raise click.UsageError("--time-format requires --time")
    shares = parts.compute_shares(test, validation)
    plan = parts.SplitPlan(seed, shares, group, time, form or data_tables.format_like(file), time_format)
    writing.check_outputs(plan.list_paths(output)[:-1], [file], replace=is_replaced)
    record = plan.list_paths(output)[-1]
    if record.exists() and not is_replaced:
        raise InvalidData(f"{record}: exists. next: --replace, or another folder")
    with open_dataset(file, columns, group or time) as source:
        split_result = parts.write(source.table, source.text, source.label, plan, output)
        if source.label is None:
            remark = "no column 'label': the shares of classes are left to chance. next: --label NAME"
            options.print_notes(f"{file}: {remark}")
        print_guarded(split_result.writer)
    click.echo(parts.describe(split_result, output, plan))


@command.command(short_help="Write some rows of a table, chosen at random.")
@data_tables.labelled_data
@data_tables.output
@click.option("--rows", "size", type=click.IntRange(1), required=True, help="Number of rows.")
@click.option("--balanced", is_flag=True, help="As many of each class, instead of the table's own shares.")
@data_tables.seed
@options.replace
def sample(
    file: Path,
    output: Path,
    size: int,
    balanced: bool,
    seed: int,
    is_replaced: bool,
    **columns: Unpack[Columns],
) -> None:
    """Write a random sample of the rows with a text, with the same shares of each class, in the order of the table.

    The same texts and seed give the same sample, whatever the order of the rows.
    """
    from plexus.dataset import entries, splitting, writing

    (form,) = writing.check_outputs([output], [file], replace=is_replaced)
    with open_dataset(file, columns) as source:
        if balanced and source.label is None:
            raise click.UsageError("--balanced requires a column of labels. next: --label NAME")
        dataset = source.read()
        kept = [entry for entry in dataset.entries if entry.has_text]
        rows = splitting.choose_sample(kept, size, seed, balanced=balanced)
        writer = writing.Writer(source.table, entries.choose_written_names(dataset))
        writer.write(output, form, lambda row: {} if row in rows else None)
        print_guarded(writer)
    click.echo(f"wrote {output}: {size} of {pluralize(len(dataset.entries), 'row')}")


@command.command(short_help="Write a table in another format.")
@data_tables.table
@options.add_table_layout
@data_tables.output
@click.option("--rename", "pairs", metavar="OLD=NEW", multiple=True, help="Name a column, by name or number, anew.")
@click.option("--columns", metavar="A,B,…", help="Write these columns only, in this order.")
@click.option("--members", metavar="COLUMN", help="Add a column of Yes and No for each label that its cells join.")
@options.replace
def convert(
    file: Path,
    layout: options.Layout,
    output: Path,
    pairs: tuple[str, ...],
    columns: str | None,
    members: str | None,
    is_replaced: bool,
) -> None:
    """Write the rows of a table in the format of the output's suffix, cell by cell as they were.

    JSON lines keep every type, Parquet and Excel numbers and texts, CSV texts.
    """
    from plexus.dataset import entries, structure, writing
    from plexus.tables import open_table

    (form,) = writing.check_outputs([output], [file], replace=is_replaced)
    renamed = entries.parse_pairs("--rename", pairs)
    chosen = [name.strip() for name in columns.split(",")] if columns is not None else []
    member_columns = [members] if members is not None else []
    with open_table(file, [*chosen, *renamed, *member_columns], **layout) as table:
        names = entries.list_columns(table, [*chosen, *renamed, *member_columns])
        table.check_formulas(chosen or names)
        cells = structure.list_members(table, members) if members is not None else {}
        written = {name: {**table.numbers, **renamed}.get(name, name) for name in chosen or names}
        writer = writing.Writer(table, {**written, **{f"\0{name}": name for name in cells}})
        rows = writer.write(
            output, form, lambda row: {f"\0{name}": "Yes" if row in has else "No" for name, has in cells.items()}
        )
        options.print_notes(table.notice and f"{table.name}: {table.notice}")
        print_guarded(writer)
    click.echo(f"wrote {output}: {pluralize(rows, 'row')}")
