"""The filters and tests of templates, each with its price."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.tests import TESTS as JINJA_TESTS

from plexus.language import rendering
from plexus.language.operators import round_number
from plexus.language.prices import (
    PART,
    STEP,
    Price,
    case_price,
    compare_price,
    contains_price,
    count,
    depth,
    free,
    list_room,
    per,
    per_part,
    search_price,
    sort_price,
    strip_price,
    text_room,
    weigh,
    written_room,
)

Function = Callable[..., Any]


def _round(value: Any, precision: int = 0, method: str = "common") -> object:
    """Round as Jinja2's filter does, `ceil` and `floor` included, with a bounded number of digits."""
    if method not in ("ceil", "floor"):
        return round_number(value, precision)
    digits: Any = round_number(precision, precision)  # refuses too many
    factor = 10 ** int(digits)
    rounded: float = getattr(math, method)(value * factor) / factor
    return rounded


def _sort_price(values: object, *more: object) -> int:
    """Price sorting by keys, each of which a function of Jinja2's computes."""
    return 500 * count(values) + sort_price(values, *more)


def _sum_price(values: object, *more: object) -> int:
    """Price adding: each sum of two lists copies both. `start` may be any of the other arguments."""
    return 50 * count(values) + weigh(values) * (
        count(values) if any(isinstance(part, (list, tuple)) for part in more) else 1
    )


def _sum_room(values: object, *more: object) -> int:
    return 8 * weigh(values) if any(isinstance(part, (list, tuple)) for part in more) else 0


def _replace_price(text: object, old: object = "", new: object = "", *_more: object) -> int:
    return 2 * search_price(text, old) + weigh(new)


def _json_room(value: object, *more: object) -> int:
    """Bound the bytes of JSON: twelve for a character, and the indentation of each line."""
    indent = max((part for part in more if isinstance(part, int)), default=0)
    return 12 * weigh(value) + indent * depth(value) * (1 + weigh(value) // PART)


def _price_list(values: object, *_more: object) -> int:
    return list_room(values)


#: Filters by name: the price and the room of each. The function is Jinja2's, unless it is in _OWN.
_FILTERS: dict[str, tuple[Price, Price]] = {
    "abs": (free, free),
    "capitalize": (case_price, text_room(3)),
    "count": (free, free),
    "d": (free, free),
    "default": (free, free),
    "dictsort": (_sort_price, lambda value, *_: 64 * count(value)),
    "e": (per(5), text_room(2)),
    "escape": (per(5), text_room(2)),
    "first": (free, free),
    "float": (per(5), free),
    "int": (per(5), free),
    "items": (free, free),
    "join": (per_part(200), text_room(1)),
    "last": (free, free),
    "length": (free, free),
    "list": (per_part(30), _price_list),
    "lower": (case_price, text_room(3)),
    "max": (per_part(500), free),
    "min": (per_part(500), free),
    "reject": (per_part(1_000), free),
    "replace": (_replace_price, text_room(2)),
    "reverse": (per_part(10), _price_list),
    "round": (free, free),
    "select": (per_part(1_000), free),
    "sort": (_sort_price, _price_list),
    "string": (per(5), written_room),
    "sum": (_sum_price, _sum_room),
    "title": (per(40), text_room(10)),
    "tojson": (per(15), _json_room),
    "trim": (strip_price, text_room(1)),
    "truncate": (per(5), text_room(1)),
    "unique": (per_part(300), lambda value, *_: 64 * count(value)),
    "upper": (case_price, text_room(3)),
    "wordcount": (per(50), text_room(8)),
}
_OWN: dict[str, Function] = {"join": rendering.join, "replace": rendering.replace, "round": _round}
#: Filters that read the values of another filter one by one, as it computes them, and filters that need all of them,
#: for which they are collected in a list first.
_LAZY = frozenset(("first", "reject", "select", "unique"))
_EAGER = frozenset(("join", "list", "max", "min", "sort", "sum"))
_TESTS: dict[str, Price] = (
    dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"), compare_price)
    | dict.fromkeys(("equalto", "lessthan", "greaterthan"), compare_price)
    | {"in": contains_price, "lower": per(5), "upper": per(5)}
    | dict.fromkeys(("boolean", "callable", "defined", "divisibleby", "escaped", "even", "false", "filter"), free)
    | dict.fromkeys(("float", "integer", "iterable", "mapping", "none", "number", "odd", "sameas"), free)
    | dict.fromkeys(("sequence", "string", "test", "true", "undefined"), free)
)
#: The filters in which sandbox.py wraps the parts of a template. Each pays for itself.
_INTERNAL: dict[str, Function] = {
    "_assign": rendering.assign,
    "_bound_loop": rendering.bound_loop,
    "_capture": rendering.capture,
    "_compare": rendering.compare,
    "_concat": rendering.concat,
    "_count_whole": rendering.count_whole,
    "_end_test": rendering.end_test,
    "_pay_for_comparison": rendering.pay_for_comparison,
    "_slice": rendering.slice_value,
    "_text": rendering.to_text,
}
FILTERS = frozenset(_FILTERS)


def create_filters() -> dict[str, Any]:
    """Return every filter of the language by its name, and the internal ones."""
    functions: dict[str, Any] = {**JINJA_FILTERS, **_OWN}
    priced = {
        name: _add_price(functions[name], price, room, draws=name in _EAGER | _LAZY, is_eager=name in _EAGER)
        for name, (price, room) in _FILTERS.items()
    }
    return priced | _INTERNAL


def create_tests() -> dict[str, Any]:
    """Return every test of the language by its name."""
    functions: dict[str, Any] = {**JINJA_TESTS}
    return {name: _add_price(functions[name], price, free) for name, price in _TESTS.items()}


def _add_price(
    function: Function, price: Price, room: Price, *, draws: bool = False, is_eager: bool = False
) -> Function:
    """Make a filter or test pay before it runs; Jinja2 passes its environment or context to some of them first."""
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0  # arguments that are not the template's

    @functools.wraps(function)
    def run(*arguments: object, **named: object) -> object:
        current = rendering.rendering.get()
        values = list(arguments)
        first = values[skipped] if len(values) > skipped else None
        if draws and isinstance(first, Iterator):
            items: Iterator[object] = current.draw(first)
            values[skipped] = list(items) if is_eager else items
        operands = [*values[skipped:], *named.values()]
        if operands:
            current.meter.pay(STEP + price(*operands))
            current.meter.need(room(*operands))
        return current.count_created(function(*values, **named))

    return run
