"""Parsing YAML: positions, merges, and hostile input."""

from typing import Any

import pytest

import plexus
from plexus import document
from plexus.exceptions import InvalidScorecard
from plexus.problems import Position

HEAD = "name: A\nkey: a\nscores:\n  - name: S\n    class: KeywordClassifier\n    keywords: [x]\n"


def read(text: str) -> Any:
    """Return the values of a YAML text."""
    return document.parse(text, "f").value


def message(text: str) -> str:
    """Return the error message of loading the text."""
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load(text, name="card.yaml")
    return str(caught.value)


def test_each_value_knows_its_line_and_column() -> None:
    """Positions start at 1 and locate values and keys, in flow collections too."""
    parsed = document.parse("a: 1\nb:\n  - c: [x, yy]\n", "f")
    assert parsed.find_position(("b", 0, "c", 1)) == Position(3, 12)
    assert parsed.find_position(("b", 0, "c"), on_key=True) == Position(3, 5)


def test_words_that_other_readers_take_for_booleans_are_text() -> None:
    """In YAML 1.2 no, yes, on and off are text; only true and false are booleans."""
    assert document.parse("[no, yes, on, off, NO, true]", "f").value == ["no", "yes", "on", "off", "NO", True]


def test_a_number_is_not_converted_to_text() -> None:
    """`name: 1.10` would lose its zero, so it is an error that asks for quotes."""
    assert "card.yaml:1:7: expected text, got the number 1.1; put it in quotes" in message("name: 1.10\n" + HEAD[8:])


def test_own_keys_win_over_merged_ones() -> None:
    """`<<` merges the keys of maps; the map's own keys win, wherever the merge is written."""
    text = "base: &base {a: 1, b: 2}\nx: {b: 3, <<: *base}\ny: {<<: [*base, {c: 4}]}\n"
    value = read(text)
    assert value["x"] == {"a": 1, "b": 3}
    assert value["y"] == {"a": 1, "b": 2, "c": 4}


def test_a_key_that_replaces_a_merged_one_keeps_its_own_place() -> None:
    """A key that replaces a merged one has its own position, not the anchor's."""
    parsed = document.parse("base: &b {a: 1}\nx:\n  <<: *b\n  a: 2\n", "f")
    assert parsed.find_position(("x", "a")) == Position(4, 6)


def test_of_several_merged_maps_the_first_counts_with_its_place() -> None:
    """A key of several merged maps has value, position and spelling of the first that has it."""
    text = "a: &a {k: [0x1]}\nb: &b {k: [2, 3], l: 4}\nx:\n  <<: [*a, *b]\n"
    parsed = document.parse(text, "f")
    assert read(text)["x"] == {"k": [1], "l": 4}
    assert parsed.find_position(("x", "k", 0)) == Position(1, 12)
    assert parsed.scalars[("x", "k", 0)] == "0x1"
    assert ("x", "k", 1) not in parsed.positions


def test_many_keys_may_replace_merged_ones() -> None:
    """Replacing ten thousand merged keys takes linear time; quadratic time would be a minute."""
    keys = range(10_000)
    text = f"b: &b {{{', '.join(f'k{n}: 1' for n in keys)}}}\nx:\n  <<: *b\n" + "".join(f"  k{n}: 2\n" for n in keys)
    assert set(read(text)["x"].values()) == {2}


def test_a_duplicate_key_is_an_error_with_both_places() -> None:
    """A duplicate key is an error that also names the line of the first."""
    assert "card.yaml:2:1: duplicate key 'name'; first on line 1" in message("name: A\nname: B\n")


def test_a_tab_is_explained() -> None:
    """A tab as indentation is an error that says where it is and what to use."""
    result = message("name: A\nscores:\n\t- name: S\n")
    assert "card.yaml:3:1" in result
    assert "indent with spaces, not tabs" in result


def test_a_byte_order_mark_does_not_matter() -> None:
    """A file that begins with a byte order mark loads like any other."""
    assert plexus.load("\ufeff" + HEAD).key == "a"


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_an_empty_scorecard(text: str) -> None:
    """An empty text, white space or comments alone are an empty scorecard; an explicit null is not a map."""
    assert "empty" in message(text) or "expected a map" in message(text)


def test_a_very_large_file_is_refused_at_once() -> None:
    """A file above 1 MiB is refused before it is parsed."""
    assert "the file is too large: got 5.0 MiB, at most 1 MiB" in message("#" * (5 * 1024 * 1024))


def test_an_alias_bomb_is_defused() -> None:
    """Aliases that expand to billions of values are an error, in bounded time."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "more than 100000 values once aliases are expanded" in message("\n".join(lines))


def test_an_alias_inside_of_itself_is_an_error() -> None:
    """A value that contains itself is an error."""
    assert "an alias is part of the value that it refers to" in message("a: &a [*a]\n")


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    """Ten thousand nested brackets are an error without a traceback."""
    assert "nested too deeply" in message("[" * 10_000)


@pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !thing x"])
def test_a_tag_is_an_error(text: str) -> None:
    """A tag is an error: YAML creates plain values only."""
    assert "unknown tag" in message(text)


def test_a_second_document_is_an_error() -> None:
    """A file with a second document is not a scorecard."""
    assert "got a second YAML document, expected one" in message("a: 1\n---\nb: 2\n")


def test_a_key_must_be_text() -> None:
    """A number as a key is an error that asks for quotes, because its spelling would change."""
    assert "a key must be text: put 1 in quotes" in message("1: x\n")


@pytest.mark.parametrize("text", ['name: A\nkey: "\\ud800"\n', 'name: A\n"\\udc00": 1\n'])
def test_half_of_a_character_is_refused_with_its_place(text: str) -> None:
    """A lone surrogate is an error with its place: it has no UTF-8 form to store or hash."""
    assert ":2:" in message(text)
    assert "half of a character" in message(text)


def test_jsons_two_escapes_make_one_character() -> None:
    """A surrogate pair of two JSON escapes is one character in values and keys."""
    assert document.parse('{"\\ud83e\\uddfe": "\\ud83d\\udd25!"}', "f").value == {"🧾": "🔥!"}


@pytest.mark.parametrize(("opening", "column"), [('x: "open', 4), ("x: 'open", 4), ("x: [1, 2", 4), ("x: {y: 1", 4)])
def test_what_is_not_closed_is_reported_where_it_opens(opening: str, column: int) -> None:
    """The end of the file, where it is missed, says nothing."""
    with pytest.raises(InvalidScorecard) as caught:
        read(f"a: 1\n{opening}\n  b\n\n")
    problem = caught.value.problems[0]
    assert (problem.position.line, problem.position.column) == (2, column)
