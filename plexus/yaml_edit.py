"""Setting one key of a score in the YAML's own text, so that comments and layout stay as they are."""

from __future__ import annotations

from plexus import document
from plexus.exceptions import InvalidData
from plexus.problems import Position


def with_value(text: str, index: int, key: str, value: str) -> str:
    """The text in which the score with that index has `key: value`; the value is written without quotes."""
    text = text.removeprefix("\ufeff")
    parsed = document.parse(text, "scorecard")
    path = ("scores", index, key)
    if path in parsed.keys and path in parsed.source:
        start = _offset(text, parsed.positions[path])
        changed = text[:start] + value + text[start + len(_written(text, start)) :]
    else:
        begin, after = parsed.positions[path[:2]], parsed.keys.get(("scores", index, "class"))
        start = _offset(text, after if after is not None and after.column == begin.column else begin)
        changed = _inserted(text, start, f"{key}: {value}")
    if document.parse(changed, "scorecard").value["scores"][index].get(key) != value:
        raise InvalidData(f"cannot write `{key}: {value}` into the YAML of score {index + 1}: write it there by hand")
    return changed


def _inserted(text: str, start: int, entry: str) -> str:
    """In a map in braces behind its first brace, else as a line above the key that begins there."""
    if text[start] == "{":
        return f"{text[: start + 1]}{entry}, {text[start + 1 :]}"
    indent = start - (text.rfind("\n", 0, start) + 1)
    return f"{text[:start]}{entry}\n{' ' * indent}{text[start:]}"


def _written(text: str, start: int) -> str:
    """The scalar that begins there, as it is written."""
    if text[start] in "'\"":
        return text[start : text.index(text[start], start + 1) + 1]
    end = start
    while end < len(text) and text[end] not in "\n,}#":
        end += 1
    return text[start:end].rstrip()


def _offset(text: str, position: Position) -> int:
    lines = text.splitlines(keepends=True)
    return sum(len(line) for line in lines[: position.line - 1]) + position.column - 1
