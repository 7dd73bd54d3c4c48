"""A scorecard with any value anywhere loads, or is an InvalidScorecard."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plexus
from plexus.document import parse
from plexus.exceptions import InvalidScorecard

EXAMPLES = Path(__file__).resolve().parents[3] / "examples/scorecards"
CARDS = [parse(path.read_text(encoding="utf-8"), path.name).value for path in sorted(EXAMPLES.glob("*.yaml"))]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        0.5,
        1e400,
        float("nan"),
        10**400,
        "",
        "\0",
        "\ud800",
        "{{",
        "(",
        "END",
        [],
        {},
        [[]],
        [{}],
        [None],
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inside for place in places(child, (*path, key)))]


def replace_at(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return the document with another value at a path."""
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = replace_at(value[path[0]], path[1:], new)
    return copy


PLACES = [(number, path) for number, card in enumerate(CARDS) for path in places(card)]


@given(st.sampled_from(PLACES), ODD, st.booleans())
@settings(max_examples=150, deadline=None)
def test_anything_anywhere_is_loaded_or_refused(place: tuple[int, tuple[Any, ...]], new: Any, escaped: bool) -> None:
    """An odd value in any place of an example raises nothing but InvalidScorecard."""
    number, path = place
    text = json.dumps(replace_at(CARDS[number], path, new), ensure_ascii=escaped)
    with contextlib.suppress(InvalidScorecard):
        assert plexus.load(text).scores


@pytest.mark.parametrize("scores", ["1e999", "true", "7", "text", "{a: 1}", "null", "[7]"])
def test_scores_must_be_a_list(scores: str) -> None:
    """A number in place of the list of scores is an InvalidScorecard with its line."""
    with pytest.raises(InvalidScorecard, match="card:3:"):
        plexus.load(f"name: n\nkey: k\nscores: {scores}", name="card")
