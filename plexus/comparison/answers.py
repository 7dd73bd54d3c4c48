"""Answers: the results of one score for one item, read from a row in any of the shapes that programs write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from plexus import items
from plexus.exceptions import InvalidData, NotApplicable
from plexus.running.writers import PARTS
from plexus.tables.output import guard

#: `failed`: the score should have had a value, and has none. `skipped`: a condition said that it does not apply.
State = Literal["value", "failed", "skipped"]

#: Where a record of a result has its item and its score, the most telling first.
_ITEM_KEYS = ("itemId", "item", "item_id")
_SCORE_KEYS = ("score", "scoreName", "score_name", "scoreId", "score_id")
_TIMES = ("updatedAt", "createdAt")
_ROW, _ID, _RESULTS, _VALUE = "row", "id", "results", "value"
_COMPLETED, _SUCCESS, _PREDICTION = "COMPLETED", "200", "prediction"
_ERROR_VALUE = "ERROR"  # a failure that the original stores as the value
_, _, _EXPLANATION, _ERROR = PARTS


@dataclass(frozen=True)
class Answer:
    """One score's answer for one item. `text` is its value, or why it has none; `cost` is in US dollars.

    `at` is None if the file does not say when the answer was written.
    """

    item: str
    score: str
    state: State
    text: str
    explanation: str | None = None
    cost: Decimal | None = None
    at: datetime | None = None


class EvaluationResult(Exception):
    """Raised for a record that is the result of an evaluation, not of a job."""


def read_row(row: Mapping[str, object], id_column: str | None) -> list[Answer]:
    """Return the answers of a row: a line of `plexus run`, in either form, or one ScoreResult.

    `id_column` names the column of the item's id; dots lead into maps. Raises InvalidData for a row of another shape,
    or without an id, and EvaluationResult for a record to leave out.
    """
    if isinstance(row.get(_RESULTS), Mapping):
        return _read_run_line(row, id_column)
    if _VALUE in row and any(key in row for key in _SCORE_KEYS):
        return [_read_record(row, id_column)]
    scores = [name for name in row if name + _ERROR in row]
    if scores:
        return _read_run_table_row(row, scores, id_column)
    columns = ", ".join(map(str, row))
    raise InvalidData(
        f"got the columns {columns or '(none)'}; expected the output of `plexus run`, or results with the columns "
        "itemId, score or scoreId, and value"
    )


def _read_run_line(row: Mapping[str, object], id_column: str | None) -> list[Answer]:
    """Return the answers of a JSON line that `plexus run` wrote."""
    item = _read_item({**_as_map(row.get("columns")), **row}, id_column)
    answers = []
    for score, fields in _as_map(row[_RESULTS]).items():
        fields = _as_map(fields)
        if "error" in fields:
            answers.append(without_value(item, score, _as_text(fields["error"]), _as_text(fields.get("message"))))
        else:
            explanation = _as_optional_text(fields.get("explanation"))
            cost = _parse_cost(fields.get("cost"))
            answers.append(Answer(item, score, "value", _as_text(fields.get(_VALUE)), explanation, cost))
    return answers


def _read_run_table_row(row: Mapping[str, object], scores: list[str], id_column: str | None) -> list[Answer]:
    """Return the answers of a row of a table that `plexus run` wrote."""
    item = _read_item(row, id_column)
    answers = []
    for score in scores:
        error = _as_text(row[score + _ERROR])
        if error:
            answers.append(without_value(item, score, *error.split(": ", 1)))
        else:
            explanation = _as_optional_text(row.get(score + _EXPLANATION))
            answers.append(Answer(item, score, "value", _as_text(row.get(score)), explanation))
    return answers


def without_value(item: str, score: str, kind: str, message: str = "") -> Answer:
    """Return the answer of a score that gave no value: `kind` is its error's class, NotApplicable if it was skipped."""
    state: State = "skipped" if kind == NotApplicable.__name__ else "failed"
    return Answer(item, score, state, f"{kind}: {message}" if message else kind)


def _read_record(row: Mapping[str, object], id_column: str | None) -> Answer:
    """Return the answer of one ScoreResult."""
    kind = _as_text(row.get("type"))
    if (kind and kind.casefold() != _PREDICTION) or (not kind and _as_text(row.get("evaluationId"))):
        raise EvaluationResult
    item, score, value = _read_item(row, id_column), _read_score(row), _as_text(row[_VALUE])
    explanation = _as_optional_text(row.get("explanation")) or _as_optional_text(_look_up(row, "metadata.explanation"))
    code, status = _as_text(row.get("code")) or _SUCCESS, _as_text(row.get("status")) or _COMPLETED
    problem = ""
    if not value or value.upper() == _ERROR_VALUE:
        problem = f"the value is {value!r}"
    elif code != _SUCCESS:
        problem = f"the code is {code}"
    elif status.upper() != _COMPLETED:
        problem = f"the status is {status}"
    times = [time for key in _TIMES if (time := _parse_time(row.get(key))) is not None]
    cost = _parse_cost(items.decode_json(row.get("cost")))
    return Answer(
        item, score, "failed" if problem else "value", problem or value, explanation, cost, times[0] if times else None
    )


def _read_item(row: Mapping[str, object], id_column: str | None) -> str:
    """Return the item's id; without a column of ids, `plexus run` numbers its rows."""
    keys = [id_column] if id_column is not None else [*_ITEM_KEYS, *([] if _VALUE in row else [_ID, _ROW])]
    for key in keys:
        if name := _as_text(_look_up(row, key)).strip():
            return str(guard(name))  # in CSV, an id that begins like a formula has an apostrophe before it
    raise InvalidData(f"got no item's id in {' or '.join(keys)}; columns: {', '.join(map(str, row))}")


def _read_score(row: Mapping[str, object]) -> str:
    for key in _SCORE_KEYS:
        value = items.decode_json(row.get(key))
        name = _as_text(_as_map(value).get("name") or _as_map(value).get(_ID) if isinstance(value, Mapping) else value)
        if name:
            return name
    raise InvalidData(f"got no score in {', '.join(_SCORE_KEYS)}")


def _look_up(row: Mapping[str, object], path: str) -> object:
    """Return a column's value, or what a path of keys leads to through maps, or maps as JSON text; None if nothing."""
    if path in row:
        return row[path]
    first, _, rest = path.partition(".")
    inner = items.decode_json(row.get(first)) if rest else None
    return _look_up(inner, rest) if isinstance(inner, Mapping) else None


def _as_map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _as_text(value: object) -> str:
    return items.as_text(value)


def _as_optional_text(value: object) -> str | None:
    return None if value is None or isinstance(value, (Mapping, list)) else _as_text(value) or None


def _parse_cost(value: object) -> Decimal | None:
    """Return US dollars: a number, or the total of the original's object of costs; None if it is neither."""
    if isinstance(value, Mapping):
        value = value.get("total_cost")
    try:
        amount = Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _parse_time(value: object) -> datetime | None:
    """Return an ISO 8601 time; UTC if it has no offset, None if it is not one."""
    if isinstance(value, datetime):
        time = value
    else:
        try:
            time = datetime.fromisoformat(_as_text(value))
        except ValueError:
            return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
