"""One rendering of a template: its loop turns, its meter, and the values that are still alive.

Compiled templates cannot be stepped through, so sandbox.py wraps the parts of a template in the filters of this module.
A value that an expression creates is counted when it is created and released when its statement ends; an assigned value
is released when the turn of its loop ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from jinja2 import Undefined

from plexus.exceptions import LimitExceeded
from plexus.language.operators import COMPARE_BY_NAME, MAXIMUM_LENGTH, SLICE, check_length, check_size, count_parts
from plexus.language.prices import PART, STEP, shallow_size, weigh
from plexus.limits import Meter

MAXIMUM_TURNS = 20_000
#: Units for one node in a loop's body, and for one value that a filter draws from another.
_NODE = 100
_DRAW = 1_000
Value = TypeVar("Value")


class Rendering:
    """The state of one rendering. `kept` are the bytes of the values that outlast the current statement."""

    def __init__(self) -> None:
        self.meter = Meter("the template")
        self.turns = self.kept = self.captured = 0

    def count_created(self, value: Value) -> Value:
        """Count the bytes of a value that an operation has created, and return the value."""
        self.meter.hold(shallow_size(value))
        return value

    def draw(self, values: Iterable[Value]) -> Iterator[Value]:
        """Yield values that a filter computes one by one, and pay for each."""
        for value in values:
            self.meter.pay(_DRAW + weigh(value))
            self.meter.need(PART)
            yield value

    def end_statement(self) -> None:
        """Release the values that were created since the statement began."""
        self.meter.held = self.kept


#: Set while a template renders only: constants that Jinja2 computes while it compiles stay uncomputed.
rendering: ContextVar[Rendering] = ContextVar("rendering")


def bound_loop(values: Iterable[Value], size: int) -> Iterator[Value]:
    """Yield a loop's values; its body has `size` nodes. Raises LimitExceeded after MAXIMUM_TURNS turns."""
    current = rendering.get()
    before, current.kept = current.kept, current.meter.held
    start = current.kept
    for value in values:
        current.turns += 1
        if current.turns > MAXIMUM_TURNS:
            raise LimitExceeded(f"a template took more than {MAXIMUM_TURNS} turns of loops")
        current.meter.held = current.kept = start
        current.meter.pay(STEP + _NODE * size)
        yield value
    current.meter.held = current.kept = before


def to_text(value: object) -> object:
    """Convert what a template prints; an undefined value stays, and Jinja2 names it in its error."""
    current = rendering.get()
    if isinstance(value, Undefined):
        return value
    text = _write(value, current)
    current.end_statement()
    return text


def capture(value: object) -> object:
    """Convert what `{% set %}…{% endset %}` prints: it is kept, and copied at the end of the block."""
    text, current = to_text(value), rendering.get()
    current.captured += 2 * shallow_size(text)
    current.meter.need(current.captured)
    return text


def concat(first: object, *more: object) -> object:
    """Join the operands of `~`. Raises LimitExceeded for more than MAXIMUM_LENGTH characters."""
    current = rendering.get()
    texts = []
    for value in (first, *more):
        texts.append(_write(value, current))
        current.meter.pay(len(texts[-1]))
        if sum(map(len, texts)) > MAXIMUM_LENGTH:
            raise LimitExceeded(f"a value of the expression is too long: at most {MAXIMUM_LENGTH} elements")
    return current.count_created("".join(texts))


def _write(value: object, current: Rendering) -> str:
    if isinstance(value, str):
        return str(value)
    check_length(value)
    current.meter.pay(5 * weigh(value))
    return current.count_created(str(value))


def assign(value: Value) -> Value:
    """Keep an assigned value until the turn of its loop ends."""
    current = rendering.get()
    current.kept = current.meter.held
    return value


def end_test(value: Value) -> Value:
    """Release the values that the test of an `if` has created."""
    rendering.get().end_statement()
    return value


def count_whole(value: Value) -> Value:
    """Count a list, map or tuple with everything inside it."""
    current = rendering.get()
    parts, size = count_parts(value)
    current.meter.pay(parts * PART)
    current.meter.hold(size)
    return value


def compare(left: object, name: str, right: object) -> object:
    """Compare two values."""
    return COMPARE_BY_NAME[name].apply(rendering.get().meter, left, right)


def pay_for_comparison(value: Value) -> Value:
    """Pay for a value in a chain of comparisons: it may be searched, or searched for."""
    rendering.get().meter.pay(100 * weigh(value))
    return value


def slice_value(owner: object, start: object, stop: object, step: object) -> object:
    """Take a part of a text or list."""
    current = rendering.get()
    return check_size(current.count_created(SLICE.apply(current.meter, owner, slice(start, stop, step))))


def replace(text: object, old: object, new: object) -> str:
    """Replace as `str.replace` does. Raises LimitExceeded before it creates more than MAXIMUM_LENGTH characters."""
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAXIMUM_LENGTH:
        raise LimitExceeded(f"a template's value is too long: at most {MAXIMUM_LENGTH} characters")
    return text.replace(old, new)


def join(values: Iterable[object], separator: object = "") -> str:
    """Join texts as `str.join` does. Raises LimitExceeded for more than MAXIMUM_LENGTH characters."""
    parts, between, size = [], str(separator), 0
    for value in values:
        check_length(value)
        parts.append(str(value))
        size += len(parts[-1]) + len(between)
        if size > MAXIMUM_LENGTH:
            raise LimitExceeded(f"a template's value is too long: at most {MAXIMUM_LENGTH} characters")
    return between.join(parts)
