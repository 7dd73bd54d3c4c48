"""pydantic's errors → findings in the words of the YAML, with the nearest name for a typo."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from plexus.configuration.card import AnyScore, Card, CardHead
from plexus.problems import Finding, Path, nearest

_SCORE: TypeAdapter[Any] = TypeAdapter(AnyScore)
_WORDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}


def head(value: dict[str, Any]) -> tuple[CardHead | None, list[Finding]]:
    """The scorecard's own keys, without its scores."""
    rest = {key: each for key, each in value.items() if key != "scores"}
    try:
        return CardHead.model_validate(rest), []
    except ValidationError as error:
        return None, list(_findings(error, value, (), Card))


def score(value: Any, path: Path) -> tuple[Any, list[Finding]]:
    """One score as its class's model, or what is wrong with it."""
    try:
        return _SCORE.validate_python(value), []
    except ValidationError as error:
        return None, list(_findings(error, value, path, AnyScore))


def _findings(error: ValidationError, value: Any, prefix: Path, shape: Any) -> Iterator[Finding]:
    for detail in error.errors(include_url=False):
        path, shapes = _follow(detail["loc"], value, shape)
        on_key = detail["type"] == "extra_forbidden"
        yield Finding((*prefix, *path), _message(detail, path, shapes), on_key=on_key)


def _follow(location: tuple[int | str, ...], value: Any, shape: Any) -> tuple[Path, list[Any]]:
    """The path in the YAML (without pydantic's own tags for unions) and the models that stand at its parent."""
    path: list[int | str] = []
    parents = shapes = _unwrapped(shape)
    for index, part in enumerate(location):
        tagged = [each for each in shapes if part in _tags(each)]
        inside = isinstance(value, dict) and part in value
        if tagged and not inside:
            parents = shapes = tagged
            continue
        last = index == len(location) - 1
        if not (inside or isinstance(part, int) or last):
            continue
        path.append(part)
        parents, shapes = shapes, [inner for each in shapes for inner in _inner(each, part)]
        value = _child(value, part)
    return tuple(path), parents


def _child(value: Any, part: int | str) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def _unwrapped(shape: Any) -> list[Any]:
    """The types that an annotation allows, without Annotated, Optional and unions."""
    origin = typing.get_origin(shape)
    if origin is typing.Annotated:
        return _unwrapped(typing.get_args(shape)[0])
    if origin is typing.Union or type(shape).__name__ in ("UnionType", "Union"):
        return [inner for each in typing.get_args(shape) for inner in _unwrapped(each)]
    return [shape]


def _inner(shape: Any, part: int | str) -> list[Any]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        for name, field in shape.model_fields.items():
            if part == (field.alias or name):
                return _unwrapped(field.annotation)
        return []
    arguments = typing.get_args(shape)
    if isinstance(part, int) or len(arguments) == 1:
        return _unwrapped(arguments[0]) if arguments else []
    return _unwrapped(arguments[-1]) if arguments else []


def _tags(shape: Any) -> tuple[str, ...]:
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return ()
    tag = shape.model_fields.get("class_name")
    return typing.get_args(tag.annotation) if tag else ()


def keys_of(shape: Any) -> list[str]:
    """The keys that a model allows, as the YAML spells them."""
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return []
    return [field.alias or name for name, field in shape.model_fields.items()]


def _message(detail: ErrorDetails, path: Path, shapes: list[Any]) -> str:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    last = str(path[-1]) if path else ""
    if kind == "missing":
        return f"the required key {last!r} is missing"
    if kind == "extra_forbidden":
        known = [key for shape in shapes for key in keys_of(shape)]
        guess = nearest(last, known)
        return f"unknown key {last!r}" + (guess or f"; known here: {', '.join(dict.fromkeys(known))}")
    if kind == "union_tag_invalid":
        known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"unknown class {context['tag']!r}" + (
            nearest(str(context["tag"]), known) or f"; known: {', '.join(known)}"
        )
    if kind == "union_tag_not_found":
        meant = [key for key in given if nearest(str(key), ["class"])] if isinstance(given, dict) else []
        return "the required key 'class' is missing" + "".join(f"; is {key!r} meant to be it?" for key in meant)
    if kind == "literal_error":
        return f"expected {context['expected']}, got {_given(given)}" + nearest(str(given), _choices(context))
    if kind == "value_error":
        return str(context["error"])
    return _plain(kind, detail, given)


def _plain(kind: str, detail: ErrorDetails, given: Any) -> str:
    if kind in _WORDS:
        quote = "; put it in quotes" if kind == "string_type" and isinstance(given, (bool, int, float)) else ""
        return f"expected {_WORDS[kind]}, got {_given(given)}{quote}"
    if kind == "string_pattern_mismatch" and detail.get("ctx", {}).get("pattern") == r"\S":
        return f"expected text that is not blank, got {_given(given)}"
    return detail["msg"][0].lower() + detail["msg"][1:] + f", got {_given(given)}"


def _choices(context: dict[str, Any]) -> list[str]:
    return [choice.strip(" '") for choice in str(context["expected"]).replace(" or ", ",").split(",")]


def _given(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "…")
    return "a list" if isinstance(value, list) else "a map"
