"""YAML as people write it, and as people attack with it."""

import pytest

import plexus
from plexus import document
from plexus.exceptions import InvalidScorecard
from plexus.problems import Position

HEAD = "name: A\nkey: a\nscores:\n  - name: S\n    class: KeywordClassifier\n    keywords: [x]\n"


def message(text: str) -> str:
    """What loading the text complains about."""
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load(text, name="card.yaml")
    return str(caught.value)


def test_each_value_knows_its_line_and_column() -> None:
    """Positions start at 1 and point at values and keys, inside flow collections too."""
    parsed = document.parse("a: 1\nb:\n  - c: [x, yy]\n", "f")
    assert parsed.position(("b", 0, "c", 1)) == Position(3, 12)
    assert parsed.position(("b", 0, "c"), on_key=True) == Position(3, 5)


def test_words_that_other_readers_take_for_booleans_are_text() -> None:
    """YAML 1.2 counts: no, yes, on and off are words; only true and false are booleans."""
    assert document.parse("[no, yes, on, off, NO, true]", "f").value == ["no", "yes", "on", "off", "NO", True]


def test_a_number_where_text_belongs_is_refused_not_changed() -> None:
    """`name: 1.10` would lose its zero, so it is an error that says to put it in quotes."""
    assert "card.yaml:1:7: expected text, got the number 1.1; put it in quotes" in message("name: 1.10\n" + HEAD[8:])


def test_anchors_and_merges_are_followed_and_a_key_of_ones_own_wins() -> None:
    """`<<` brings keys from maps; own keys replace them, wherever the merge stands."""
    text = "base: &base {a: 1, b: 2}\nx: {b: 3, <<: *base}\ny: {<<: [*base, {c: 4}]}\n"
    value = document.parse(text, "f").value
    assert value["x"] == {"a": 1, "b": 3}
    assert value["y"] == {"a": 1, "b": 2, "c": 4}


def test_a_key_that_replaces_a_merged_one_keeps_its_own_place() -> None:
    """A finding about an own key points at it, not at the anchor."""
    parsed = document.parse("base: &b {a: 1}\nx:\n  <<: *b\n  a: 2\n", "f")
    assert parsed.position(("x", "a")) == Position(4, 6)


def test_of_several_merged_maps_the_first_counts_with_its_place() -> None:
    """Value, position and spelling of a key are those of the first map that has it, with all that is within."""
    parsed = document.parse("a: &a {k: [0x1]}\nb: &b {k: [2, 3], l: 4}\nx:\n  <<: [*a, *b]\n", "f")
    assert parsed.value["x"] == {"k": [1], "l": 4}
    assert parsed.position(("x", "k", 0)) == Position(1, 12)
    assert parsed.source[("x", "k", 0)] == "0x1"
    assert ("x", "k", 1) not in parsed.positions


def test_many_keys_may_replace_merged_ones() -> None:
    """Ten thousand replaced keys take as long as ten thousand keys: squared, it would be a minute."""
    keys = range(10_000)
    text = f"b: &b {{{', '.join(f'k{n}: 1' for n in keys)}}}\nx:\n  <<: *b\n" + "".join(f"  k{n}: 2\n" for n in keys)
    assert set(document.parse(text, "f").value["x"].values()) == {2}


def test_a_duplicate_key_is_an_error_with_both_places() -> None:
    """The second of two equal keys is named with the line of the first."""
    assert "card.yaml:2:1: the key 'name' is here twice; first on line 1" in message("name: A\nname: B\n")


def test_a_tab_is_explained() -> None:
    """A tab as indentation says where and what to do."""
    found = message("name: A\nscores:\n\t- name: S\n")
    assert "card.yaml:3:1" in found
    assert "indent with spaces, not tabs" in found


def test_a_byte_order_mark_does_not_matter() -> None:
    """A file that begins with a byte order mark loads like any other."""
    assert plexus.load("\ufeff" + HEAD).key == "a"


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    """Nothing, white space and comments are an empty scorecard; an explicit null is not a map."""
    assert "empty" in message(text) or "expected a map" in message(text)


def test_a_very_large_file_is_refused_at_once() -> None:
    """Five megabytes are refused by their size, before they are parsed."""
    assert "the file has 5.0 MiB; a scorecard may have 1 MiB" in message("#" * (5 * 1024 * 1024))


def test_an_alias_bomb_is_defused() -> None:
    """Aliases that would expand to billions of values are an error in no time."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "more than 100000 values once aliases are expanded" in message("\n".join(lines))


def test_an_alias_inside_of_itself_is_an_error() -> None:
    """A value that contains itself has no end, so it is refused."""
    assert "an alias inside the value that it stands for" in message("a: &a [*a]\n")


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    """Ten thousand brackets are refused without a traceback."""
    assert "nested too deeply" in message("[" * 10_000)


@pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !thing x"])
def test_a_tag_means_nothing(text: str) -> None:
    """No tag makes anything but plain values."""
    assert "means nothing here" in message(text)


def test_two_documents_are_one_too_many() -> None:
    """A file with a second document is not a scorecard."""
    assert "not YAML: but found another document" in message("a: 1\n---\nb: 2\n")


def test_a_key_must_be_text() -> None:
    """A number as a key would change its spelling, so it has to stand in quotes."""
    assert "a key must be text: put 1 in quotes" in message("1: x\n")


@pytest.mark.parametrize("text", ['name: A\nkey: "\\ud800"\n', 'name: A\n"\\udc00": 1\n'])
def test_half_of_a_character_is_refused_with_its_place(text: str) -> None:
    """An escape that names half of a character has no UTF-8 form, so nothing could be stored or hashed."""
    assert ":2:" in message(text)
    assert "half of a character" in message(text)


def test_jsons_two_escapes_make_one_character() -> None:
    """JSON is YAML: what it writes as two escapes is one character in values and keys."""
    assert document.parse('{"\\ud83e\\uddfe": "\\ud83d\\udd25!"}', "f").value == {"🧾": "🔥!"}
