import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import attribute_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_values_survive_a_round_trip(value: Any) -> None:
    """Encoding and decoding preserves strings, integers, lists and maps."""
    assert attribute_values.decode(attribute_values.encode(value)) == value


@given(st.floats() | st.decimals() | st.integers())
def test_every_number_is_storable(number: float | Decimal | int) -> None:
    """A number is stored as a number within DynamoDB's limits, and otherwise as text."""
    encoded = attribute_values.encode(number)
    if "N" in encoded:
        held = Decimal(encoded["N"])
        assert held == Decimal(str(number))
        assert len(held.normalize().as_tuple().digits) <= 38
        assert held == 0 or -130 <= held.adjusted() <= 125
    else:
        assert isinstance(encoded["S"], str)


@pytest.mark.parametrize("text", ["1E+125", "9." + "9" * 37 + "E+125", "1E-130", "-1E-130"])
def test_numbers_at_the_limits_stay_numbers(text: str) -> None:
    """The largest and smallest numbers that DynamoDB stores, and those of 38 digits, are stored as numbers."""
    assert Decimal(attribute_values.encode(Decimal(text))["N"]) == Decimal(text)


def test_numbers_outside_the_limits_become_text() -> None:
    """NaN, infinity and numbers that are too long or too large are stored as text."""
    for number in (float("nan"), float("inf"), 10**5000, Decimal("1e200"), Decimal("1." + "1" * 60)):
        assert "S" in attribute_values.encode(number)


def test_lone_surrogates_are_replaced() -> None:
    """Lone surrogates are stored as replacement characters; NUL is kept."""
    assert attribute_values.encode("a\ud800b\0")["S"] == "a\N{REPLACEMENT CHARACTER}b\0"


def test_deep_nesting_becomes_json() -> None:
    """A value nested deeper than DynamoDB allows is stored as JSON text."""
    value: Any = "end"
    for _ in range(100):
        value = [value]
    encoded, depth = attribute_values.encode(value), 0
    while "L" in encoded:
        encoded, depth = encoded["L"][0], depth + 1
    assert depth < 32
    assert "end" in json.dumps(json.loads(encoded["S"]))


def test_a_deep_value_that_json_cannot_represent_becomes_its_type() -> None:
    """A list that contains itself, or a map with keys that are not strings, is stored as the name of its type."""
    loop: list[Any] = []
    loop.append(loop)
    keys: Any = {}
    for _ in range(40):
        keys = {("a", 1): keys}
    assert '"S": "list"' in json.dumps(attribute_values.encode(loop))
    assert '"S": "dict"' in json.dumps(attribute_values.encode(keys))


def test_a_name_is_never_empty() -> None:
    """A map's empty key is stored as `(empty)`, since DynamoDB rejects empty names."""
    assert attribute_values.encode({"": 1}) == {"M": {"(empty)": {"N": "1"}}}


def test_fields_that_are_none_are_omitted() -> None:
    """A record has no attribute for a field that is None."""
    assert attribute_values.record({"id": "1", "model": None}) == {"id": {"S": "1"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("", 0),
        ("é", 2),
        (12, 2),
        (True, 1),
        (None, 1),
        ([], 3),
        (["a", "bc"], 8),
        ({}, 3),
        ({"é": "a"}, 7),
        ({"a": [None, {"b": 1}]}, 17),
    ],
)
def test_a_value_has_the_size_that_dynamodb_counts(value: Any, size: int) -> None:
    """Text and names count by their bytes of UTF-8, each list and map 3 more, each of their parts 1 more."""
    encoded = attribute_values.encode(value)
    assert attribute_values.measure_value(encoded) == size
    assert attribute_values.record_size({"aé": encoded}) == size + 3
