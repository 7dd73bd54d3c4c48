import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handler import values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_values_come_back_as_they_were(value: Any) -> None:
    """Encoding and decoding keeps strings, whole numbers, lists and maps."""
    assert values.decode(values.encode(value)) == value


@given(st.floats() | st.decimals() | st.integers())
def test_every_number_is_storable(number: float | Decimal | int) -> None:
    """A number is stored as one within DynamoDB's limits, else as text."""
    encoded = values.encode(number)
    if "N" in encoded:
        held = Decimal(encoded["N"])
        assert held == Decimal(str(number))
        assert len(held.normalize().as_tuple().digits) <= 38
        assert held == 0 or -130 <= held.adjusted() <= 125
    else:
        assert isinstance(encoded["S"], str)


def test_numbers_past_the_limits_become_text() -> None:
    """NaN, infinity and numbers that are too long or too large are kept readable."""
    for number in (float("nan"), float("inf"), 10**5000, Decimal("1e200"), Decimal("1." + "1" * 60)):
        assert "S" in values.encode(number)


def test_lone_surrogates_are_replaced() -> None:
    """A text without a UTF-8 form is stored with replacement characters; NUL and the rest stay."""
    assert values.encode("a\ud800b\0")["S"] == "a\N{REPLACEMENT CHARACTER}b\0"


def test_deep_nesting_becomes_json() -> None:
    """What is nested deeper than DynamoDB allows is kept as JSON text at that depth."""
    value: Any = "end"
    for _ in range(100):
        value = [value]
    encoded, depth = values.encode(value), 0
    while "L" in encoded:
        encoded, depth = encoded["L"][0], depth + 1
    assert depth < 32
    assert "end" in json.dumps(json.loads(encoded["S"]))


def test_what_is_no_json_at_that_depth_becomes_its_types_name() -> None:
    """A value inside of itself, or keys that are no texts, below the limit: stored as the type's name, no error."""
    loop: list[Any] = []
    loop.append(loop)
    keys: Any = {}
    for _ in range(40):
        keys = {("a", 1): keys}
    assert '"S": "list"' in json.dumps(values.encode(loop))
    assert '"S": "dict"' in json.dumps(values.encode(keys))


def test_a_name_is_never_empty() -> None:
    """A map's empty key is stored under a name, since an attribute's name has a character at least."""
    assert values.encode({"": 1}) == {"M": {"(empty)": {"N": "1"}}}


def test_fields_that_are_none_are_left_out() -> None:
    """A record has no empty attributes."""
    assert values.record({"id": "1", "model": None}) == {"id": {"S": "1"}}
