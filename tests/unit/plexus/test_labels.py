"""Which class a reply names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexus.graph.labels import parse_label

CLASSES = ("No", "Yes", "Not Applicable", "Applicable")


@pytest.mark.parametrize("classes", [("Yes", "No"), ("No", "Yes")])
def test_the_class_that_occurs_first_counts_from_the_start_whatever_is_declared_first(classes: tuple[str, str]) -> None:
    """Order is the reply's, never the declaration's."""
    assert parse_label("Yes. Though one could say no.", classes, from_start=True) == "Yes"
    assert parse_label("No. Though one could say yes.", classes, from_start=True) == "No"
    assert parse_label("Yes. Though one could say no.", classes) == "No"


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Answer:Yes", "Yes"),
        ("**YES**", "Yes"),
        ("Classification=yes.", "Yes"),
        ('{"answer":"no"}', "No"),
        ("The answer is\nNo", "No"),
        ("not_applicable", "Not Applicable"),
        ("Not applicable.", "Not Applicable"),
        ("Applicable, I think.", "Applicable"),
        ("Yesterday nobody knew.", None),
        ("", None),
    ],
)
def test_a_class_is_found_through_case_and_punctuation(reply: str, label: str | None) -> None:
    """Only whole words name a class, the longer of two that overlap counts, and without one there is none."""
    assert parse_label(reply, CLASSES) == label
    assert parse_label(reply, CLASSES, from_start=True) == label


@given(st.text(), st.booleans())
def test_any_reply_names_a_declared_class_or_none(reply: str, from_start: bool) -> None:
    """No reply makes a class that was not declared."""
    assert parse_label(reply, CLASSES, from_start=from_start) in (None, *CLASSES)


def test_an_accent_is_the_same_however_it_is_spelt() -> None:
    """As a part of its letter in one place, and as a character of its own in the other."""
    assert parse_label("It is a cafe\u0301.", ["Caf\u00e9", "Bar"]) == "Caf\u00e9"


@pytest.mark.parametrize(("from_start", "label"), [(True, "+"), (False, "-")])
def test_a_class_of_signs_counts_wherever_it_stands(from_start: bool, label: str) -> None:
    """Each occurrence is one, as those of words are."""
    assert parse_label("+ at first, then - and + and at last -", ["+", "-"], from_start=from_start) == label
