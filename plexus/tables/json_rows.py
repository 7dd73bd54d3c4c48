"""Rows of JSON lines, and of JSON files as programs write tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from plexus.exceptions import InvalidData
from plexus.tables import encodings
from plexus.tables.encodings import Encoding
from plexus.tables.sources import Source
from plexus.text import parse_json

Row = dict[str, object]


def read_lines(source: Source, encoding: Encoding) -> Iterator[Row]:
    """Yield an object for each line; blank lines are skipped. Raises InvalidData with the line."""
    with encodings.open_text(source, encoding) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _require_object(_load(line, f"{source.name}:{number}"), f"{source.name}:{number}")


def read_document(source: Source, encoding: Encoding) -> Iterator[Row]:
    """Yield the rows of one JSON document, which is read into memory.

    It is a list of objects; an object with one such list beside other values, as services answer; or a map of columns,
    as pandas writes it. Raises InvalidData for anything else.
    """
    with encodings.open_text(source, encoding) as file:
        document = _load(file.read(), source.name)
    if isinstance(document, dict):
        document = _find_rows(document, source.name)
    if not isinstance(document, list):
        raise InvalidData(f"{source.name}: got {type(document).__name__}, expected a list of objects")
    for number, value in enumerate(document, start=1):
        yield _require_object(value, f"{source.name}: row {number}")


def is_lines(source: Source, encoding: Encoding) -> bool:
    """Return whether the first two lines that are not blank are objects of their own: the file is JSON lines."""
    with encodings.open_text(source, encoding) as file:
        lines = list(islice((line for line in file if line.strip()), 2))
    try:
        return len(lines) == 2 and all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        return False


def _find_rows(document: Row, name: str) -> object:
    lists = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return lists[0]
    columns = {name: value for name, value in document.items() if isinstance(value, dict) and value}
    keys = {tuple(value) for value in columns.values()}
    if len(keys) == 1 and len(columns) == len(document):
        (rows,) = keys
        return [{name: values[row] for name, values in columns.items()} for row in rows]
    if lists or all(isinstance(value, (dict, list)) for value in document.values()):
        raise InvalidData(f"{name}: got an object with {len(lists)} lists of objects, expected one list of objects")
    return [document]


def _load(text: str, place: str) -> object:
    try:
        value = parse_json(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidData(f"{place}: got an unpaired surrogate, expected text") from None
    except json.JSONDecodeError as error:
        at = f":{error.lineno}:{error.colno}" if "\n" in text.rstrip() else f":{error.colno}"
        raise InvalidData(f"{place}{at}: not JSON: {error.msg}") from None
    except ValueError as error:
        raise InvalidData(f"{place}: not JSON: {error}") from None
    except RecursionError:
        raise InvalidData(f"{place}: got lists or objects nested too deeply to be read") from None
    return value


def _require_object(value: object, place: str) -> Row:
    if not isinstance(value, dict):
        raise InvalidData(f'{place}: expected an object, as in {{"text": "…"}}')
    return value
