"""Keywords: whole words, folded, at their places in the text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plexus
from plexus.exceptions import ScoringFailed
from plexus.scorecard import Scorecard
from plexus.text import fold, fold_places

CARD = """
name: Reviews
key: reviews
scores:
  - name: Mentions Refund
    class: KeywordClassifier
    keywords: [refund, money back]
    patterns: ['RMA-\\d+']
  - name: Topic
    class: KeywordClassifier
    classes:
      - {value: Delivery, keywords: [late, courier]}
      - {value: Quality, keywords: [broken, scratched, élan]}
  - name: Mood
    class: KeywordClassifier
    choose: most
    negations: [not, never]
    classes:
      - {value: Good, keywords: [good, great, happy]}
      - {value: Bad, keywords: [bad, awful]}
    default: None
"""


@pytest.fixture(scope="module")
def card() -> Scorecard:
    """The scorecard under test."""
    return plexus.load(CARD)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I want a REFUND.", "Yes"),
        ("my money\n back, please", "Yes"),
        ("see rma-123", "Yes"),
        ("non-refundable", "No"),
        ("prerefund", "No"),
        ("refundé", "No"),
        ("refund", "Yes"),
    ],
)
def test_keywords_match_whole_words_in_any_case(card: Scorecard, text: str, value: str) -> None:
    """A keyword matches whole words of any script, in any case, across any white space; patterns match anywhere."""
    assert plexus.score(card, "Mentions Refund", plexus.Item(text)).value == value


def test_the_explanation_quotes_what_was_found(card: Scorecard) -> None:
    """The explanation quotes each match once, as the text spells it; the trace has every span."""
    result = plexus.score(card, "Mentions Refund", plexus.Item("Refund! Refund! Money back."))
    assert result.explanation == "Found “Refund”, “Money back”."
    assert result.trace == {"matches": [[0, 6], [8, 14], [16, 26]]}


@pytest.mark.parametrize("before", ["", "e ", "é ", "退款 "])
def test_places_are_counted_in_characters(card: Scorecard, before: str) -> None:
    """Spans count characters, whatever their number of bytes, for keywords and patterns."""
    text = f"{before}a refund of RMA-12"
    result = plexus.score(card, "Mentions Refund", plexus.Item(text))
    assert [text[start:end] for start, end in result.trace["matches"]] == ["refund", "RMA-12"]


def test_the_first_class_in_the_list_wins(card: Scorecard) -> None:
    """With `choose: first` the order of the YAML decides, not that of the text."""
    assert plexus.score(card, "Topic", plexus.Item("Scratched, and late too")).value == "Delivery"


def test_no_class_and_no_default_is_a_failure(card: Scorecard) -> None:
    """A text that no class matches fails unless there is a default."""
    with pytest.raises(ScoringFailed, match="no default"):
        plexus.score(card, "Topic", plexus.Item("All fine"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("good, good and bad", "Good"), ("not good at all", "Bad"), ("never a bad day. great", "Good"), ("so so", "None")],
)
def test_most_matches_win_and_negation_turns_a_match_round(card: Scorecard, text: str, value: str) -> None:
    """With `choose: most` the class with most matches wins; a negated match counts for the other of two classes."""
    assert plexus.score(card, "Mood", plexus.Item(text)).value == value


def test_hostile_pattern_takes_linear_time() -> None:
    """A pattern that makes backtracking engines hang is matched in linear time."""
    hostile = plexus.load("{name: H, key: h, scores: [{name: S, class: KeywordClassifier, patterns: ['(a+)+$']}]}")
    assert plexus.score(hostile, "S", plexus.Item("a" * 50_000 + "b")).value == "No"


@pytest.mark.parametrize(
    ("keyword", "text", "value"),
    [
        ("退款", "我要退款谢谢", "Yes"),
        ("iPhone", "我买iPhone了", "Yes"),
        ("ขอเงินคืน", "ฉันขอเงินคืนค่ะ", "Yes"),
        ("कित", "यह किताब है", "No"),
        ("café", "the cafe\u0301 is shut", "Yes"),
        ("cafe", "the cafe\u0301 is shut", "No"),
        ("größe", "Übergröße!", "No"),
        ("größe", "Die GRÖSSE?", "Yes"),
        ("größe", "Die Größe passt.", "Yes"),
        ('"don\'t like"', "I don’t\u00a0like it", "Yes"),
        ("don’t", "I don't", "Yes"),
        ("e-mail", "an e‑mail", "Yes"),
        ("e-mail", "an email", "No"),
    ],
)
def test_a_word_is_whole_in_every_script(keyword: str, text: str, value: str) -> None:
    """Variants of accents, apostrophes, hyphens and spaces match; unspaced scripts match anywhere."""
    card = plexus.load(f"name: C\nkey: c\nscores:\n  - {{name: A, class: KeywordClassifier, keywords: [{keyword}]}}")
    assert plexus.score(card, "A", plexus.Item(text)).value == value


def test_half_a_word_is_no_negation(card: Scorecard) -> None:
    """A negation that is cut out of a longer word does not count."""
    text = f"One cannot {'a' * 27} {'b' * 27} good"
    assert plexus.score(card, "Mood", plexus.Item(text)).value == "Good"


def test_a_pattern_that_matches_nothing_has_found_nothing() -> None:
    """The empty matches of `x*` do not count."""
    card = plexus.load('name: C\nkey: c\nscores:\n  - {name: A, class: KeywordClassifier, patterns: ["x*"]}')
    assert plexus.score(card, "A", plexus.Item("hello")).value == "No"
    assert plexus.score(card, "A", plexus.Item("xx")).value == "Yes"


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("straße", "In der STRASSE war niemand.", "STRASSE"),
        ("STRASSE", "Die Straße ist nass.", "Straße"),
        ("straße", "Die STRAẞE!", "STRAẞE"),
        ("iptal", "Lütfen İPTAL edin.", "İPTAL"),
        ("İptal", "bir iptal istiyorum", "iptal"),
        ("kapı", "KAPI kırık", "KAPI"),
        ("refund", "I want a ref\u00adund.", "ref\u00adund"),
        ("ref\u00adund", "a refund", "refund"),
        ("كتاب", "هذا كـــتاب", "كـــتاب"),
        ("refund", "a re\u200bfund, now", "re\u200bfund"),
        ("refund", "\u200erefund\u200f", "refund"),
        ("refund", "re\u2060fu\ufeffnd", "re\u2060fu\ufeffnd"),
        ("first", "my \ufb01rst order", "\ufb01rst"),
        ("office", "the o\ufb03ce", "o\ufb03ce"),
        ("refund", "ＲＥＦＵＮＤ please", "ＲＥＦＵＮＤ"),
        ("ｒｅｆｕｎｄ", "Refund!", "Refund"),
        ("환불", "환불해주세요", "환불"),
        ("환불", "\u1112\u116a\u11ab\u1107\u116e\u11af해", "\u1112\u116a\u11ab\u1107\u116e\u11af"),
        ("ガス", "ｶﾞｽが", "ｶﾞｽ"),
        ("don't", "I don´t know", "don´t"),
        ("don't", "I don‛t know", "don‛t"),
        ('"so called"', "a so\u00a0\u2003called gift", "so\u00a0\u2003called"),
        ("e-mail", "an e—mail, e\u2212mail", "e—mail"),
        ('"\u2026"', "Well...", "..."),
        ("ΟΔΟΣ", "στην οδος", "οδος"),
        ("café", "CAFE\u0301!", "CAFE\u0301"),
        ("5 km", "５\u3000㎞", "５\u3000㎞"),
        ("naïve", "nai\u0308ve", "nai\u0308ve"),
    ],
)
def test_a_keyword_is_found_in_any_spelling_at_its_place(keyword: str, text: str, found: str) -> None:
    """Compatibility forms, full case folding, invisible characters and typography match; the span is the text's own."""
    phrase = keyword.strip('"')
    card = plexus.load(
        f"name: C\nkey: c\nscores:\n  - {{name: A, class: KeywordClassifier, keywords: [{json.dumps(phrase)}]}}"
    )
    (start, end), *_ = plexus.score(card, "A", plexus.Item(f"Über {text}")).trace["matches"]
    assert f"Über {text}"[start:end] == found
    expression = json.dumps(f"contains(text, {json.dumps(phrase)})")
    same = plexus.load(f"name: C\nkey: c\nscores:\n  - {{name: A, class: CompositeScore, expression: {expression}}}")
    assert plexus.score(same, "A", plexus.Item(text)).value == "Yes"


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("refund", "refunds are slow"),
        ("ss", "Die Straße"),
        ("fi", "my \ufb01rst"),
        ("fund", "a ref\u00adund"),
        ("cafe", "the café"),
        ("resume", "my résumé"),
        ("o", "Björn o\u0308ffnet"),
        ("money back", "moneyback"),
        ("사과", "사 과"),
    ],
)
def test_folding_makes_no_other_word(keyword: str, text: str) -> None:
    """Folding joins no words, drops no accents, and finds nothing inside a word."""
    card = plexus.load(f"name: C\nkey: c\nscores:\n  - {{name: A, class: KeywordClassifier, keywords: [{keyword}]}}")
    assert plexus.score(card, "A", plexus.Item(text)).value == "No"


def test_a_case_sensitive_keyword_folds_everything_but_case() -> None:
    """With `case_sensitive`, compatibility forms and typography are folded, and letters keep their case."""
    card = plexus.load(
        "name: C\nkey: c\nscores:\n"
        "  - {name: A, class: KeywordClassifier, keywords: [Straße, Offer], case_sensitive: true}"
    )
    texts = ("Die Straße", "die straße", "STRASSE", "An O\ufb00er", "An o\ufb00er")
    assert [plexus.score(card, "A", plexus.Item(text)).value for text in texts] == ["Yes", "No", "No", "Yes", "No"]


WORDS = st.text(st.sampled_from("aZßẞİıﬁé e\u0301\u00ad\u200bＡ㎞’—환\u1112\u116aςΣ-'\n"), max_size=12)


@given(WORDS)
def test_a_text_folds_alike_with_and_without_places(text: str) -> None:
    """Both foldings agree, and folding is idempotent; every folded character has a place in the text."""
    places = fold_places(text)
    assert fold(places.text) == fold(text) == fold(fold(text))
    spans = [places.find_span(at, at + 1) for at in range(len(places.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
