"""CloudWatch's rules for the state of an alarm, and the arithmetic of metric math. Pure functions.

The rules for missing data are those of "Configuring how CloudWatch alarms treat missing data" in its user guide.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
"""How many periods before those that an alarm evaluates may stand in for missing ones."""
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def compute_state(breaching: Sequence[bool | None], periods: int, to_alarm: int, missing: str, current: str) -> str:
    """Return an alarm's new state.

    `breaching` has one entry for each period, the oldest first: whether its value breaches the threshold, None
    without a value. `to_alarm` of `periods` breaching values raise the alarm. `missing` is `TreatMissingData`.
    """
    known = [value for value in breaching if value is not None]
    if len(known) >= periods:
        return ALARM if sum(known[-periods:]) >= to_alarm else OK
    filled = periods - len(known)
    if missing in ("breaching", "notBreaching"):
        return ALARM if sum(known) + filled * (missing == "breaching") >= to_alarm else OK
    if not known:
        return INSUFFICIENT_DATA if missing == "missing" else current
    oldest = len(breaching) - next(n for n, value in enumerate(breaching) if value is not None)
    if sum(known) >= to_alarm or (all(known) and oldest >= to_alarm):
        return ALARM if missing == "missing" or sum(known) >= to_alarm else current
    return OK if not all(known) else current


def compute_value(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return the value of an expression of metric ids, numbers and + - * /; None if an operand is missing, or x / 0.

    Raises ValueError for the other functions and operators of metric math.
    """
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, values)
    except (SyntaxError, KeyError) as error:
        raise ValueError(f"metric math {expression!r}: {error}") from None


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            first, second = _value(left, values), _value(right, values)
            if first is None or second is None or (isinstance(op, ast.Div) and second == 0):
                return None
            return ARITHMETIC[type(op)](first, second)
    raise ValueError(f"metric math {ast.unparse(node)!r}: got an operation other than + - * /, which is not evaluated")
