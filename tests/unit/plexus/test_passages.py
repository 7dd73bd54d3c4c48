"""The passage of a text that a model's quotation means."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plexus
from plexus.graph.cassette import Question, Recorder
from plexus.graph.reply import Reply
from plexus.passages import CUT_OFF, align, has_similar_part

LATE = "The courier was polite but very late"


@pytest.mark.parametrize(
    ("text", "quoted", "passage"),
    [
        ("oh good day sir", 'Quote: "good day"', "good day"),
        ("oh good day sir", "Quote: good day", "good day"),
        ("oh good day sir", "**Quote:** “good day”", "good day"),
        ("oh good day sir", 'The passage that greets is: "Good day".', "good day"),
        ("oh good day sir", "> good day", "good day"),
        ("oh good day sir", "- *good day*", "good day"),
        ("oh good day sir", "«good day»", "good day"),
        ("Oh, the pump leaks, and loudly", 'Quote: "the pump leaks."', "the pump leaks"),
        ("Oh, the pump leaks, and loudly", "the pump leaks!", "the pump leaks"),
        ("Oh, the pump leaks, and loudly", "… the pump leaks …", "the pump leaks"),
        ("Oh, the pump leaks. And loudly", "the pump leaks.", "the pump leaks."),
        ("Customer: it leaks", "Customer: it leaks", "Customer: it leaks"),
        ("Customer: it leaks", "Quote: it leaks", "it leaks"),
        ("The courier was polite but very late.", "the courier was polit but very late", LATE),
        ("My refri\u00adgerator broke.", "my refrigerator broke", "My refri\u00adgerator broke"),
        ("My refrigerator broke.", "my refri\u00adgerator broke", "My refrigerator broke"),
        ("It\u200bis b\u200broken", "b\u200broken", "b\u200broken"),
        ("It broke\u00a0\u2009down.", "broke down", "broke\u00a0\u2009down"),
        ("the cafe\u0301 was shut", "the caf\u00e9 was shut", "the cafe\u0301 was shut"),
        ("the caf\u00e9 was shut", "cafe\u0301 was", "caf\u00e9 was"),
        ("Well… it broke.", "Well... it broke", "Well… it broke"),
        ("Well... it broke.", "Well… it broke.", "Well... it broke."),
        ("Tom & Jerry came", "Tom &amp; Jerry", "Tom & Jerry"),
        ("Tom &amp; Jerry came", "Tom & Jerry", "Tom &amp; Jerry"),
        ("It&#39;s late", "It&#39;s", "It&#39;s"),
        ("I don’t like it — at all", "don't like it - at all", "don’t like it — at all"),
        ("Die STRASSE war leer", "Die Straße", "Die STRASSE"),
        ("The ﬁrst one broke", "first one", "ﬁrst one"),
        ("it\nbroke\tdown twice", "it broke down", "it\nbroke\tdown"),
        ("The delivery never arrived.", "The delivry never arrived", "The delivery never arrived"),
        ("The delivery never arrived.", "Quote: “the delivery newer arrived.”", "The delivery never arrived"),
        ("So (the pump leeks) again", "the pump leaks", "the pump leeks"),
        ("It came within 14 days.", "It came within 10 days", None),
        ("It came late.", "It never came", None),
        ("The refund was not issued.", "The refund was issued.", None),
        ("He said it is not broken at all", "it is broken at all", None),
        ("It is not broken", "It is now broken", None),
        ("客服没有道歉，我很生气。", "客服道歉，我很生气。", None),
        ("I am happy", "I am unhappy", None),
        ("It was impossible", "It was possible", None),
        ("Das Paket wurde nie geliefert.", "Das Paket wurde geliefert.", None),
        ("He can do it", "He can't do it", None),
        ("One of it works", "None of it works", None),
        ("Ein Paket war da", "Kein Paket war da", None),
        ("I ever liked it", "I never liked it", None),
        ("We don't want it", "We do not want it", "We don't want it"),
        ("The agent was polite.", "[00:12] The agent was polite.", "The agent was polite."),
        ("The cat sat", "<quote>The cat sat</quote>", "The cat sat"),
        ("The part", "art", None),
        ("a cat", "a car", None),
        ("oh good day sir", '"good day" and "sir"', None),
        ("oh good day sir", "There is no such passage.", None),
        ("oh good day sir", "…", None),
    ],
)
def test_a_quotation_is_aligned_to_the_text(text: str, quoted: str, passage: str | None) -> None:
    """Labels, marks, entities, invisible characters and a slip are seen through; the passage is the text's own."""
    result = align(text, quoted)
    assert (None if result is None else result.text) == passage
    if result is not None:
        assert text[result.start : result.end] == result.text


CARD = """
name: C
key: c
scores:
  - name: S
    class: LangGraphScore
    model_provider: replay
    model_name: m
    cassette: replies.json
    graph:
      - {name: quote, class: Extractor, user_message: "Quote. {{ text }}", output: {found: found}}
    output: {value: found, explanation: quote.value}
"""


@pytest.mark.parametrize(
    ("content", "passage"),
    [
        ('Quote: "good day"', "good day"),
        ("None", ""),
        ("None.", ""),
        ("Answer: None", ""),
        ("**Quote:** *None*.", ""),
        ("<think>good</think>\nGood day.", "good day"),
        ("none of the pumps", "none of the pumps"),
    ],
)
def test_an_extractor_returns_the_passage_or_nothing(content: str, passage: str, tmp_path: Path) -> None:
    """The passage is the text's own; the reply that means that there is none is understood through its label."""
    text = "oh good day sir, none of the pumps works"
    question = Question("replay:m", {"temperature": 0.0, "max_tokens": 500}, [("human", f"Quote. {text}")])
    Recorder(tmp_path / "replies.json").add(question, Reply(content))
    card = plexus.load(CARD.replace("replies.json", str(tmp_path / "replies.json")))
    result = plexus.score(card, "S", plexus.Item(text))
    assert (result.value, result.explanation or "") == ("Yes" if passage else "No", passage)


@pytest.mark.parametrize(
    ("content", "quotation"),
    [
        ("<think>good night?</think>good day", "good day"),
        ('{"quote": "good day", "start": 3}', "good day"),
        ("```\ngood day\n```", "good day"),
        ('{"quote": "a", "why": "b"}', '{"quote": "a", "why": "b"}'),
    ],
)
def test_a_quotation_is_the_answer_alone(content: str, quotation: str) -> None:
    """Reasoning, a fence and the form of a JSON object are no part of a quotation."""
    assert Reply(content).quotation == quotation


WORDS = st.lists(
    st.sampled_from(["pump", "leaks", "again", "refrigerator", "of", "the", "café"]), min_size=1, max_size=8
)


@given(WORDS, WORDS, WORDS)
def test_any_passage_of_whole_words_is_found_verbatim(before: list[str], inside: list[str], after: list[str]) -> None:
    """A passage that is in the text is found, as the text spells it, whatever its case."""
    text, quoted = " ".join([*before, *inside, *after]), " ".join(inside)
    result = align(text, f'Quote: "{quoted.upper()}."')
    assert result is not None
    assert result.text == quoted


def test_the_cut_off_is_the_documented_one() -> None:
    """One wrong letter in eight is a slip, two are another phrase."""
    assert CUT_OFF == 0.87
    assert align("abcdefgh", "abcdefgx") is not None
    assert align("abcdefgh", "abcdefxy") is None


@pytest.mark.parametrize(
    ("keyword", "line", "similarity"),
    [
        ("child", "the children are here", 100),
        ("upgrade", "an upgrad, please", 85.71),
        ("dependent", "my dependant", 88.88),
        ("extra legroom", "extra legrom seats", 96),
        ("wheelchair", "wheel chair help", 90),
        ("seat", "eats", 85.71),
        ("aaaa", "ab", 66.66),
        ("nominee", "no", 100),
    ],
)
def test_a_part_of_a_line_is_as_similar_as_the_original_finds_it(keyword: str, line: str, similarity: float) -> None:
    """The similarity is that of RapidFuzz's partial ratio, which the original compares with its threshold."""
    assert has_similar_part(keyword, line, similarity / 100)
    assert similarity == 100 or not has_similar_part(keyword, line, (similarity + 0.1) / 100)


@pytest.mark.parametrize(("keyword", "line"), [("premium", "no"), ("abc", ""), ("", "abc")])
def test_nothing_in_common_is_not_similar(keyword: str, line: str) -> None:
    """An empty line has no part of a keyword."""
    assert not has_similar_part(keyword, line, 0.01)
