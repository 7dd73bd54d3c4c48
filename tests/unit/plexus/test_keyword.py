import pytest

import plexus
from plexus.exceptions import ScoringFailed
from plexus.scorecard import Scorecard

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
    """The scorecard that the rules below are tried on."""
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
    """The explanation quotes each match once, as it stands in the text; the trace holds every span."""
    result = plexus.score(card, "Mentions Refund", plexus.Item("Refund! Refund! Money back."))
    assert result.explanation == "Found “Refund”, “Money back”."
    assert result.trace == {"matches": [[0, 6], [8, 14], [16, 26]]}


@pytest.mark.parametrize("before", ["", "e ", "é ", "退款 "])
def test_places_are_counted_in_characters(card: Scorecard, before: str) -> None:
    """Whatever stands before them, however many bytes it takes, and of keywords as of patterns."""
    text = f"{before}a refund of RMA-12"
    result = plexus.score(card, "Mentions Refund", plexus.Item(text))
    assert [text[start:end] for start, end in result.trace["matches"]] == ["refund", "RMA-12"]


def test_the_first_class_in_the_list_wins(card: Scorecard) -> None:
    """With `choose: first` the order of the YAML decides, not that of the text."""
    assert plexus.score(card, "Topic", plexus.Item("Scratched, and late too")).value == "Delivery"


def test_no_class_and_no_default_is_a_failure(card: Scorecard) -> None:
    """A text that no class matches fails unless a default is declared: absence never becomes a class."""
    with pytest.raises(ScoringFailed, match="no default"):
        plexus.score(card, "Topic", plexus.Item("All fine"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("good, good and bad", "Good"), ("not good at all", "Bad"), ("never a bad day. great", "Good"), ("so so", "None")],
)
def test_most_matches_win_and_negation_turns_a_match_round(card: Scorecard, text: str, value: str) -> None:
    """With `choose: most` matches are counted, and a negated one counts for the other of two classes."""
    assert plexus.score(card, "Mood", plexus.Item(text)).value == value


def test_hostile_pattern_takes_linear_time() -> None:
    """A pattern that makes backtracking engines hang is answered at once."""
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
        ("größe", "Die GRÖSSE? Übergröße!", "No"),
        ("größe", "Die Größe passt.", "Yes"),
        ('"don\'t like"', "I don’t\u00a0like it", "Yes"),
        ("don’t", "I don't", "Yes"),
        ("e-mail", "an e‑mail", "Yes"),
        ("e-mail", "an email", "No"),
    ],
)
def test_a_word_is_whole_in_every_script(keyword: str, text: str, value: str) -> None:
    """Accents, apostrophes, hyphens and spaces count however they are spelt; unspaced scripts have words anywhere."""
    card = plexus.load(f"name: C\nkey: c\nscores:\n  - {{name: A, class: KeywordClassifier, keywords: [{keyword}]}}")
    assert plexus.score(card, "A", plexus.Item(text)).value == value


def test_half_a_word_is_no_negation(card: Scorecard) -> None:
    """Where the look back for a negation ends within a word, the rest of the word is none."""
    text = f"One cannot {'a' * 27} {'b' * 27} good"
    assert plexus.score(card, "Mood", plexus.Item(text)).value == "Good"


def test_a_pattern_that_matches_nothing_has_found_nothing() -> None:
    """`x*` matches the empty text at every place of every text."""
    card = plexus.load('name: C\nkey: c\nscores:\n  - {name: A, class: KeywordClassifier, patterns: ["x*"]}')
    assert plexus.score(card, "A", plexus.Item("hello")).value == "No"
    assert plexus.score(card, "A", plexus.Item("xx")).value == "Yes"
