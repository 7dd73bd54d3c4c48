"""Validate parsed YAML with the models; pydantic's errors become findings in the words of the YAML."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from plexus.configuration.card import AnyScore, Card, CardHead
from plexus.configuration.processors import VISIBLE
from plexus.problems import Finding, KeyPath, suggest

_SCORE: TypeAdapter[AnyScore] = TypeAdapter(AnyScore)
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


def validate_head(value: Mapping[str, object]) -> tuple[CardHead | None, list[Finding]]:
    """Validate the scorecard's own keys; `scores` is left out. Returns the model or None, and the findings."""
    # Scores are validated one by one: one invalid score must not hide the problems of the others.
    rest = {key: member for key, member in value.items() if key != "scores"}
    try:
        return CardHead.model_validate(rest), []
    except ValidationError as error:
        return None, list(_find_problems(error, value, (), Card))


def validate_score(value: object, path: KeyPath) -> tuple[AnyScore | None, list[Finding]]:
    """Validate one score as its class's model. Returns the model or None, and the findings below `path`."""
    try:
        return _SCORE.validate_python(value), []
    except ValidationError as error:
        return None, list(_find_problems(error, value, path, AnyScore))


def _find_problems(error: ValidationError, value: object, prefix: KeyPath, shape: object) -> Iterator[Finding]:
    for detail in error.errors(include_url=False):
        path, shapes = _follow(detail["loc"], value, shape)
        on_key = detail["type"] == "extra_forbidden"
        yield Finding((*prefix, *path), _format_message(detail, path, shapes), on_key=on_key)


def _follow(location: tuple[int | str, ...], value: object, shape: object) -> tuple[KeyPath, list[object]]:
    """Return the error's path in the YAML, and the models that its parent may be.

    pydantic's locations also contain the tags of unions, which the YAML does not have.
    """
    path: list[int | str] = []
    parents = shapes = _unwrap(shape)
    for index, part in enumerate(location):
        tagged = [candidate for candidate in shapes if part in _list_tags(candidate)]
        is_inside = isinstance(value, dict) and part in value
        # A tag such as `KeywordClassifier` stands in the location before the keys of the model it selects.
        if tagged and not is_inside:
            parents = shapes = tagged
            continue
        is_last = index == len(location) - 1
        if not (is_inside or isinstance(part, int) or is_last):
            continue
        path.append(part)
        parents, shapes = shapes, [inner for candidate in shapes for inner in _list_inner(candidate, part)]
        value = _get_child(value, part)
    return tuple(path), parents


def _get_child(value: object, part: int | str) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
        return value[part]
    return None


def _unwrap(shape: object) -> list[object]:
    """Return the types that an annotation allows, without Annotated, Optional and unions."""
    origin = typing.get_origin(shape)
    if origin is typing.Annotated:
        return _unwrap(typing.get_args(shape)[0])
    # `A | B` and `Union[A, B]` are different types before Python 3.14.
    if origin is typing.Union or type(shape).__name__ in ("UnionType", "Union"):
        return [inner for member in typing.get_args(shape) for inner in _unwrap(member)]
    return [shape]


def _list_inner(shape: object, part: int | str) -> list[object]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        for name, field in shape.model_fields.items():
            if part == (field.alias or name):
                return _unwrap(field.annotation)
        return []
    arguments = typing.get_args(shape)
    if isinstance(part, int) or len(arguments) == 1:
        return _unwrap(arguments[0]) if arguments else []
    return _unwrap(arguments[-1]) if arguments else []


def _list_tags(shape: object) -> tuple[str, ...]:
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return ()
    tag = shape.model_fields.get("class_name")
    return typing.get_args(tag.annotation) if tag else ()


def list_keys(shape: object) -> list[str]:
    """Return the keys that a model allows, as the YAML spells them; empty for anything but a model."""
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return []
    return [field.alias or name for name, field in shape.model_fields.items()]


def _format_message(detail: ErrorDetails, path: KeyPath, shapes: list[object]) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    last = str(path[-1]) if path else ""
    if kind == "missing":
        return f"the required key {last!r} is missing"
    if kind == "extra_forbidden":
        known = [key for shape in shapes for key in list_keys(shape)]
        guess = suggest(last, known)
        return f"unknown key {last!r}" + (guess or f"; known here: {', '.join(dict.fromkeys(known))}")
    if kind == "union_tag_invalid":
        known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"unknown class {context['tag']!r}" + (
            suggest(str(context["tag"]), known) or f"; known: {', '.join(known)}"
        )
    if kind == "union_tag_not_found":
        similar = [key for key in value if suggest(str(key), ["class"])] if isinstance(value, dict) else []
        return "the required key 'class' is missing" + "".join(f"; did you misspell it as {key!r}?" for key in similar)
    if kind == "literal_error":
        return f"expected {context['expected']}, got {_describe(value)}" + suggest(str(value), _list_choices(context))
    if kind == "value_error":
        return str(context["error"])
    return _format_type_message(kind, detail, value)


def _format_type_message(kind: str, detail: ErrorDetails, value: object) -> str:
    if kind in _WORDS:
        quote = "; put it in quotes" if kind == "string_type" and isinstance(value, (bool, int, float)) else ""
        return f"expected {_WORDS[kind]}, got {_describe(value)}{quote}"
    if kind == "string_pattern_mismatch" and detail.get("ctx", {}).get("pattern") == VISIBLE:
        return f"expected text that is not blank, got {_describe(value)}"
    return detail["msg"][0].lower() + detail["msg"][1:] + f", got {_describe(value)}"


def _list_choices(context: Mapping[str, object]) -> list[str]:
    return [choice.strip(" '") for choice in str(context["expected"]).replace(" or ", ",").split(",")]


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "…")
    return "a list" if isinstance(value, list) else "a map"
