"""The number that a reply gives."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexus.configuration.graph import NumericClassifier
from plexus.graph.numbers import parse_number
from plexus.graph.replies import read_number
from plexus.graph.reply import Reply
from tests.unit.plexus.framings import JOINTS, LANGUAGES, MARKUP, frame, framings


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("The answer is 4.", "4"),
        ("4 out of 5", "4"),
        ("4/5", "4"),
        ("I would say −2.5", "-2.5"),
        ("1,200 dollars", "1200"),
        ("between 3 and 5", None),
        ("none", None),
        ("8 (out of 10)", "8"),
        ("4 of 5", "4"),
        ("4 of the 5", "4"),
        ("1,234,567.5", "1234567.5"),
        ("0.75 or 1,234,567.5", None),
        ("3,5", None),
        ("4,5/5", None),
        ("0,750", None),
        ("1, 2 and 3", None),
        ("4 stars out of 5", "4"),
        ("2 points out of 5", "2"),
        ("3 stars (out of 5)", "3"),
        ("3 very good points / 5", "3"),
        ("Rating: 3/10", "3"),
        ("8.5/10", "8.5"),
        ("On a scale of 1 to 5: 4", "4"),
        ("On a scale from 1 to 10, I would say 7.", "7"),
        ("Out of 5 stars, I give it 4.", "4"),
        ("4 to 5", None),
        ("4-5 stars", None),
        ("7 because of 3 faults", "7"),
        ("I would give it 7 because of 3 faults.", "7"),
        ("A 2, since 3 parts were missing", "2"),
        ("Because of 3 faults: 7", None),
        ("7, less 3 for the faults", None),
        ("-1", "-1"),
        ("–1", "-1"),
        ("minus 1", "-1"),
        ("negative 2", "-2"),
        ("- 1", "1"),
        ("+3", "3"),
        ("Sentiment: -1.", "-1"),
        ("1.5k", "1500"),
        ("2M", "2000000"),
        ("3 million", "3000000"),
        ("1.5 thousand", "1500"),
        ("5 m", "5"),
        ("four", "4"),
        ("Four stars.", "4"),
        ("**Seven**", "7"),
        ("minus two", "-2"),
        ("four out of five", "4"),
        ("The rating is three.", "3"),
        ("No one was pleased", None),
        ("twenty-one", None),
        ("**4**", "4"),
        ("4 - two parts were missing", "4"),
        ("The customer waited 3 weeks. 1", "1"),
        ("The customer waited 3 weeks.\nRating: 2", "2"),
        ("It took 3 calls. I give it a 2 out of 5.", "2"),
        ("Rating: 4. The customer waited 3 weeks.", None),
        ("Rating: 4\nRating: 5", None),
        ("Rating: 4. So it is 4.0.", "4"),
        ("1. It is late.\n2. It is broken.\nRating: 2", "2"),
        ("4. The customer is pleased.", "4"),
        ("On 3/10/2026 at 10:30 it came: 5", "5"),
        ("4½", None),
        ("the 4th", None),
        ("４", "4"),
        ("90%", "90"),
        ("$1,200", "1200"),
        ("v2.1.3", None),
        ("Not 4.", None),
        ("I do not think that it deserves a 4.", None),
        ("4? No.", None),
        ("4 is wrong", None),
        ("If it had come in time, 4", None),
        ('The customer says "I waited 4 days"', None),
        ("Ce n'est pas 4", None),
        ("不是4", None),
        ("[ ] 4", None),
        ('{"4": true}', None),
        ("at least 4", None),
        ("not more than 4", None),
        (">4", None),
        ("≤ 4", None),
        ("4+", None),
        ("4 or more", None),
        ("at least 4 or 5", None),
        ("about 4", "4"),
        ("=> 4", "4"),
        ("<b>4</b>", "4"),
        ("No, 4", "4"),
        ("The customer did not pay, so 4", "4"),
        ("4, not great", "4"),
        ("2 + 2", None),
        ("2 + 1 = 3", None),
        ("four (5)", None),
        ("four (4)", "4"),
        ("4 (four)", "4"),
        ("4 (five)", None),
        ("I deducted 4 points.", None),
        ("4 points were deducted.", None),
        ("4 was my first thought.", None),
        ("**4** / 5", "4"),
        ("4 von 5", "4"),
        ("4 Sterne von 5", "4"),
        ("Une note de 4 sur 5", "4"),
        ("4 étoiles sur 5", "4"),
        ("una puntuación de 4", "4"),
        ("4 de 5", "4"),
        ("4 su 5", "4"),
        ("4 van de 5", "4"),
        ("4 звезды из 5", "4"),
        ("5点満点中4点", "4"),
        ("满分5分，得4分", "4"),
        ("5점 만점에 4점", "4"),
        ("Scale 1..5 → 4", "4"),
        ("(1-5) 4", "4"),
        ("Rating: 4 - not great", "4"),
    ],
)
def test_a_number_is_read_from_a_reply(reply: str, number: str | None) -> None:
    """The one number counts, or the conclusion; scales, ranges, dates, reasons and ambiguous commas do not."""
    assert parse_number(reply) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("4. The customer waited 3 weeks.", "4"),
        ("**Rating:** 4\n\nThe customer waited 3 weeks.", "4"),
        ("The customer waited 3 weeks. 1", None),
    ],
)
def test_from_the_start_the_first_conclusion_counts(reply: str, number: str | None) -> None:
    """With `from_start`, the first sentence or line with a number has to be the conclusion."""
    assert parse_number(reply, from_start=True) == (None if number is None else Decimal(number))


FRAMES = ("{}", "{}.", "**{}**", "Rating: {}", "{} stars", "{}/100000", "{} out of 100000", "I would say {}!", "`{}`")


@given(st.sampled_from(FRAMES), st.integers(-9999, 9999), st.integers(0, 9999))
def test_one_number_is_read_in_any_framing_and_two_never(frame: str, number: int, other: int) -> None:
    """A number is read through its framing; of two different ones in a sentence none is."""
    assert parse_number(frame.format(number)) == number
    if number != other:
        assert parse_number(frame.format(f"{number} or {other}")) is None


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("<think>maybe 9</think> 2", "2"),
        ('{"rating": 4, "explanation": "3 faults"}', "4"),
        ('```json\n{"score": "4 out of 5"}\n```', "4"),
        ("<think>maybe 4", None),
        ("7", None),
        ("2.5", None),
    ],
)
def test_a_number_is_read_from_the_answer_alone(reply: str, number: str | None) -> None:
    """Reasoning and the other members of a JSON object do not count; a number outside the node's limits is unusable."""
    node = NumericClassifier.model_validate(
        {"name": "n", "class": "NumericClassifier", "user_message": "?", "minimum": 1.0, "maximum": 5.0, "whole": True}
    )
    assert read_number(Reply(reply), node) == (None if number is None else Decimal(number))


NUMBERS = ("7", "-3", "2.5", "10")


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_number_is_read_in_every_framing(language: str) -> None:
    """A reply with exactly one number is read as it, in every framing and among the language's own sentences."""
    answer = LANGUAGES[language][0]
    misread = [
        (reply, found)
        for number in NUMBERS
        for framing in framings(language)
        if (found := parse_number(Reply(reply := frame(framing, answer, number)).answer)) != Decimal(number)
    ]
    assert misread == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_numbers_in_one_breath_are_never_read(language: str) -> None:
    """Two different numbers are no answer, unless the second is the scale of the first."""
    answer, _, sentences, _ = LANGUAGES[language]
    joints = [joint for joint in JOINTS if "/" not in joint and " of " not in joint]
    misread = [
        (reply, found)
        for joint in joints
        for framing in (*MARKUP, *sentences)
        if (found := parse_number(Reply(reply := frame(framing, answer, joint.format(3, 7))).answer)) is not None
    ]
    assert misread == []


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("答えは4です。", "4"),
        ("评分：4分。", "4"),
        ("评分：４分", "4"),
        ("점수는 4점입니다.", "4"),
        ("结果为-3。", "-3"),
        ("因为有3个错误，评分：4", "4"),
        ("4月に届きました。", None),
        ("3分遅れました。", None),
        ("迟到了30分钟。", None),
        ("GPT-4 would say so.", None),
        ("Unlike GPT-4: 7", "7"),
        ("I would say 3. 7.", None),
        ("1. 3 - 7", None),
        ("_7_", "7"),
        ("4½", None),
        ("4²", None),
    ],
)
def test_a_number_among_words_that_touch_it(reply: str, number: str | None) -> None:
    """A number is read among words that introduce or end it, and never as a part of another word."""
    assert parse_number(reply) == (None if number is None else Decimal(number))
