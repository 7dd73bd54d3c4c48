"""Edit one key of a score in the YAML text itself, leaving comments and layout untouched."""

from __future__ import annotations

from plexus import document
from plexus.exceptions import InvalidData
from plexus.problems import Position


def set_key(text: str, index: int, key: str, value: str) -> str:
    """Return the YAML text in which the score at `index` has `key: value`; the value is written without quotes.

    An existing value is replaced in place; a new key goes above the score's `class`. The edited text is parsed again:
    raises InvalidData if the key does not have the value then, and InvalidScorecard if the YAML is not valid.
    """
    text = text.removeprefix("\ufeff")
    parsed = document.parse(text, "scorecard")
    path = ("scores", index, key)
    if path in parsed.keys and path in parsed.scalars:
        start = find_offset(text, parsed.positions[path])
        edited = text[:start] + value + text[start + len(read_scalar(text, start)) :]
    else:
        first, class_key = parsed.positions[path[:2]], parsed.keys.get(("scores", index, "class"))
        start = find_offset(text, class_key if class_key is not None and class_key.column == first.column else first)
        edited = _insert(text, start, f"{key}: {value}")
    # Flow style, quotes and anchors have corners that no offset arithmetic covers: the result is checked.
    if document.parse(edited, "scorecard").scalars.get(path) != value:
        raise InvalidData(f"cannot write `{key}: {value}` into the YAML of score {index + 1}: write it there by hand")
    return edited


def _insert(text: str, start: int, entry: str) -> str:
    """Insert behind the opening brace of a map in braces, otherwise as a line above the key at `start`."""
    if text[start] == "{":
        return f"{text[: start + 1]}{entry}, {text[start + 1 :]}"
    indent = start - (text.rfind("\n", 0, start) + 1)
    return f"{text[:start]}{entry}\n{' ' * indent}{text[start:]}"


def read_scalar(text: str, start: int) -> str:
    """Return the scalar that begins at `start`, quotes included."""
    if text[start] in "'\"":
        return text[start : text.index(text[start], start + 1) + 1]
    end = start
    while end < len(text) and text[end] not in "\n,}#":
        end += 1
    return text[start:end].rstrip()


def find_offset(text: str, position: Position) -> int:
    """Return the index of a position in the text."""
    lines = text.splitlines(keepends=True)
    return sum(len(line) for line in lines[: position.line - 1]) + position.column - 1
