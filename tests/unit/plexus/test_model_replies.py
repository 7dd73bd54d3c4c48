"""Replies as models write them: a class or a number is read where it is the reply's own answer, and nowhere else."""

from decimal import Decimal

import pytest

from plexus.configuration.graph import Classifier, NumericClassifier
from plexus.graph.replies import read_number, read_text
from plexus.graph.reply import Reply
from tests.unit.plexus.framed_replies import FRAMED
from tests.unit.plexus.mixed_replies import (
    CONCLUDED,
    MARKED,
    MIXED,
    REASONED,
    SCORED,
    STANDING,
    SURE,
    TAKEN_BACK,
    UNSURE,
)
from tests.unit.plexus.model_replies import NUMBERS, READ, UNASSERTED
from tests.unit.plexus.recent_replies import ANSWERED, MENTIONED, VALUES
from tests.unit.plexus.unframed_replies import UNFRAMED

YES_OR_NO = ("Yes", "No")


def read(reply: str, classes: tuple[str, ...], from_start: bool) -> str | None:
    """Return the class that a Classifier reads, None if it asks again."""
    keys = {"name": "n", "class": "Classifier", "user_message": "?"}
    node = Classifier.model_validate({**keys, "valid_classes": list(classes), "parse_from_start": from_start})
    result = read_text(Reply(reply), node)
    return None if result is None else result.label


@pytest.mark.parametrize("from_start", [False, True])
def test_a_class_that_is_not_the_reply_s_own_answer_is_not_read(from_start: bool) -> None:
    """It is another's words, an example, an alternative, a bound, a guess, denied, or taken back."""
    misread = [
        (reply, found)
        for classes, replies in UNASSERTED.items()
        for reply in replies
        if (found := read(reply, classes, from_start)) is not None
    ]
    assert misread == []


@pytest.mark.parametrize("from_start", [False, True])
def test_a_class_in_an_unknown_frame_is_not_read(from_start: bool) -> None:
    """A sentence asserts the class that it names only with words that are known to assert it."""
    misread = [
        (reply, found)
        for classes, replies in (*UNFRAMED.items(), *MENTIONED.items())
        for reply in replies
        if (found := read(reply, classes, from_start)) is not None
    ]
    assert misread == []


@pytest.mark.parametrize("from_start", [False, True])
def test_the_reply_s_own_answer_is_read(from_start: bool) -> None:
    """Words about speakers, lines, ranks, bounds and corrections elsewhere in the reply take nothing from it."""
    misread = [
        (reply, found, label)
        for classes, replies in (*READ.items(), *FRAMED.items(), *ANSWERED.items())
        for reply, label in replies
        if (found := read(reply, classes, from_start)) != label
    ]
    assert misread == []


def test_a_number_is_read_where_it_is_the_answer() -> None:
    """Places, dates, times, ordinals, sums of words and numbers that are taken back are no answers."""
    node = NumericClassifier.model_validate({"name": "n", "class": "NumericClassifier", "user_message": "?"})
    misread = [
        (reply, found, number)
        for reply, number in (*NUMBERS, *VALUES, *SCORED, *MARKED)
        if (found := read_number(Reply(reply), node)) != (None if number is None else Decimal(number))
    ]
    assert misread == []


def test_replies_of_many_forms_give_their_class_or_none() -> None:
    """Objects, lists, tables, bold labels, negations and quoted options, in sixteen languages."""
    misread = [
        (reply, found, label)
        for classes, replies in MIXED.items()
        for reply, label in replies
        if (found := read(reply, classes, from_start=False)) != label
    ]
    assert misread == []


@pytest.mark.parametrize("from_start", [False, True])
def test_an_object_answers_unless_the_words_around_it_take_it_back(from_start: bool) -> None:
    """An example, a draft, a condition and an object that is denied or corrected later are no answers."""
    expected = [*STANDING, *((reply, None) for reply in TAKEN_BACK)]
    misread = [
        (reply, found, label) for reply, label in expected if (found := read(reply, YES_OR_NO, from_start)) != label
    ]
    assert misread == []


def test_a_doubt_about_the_answer_leaves_none() -> None:
    """A reply that is not sure of its class names none; doubts about anything else take nothing from it."""
    expected = [*SURE, *((reply, None) for reply in UNSURE)]
    misread = [(reply, found, label) for reply, label in expected if (found := read(reply, YES_OR_NO, False)) != label]
    assert misread == []


def test_answers_are_known_from_reasons_and_conclusions_in_every_language() -> None:
    """Names of fields, the concluding row of a table, and German and Chinese sentences that assert a class."""
    misread = [
        (reply, found, label)
        for classes, reply, label in (*REASONED, *CONCLUDED)
        if (found := read(reply, classes, False)) != label
    ]
    assert misread == []
