"""Files of results: read row by row into answers by score and item, of which the latest counts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from plexus.comparison.answers import Answer, EvaluationResult, read_row
from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables import Layout, open_table

_MOST_PROBLEMS = 5
#: What an error of a GraphQL answer has, AppSync's own keys included.
_ERROR_KEYS = {"message", "locations", "path", "extensions", "errorType", "errorInfo", "data"}


@dataclass
class ResultFile:
    """The answers of a file, by score and item; each of `notes` is a line about records that were left out.

    `has_more` is true if the last page of a GraphQL query in it has a successor.
    """

    name: str
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    has_more: bool = False

    @property
    def scores(self) -> list[str]:
        """The scores' names, in the order of the file."""
        return list(self.answers)


def read(path: Path, id_column: str | None = None, layout: Layout = MappingProxyType({})) -> ResultFile:
    """Read results as `plexus run` writes them, as DynamoDB exports them, or as GraphQL answers them.

    Raises InvalidData with the first problems of the rows, if two results of an item contradict each other and none is
    known to be the later one, and if the file has no results.
    """
    with open_table(path, [id_column] if id_column is not None else [], **layout) as table:
        result = collect(table.name, (row for _, row in table.read_rows()), id_column)
        if table.notice:
            result.notes.insert(0, f"{table.name}: {table.notice}")
    return result


def collect(name: str, rows: Iterable[Mapping[str, object]], id_column: str | None = None) -> ResultFile:
    """Return the answers of rows as `read` does; `name` is what messages call them. Raises InvalidData as `read`.

    Rows are read once, and may be a generator. Of several results of an item the latest by its time counts.
    """
    result = ResultFile(name)
    reader = _Reader(result)
    for number, row in enumerate(rows, start=1):
        try:
            records = list(_unwrap(row, result))
        except (ValueError, ArithmeticError) as error:  # a number or bytes that DynamoDB would not have written
            raise InvalidData(f"{name}: row {number}: not DynamoDB's JSON: {type(error).__name__}") from None
        for record in records:
            reader.read(number, record, id_column)
    reader.finish()
    return result


@dataclass
class _Reader:
    """Adds rows to a file's answers, and counts what was left out."""

    result: ResultFile
    problems: list[str] = field(default_factory=list)
    evaluations: int = 0
    replaced: int = 0
    changed: int = 0

    def read(self, number: int, record: Mapping[str, object], id_column: str | None) -> None:
        """Add a row's answers, or the reason why it has none; `number` counts rows from 1."""
        try:
            answers = read_row(record, id_column)
        except EvaluationResult:
            self.evaluations += 1
            return
        except InvalidData as error:
            self.problems.append(f"row {number}: {error}")
            return
        for answer in answers:
            answers_by_item = self.result.answers.setdefault(answer.score, {})
            earlier = answers_by_item.setdefault(answer.item, answer)
            if earlier is not answer:
                self._replace(number, answers_by_item, earlier, answer)

    def _replace(self, number: int, answers: dict[str, Answer], earlier: Answer, answer: Answer) -> None:
        """Keep the later one of two results for one item."""
        differs = (earlier.state, earlier.text) != (answer.state, answer.text)
        self.replaced, self.changed = self.replaced + 1, self.changed + differs
        if differs and (earlier.at is None or answer.at is None or earlier.at == answer.at):
            self.problems.append(
                f"row {number}: the item {answer.item!r} has several results of {answer.score!r} with different "
                "values, and updatedAt and createdAt do not say which is the latest"
            )
        elif earlier.at is not None and answer.at is not None and answer.at > earlier.at:
            answers[answer.item] = answer

    def finish(self) -> None:
        """Raise InvalidData if a row was not read, or none has a result; else note what was left out."""
        name = self.result.name
        if self.problems:
            rest = len(self.problems) - _MOST_PROBLEMS
            lines = self.problems[:_MOST_PROBLEMS] + ([f"and {pluralize(rest, 'more problem')}"] if rest > 0 else [])
            raise InvalidData(f"{name}: got rows that are not results:" + "".join(f"\n  {line}" for line in lines))
        if not self.result.answers:
            raise InvalidData(f"{name}: got no results of jobs, expected at least one")
        if self.result.has_more:
            self.result.notes.append(f"{name}: the last page of the query has a nextToken: more results exist")
        if self.evaluations:
            self.result.notes.append(f"{name}: left out {pluralize(self.evaluations, 'result')} of evaluations")
        if self.replaced:
            what = f"left out {pluralize(self.replaced, 'earlier result')} of items that have several"
            self.result.notes.append(f"{name}: {what}; {self.changed} differed from the one before")


def _unwrap(row: Mapping[str, object], result: ResultFile) -> Iterator[Mapping[str, object]]:
    """Yield the records of a row: itself, what DynamoDB encoded, or the items of a GraphQL answer."""
    if row.get("errors") or ("message" in row and set(row) <= _ERROR_KEYS):
        raise InvalidData(f"{result.name}: the GraphQL answer has errors, so that results may be missing")
    if set(row) == {"Item"} and isinstance(row["Item"], Mapping):
        row = row["Item"]
    if "data" in row and set(row) <= {"data", "extensions", "errors"}:
        for record in _items_within(row["data"], result):
            yield from _unwrap(record, result)
    elif row and all(
        isinstance(value, Mapping) and len(value) == 1 and set(value) <= set(_KINDS) for value in row.values()
    ):
        yield {name: _decode(value) for name, value in row.items()}
    else:
        yield row


def _items_within(value: object, result: ResultFile) -> Iterator[Mapping[str, object]]:
    """Yield the maps in every list `items`."""
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("items"), list):
        result.has_more = bool(value.get("nextToken"))
        yield from (record for record in value["items"] if isinstance(record, Mapping))
    else:
        for member in value.values():
            yield from _items_within(member, result)


def _decode(value: object) -> object:
    """Return a value of DynamoDB's JSON, as in `{"S": "text"}`."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _KINDS:
            return _KINDS[kind](content)
    return value


def _decode_map(value: object) -> object:
    return {name: _decode(member) for name, member in value.items()} if isinstance(value, Mapping) else value


def _decode_list(value: object) -> object:
    return [_decode(member) for member in value] if isinstance(value, list) else value


def _return_unchanged(value: object) -> object:
    return value


_KINDS: Mapping[str, Callable[[object], object]] = {
    "S": _return_unchanged,
    "N": lambda value: Decimal(str(value)),
    "BOOL": _return_unchanged,
    "NULL": lambda _: None,
    "B": lambda value: base64.b64decode(str(value)),
    "M": _decode_map,
    "L": _decode_list,
    "SS": _return_unchanged,
    "NS": _return_unchanged,
    "BS": _return_unchanged,
}
