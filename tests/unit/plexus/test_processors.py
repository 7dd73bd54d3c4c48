"""Processors: the text that reaches a scorer."""

from typing import Any, cast

import pytest

import plexus
from plexus.configuration.processors import Processor, RelevantWindows
from plexus.exceptions import ScoringFailed
from plexus.original.notes import Notes
from plexus.original.processors import translate_processors
from plexus.passages import find_sentences
from plexus.processors import create_chain
from plexus.values import Item

CALL = (
    "Agent 1: Hello, how can I help?\nCustomer: My order is late.\nIt was due Monday.\n"
    "Agent 1: I see.\nCaller 2: Me too!"
)
TRANSCRIPT = [
    {"speaker": "Agent", "text": "Hello.", "start": 0, "end": 2},
    {"speaker": "Customer", "text": "It broke.", "start": 65.5, "end": 70},
    {"text": "(silence)", "start": 80},
]


def process(text: str, class_name: str, metadata: dict[str, Any] | None = None, **keys: Any) -> str:
    """Return the text after one processor."""
    from pydantic import TypeAdapter

    configuration: Any = TypeAdapter(Processor).validate_python({"class": class_name, **keys})
    return create_chain([configuration])(Item(text, metadata or {})).text or ""


def test_speakers_are_removed_and_times_and_addresses_are_not_speakers() -> None:
    """Only a name with a colon at the beginning of a line is a speaker."""
    text = "Agent 2: at 10:30: yes\nhttps://x: y"
    assert process(text, "RemoveSpeakerIdentifiers") == "at 10:30: yes\nhttps://x: y"


def test_only_the_customers_turns_are_kept() -> None:
    """A turn lasts until the next speaker; a number after the speaker's name is ignored."""
    assert process(CALL, "CustomerTurnsOnly") == "My order is late.\nIt was due Monday.\nMe too!"
    assert process(CALL, "CustomerTurnsOnly", speakers=["AGENT"]) == "Hello, how can I help?\nI see."


@pytest.mark.parametrize(
    ("text", "turns"), [("Agent: Hello.", 1), ("Where is my parcel?", 0), ("one\ntwo", 0), ("12", 0)]
)
def test_a_text_without_the_customer_fails(text: str, turns: int) -> None:
    """A text without a customer's turn fails, with or without speakers; nobody else's words are scored instead."""
    reason = f"CustomerTurnsOnly failed: no turn is the customer's: got {turns} turns"
    with pytest.raises(ScoringFailed, match=reason):
        process(text, "CustomerTurnsOnly")


def test_speakers_are_numbered_by_first_appearance() -> None:
    """Speakers are numbered by first appearance; the same name in another case is the same speaker."""
    text = "Ann: Hi.\nBob: Hello.\nANN: Bye."
    assert process(text, "EnumerateSpeakers", label="Voice") == "Voice 1: Hi.\nVoice 2: Hello.\nVoice 1: Bye."


def test_stop_words_go_and_negations_stay() -> None:
    """Stop words are removed; negations, punctuation and lines stay; `keep` and `also` change the list."""
    text = "It is not the best, and I do not\nlike it."
    assert process(text, "RemoveStopWords") == "not best, not\nlike."
    assert process(text, "RemoveStopWords", keep=["It"], also=["BEST"]) == "It not, not\nlike it."


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("I don't know", "I do not know"),
        ("Can’t and won't", "Cannot and will not"),
        ("It's Ann's, they've said", "It is Ann's, they have said"),
        ("he'd go", "he'd go"),
    ],
)
def test_contractions_are_expanded_where_there_is_one_reading(text: str, full: str) -> None:
    """Contractions with one reading are expanded, with either apostrophe; possessives and `'d` stay."""
    assert process(text, "ExpandContractions") == full


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({"before": 0, "after": 0}, "Two refund here. … Six refund."),
        ({"before": 0, "after": 1}, "Two refund here. Three. … Six refund."),
        ({"before": 1, "after": 2}, "One. Two refund here. Three. Four. Five. Six refund."),
        ({"unit": "words", "before": 1, "after": 0, "separator": " | "}, "Two refund | Six refund."),
        ({"fuzzy": True, "keywords": ["refnud"], "before": 0, "after": 0}, "Two refund here. … Six refund."),
        ({"keywords": ["refund here", "four"], "unit": "words", "before": 0, "after": 0}, "refund here. … Four."),
    ],
)
def test_windows_around_keywords_are_kept(keys: dict[str, Any], kept: str) -> None:
    """Touching windows are joined; a phrase may span several units."""
    text = "One. Two refund here. Three. Four. Five. Six refund."
    assert process(text, "RelevantWindows", **{"keywords": ["refund"], **keys}) == kept


LINES = "Hi\nMy grandchildren\nare well\nand the Child too\nYes\nBye\n"


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ({"keywords": ["child"]}, "Hi\nMy grandchildren\nare well\nand the Child too\nYes\n..."),
        ({"keywords": ["child"], "case_sensitive": True, "prev_count": 0}, "...\nMy grandchildren\nare well\n..."),
        (
            {"keywords": ["CHILD"], "prev_count": 0, "next_count": 0},
            "...\nMy grandchildren\n...\nand the Child too\n...",
        ),
        ({"keywords": ["bye"], "prev_count": 0}, "...\nBye"),
        ({"keywords": ["dog"]}, ""),
        (
            {"keywords": ["childern"], "fuzzy_match": True, "next_count": 0, "prev_count": 0},
            "Hi\nMy grandchildren\n...",  # `hi` is a part of the keyword
        ),
        ({"keywords": ["i"], "window_unit": "words", "next_count": 9}, LINES.strip()),
    ],
)
def test_windows_of_the_original_are_those_of_its_own_engine(parameters: dict[str, Any], kept: str) -> None:
    """A keyword counts inside of words, `...` stands for lines omitted anywhere, and no match is an empty text."""
    original = [{"class": "RelevantWindowsTranscriptFilter", "parameters": parameters}]
    (translated,) = cast("list[dict[str, Any]]", translate_processors(cast("Any", original), Notes()))
    assert process(LINES, translated.pop("class"), **translated) == kept


def test_windows_of_case_sensitive_whole_words() -> None:
    """Case counts on request, for whole words too."""
    keys: dict[str, Any] = {"keywords": ["Child"], "case_sensitive": True, "unit": "lines", "before": 0, "after": 0}
    assert process(LINES, "RelevantWindows", **keys) == "and the Child too"


def test_windows_without_the_newer_keys_have_the_hash_from_before() -> None:
    """A key that has no effect is no part of the configuration's hash."""
    dumped = RelevantWindows.model_validate({"class": "RelevantWindows", "keywords": ["x"]}).model_dump(by_alias=True)
    assert not {"whole_words", "case_sensitive", "edges"} & dumped.keys()


def test_windows_of_turns_keep_their_speakers() -> None:
    """With `unit: turns` whole turns are kept."""
    kept = process(CALL, "RelevantWindows", keywords=["late"], unit="turns", before=1, after=0)
    assert kept == "Agent 1: Hello, how can I help?\nCustomer: My order is late.\nIt was due Monday."


def test_no_keyword_gives_the_placeholder_or_fails() -> None:
    """A text without a keyword becomes the placeholder, or fails without one."""
    assert process("Nothing.", "RelevantWindows", keywords=["x"], placeholder="(none)") == "(none)"
    with pytest.raises(ScoringFailed, match="contains none of the keywords"):
        process("Nothing.", "RelevantWindows", keywords=["x"])


def test_a_transcript_becomes_text() -> None:
    """A transcript renders as one line per turn, with times if configured."""
    meta = {"transcript": TRANSCRIPT}
    assert process("-", "TranscriptFormat", meta) == "Agent: Hello.\nCustomer: It broke.\n(silence)"
    timed = process("-", "TranscriptFormat", meta, timestamps=True)
    assert timed == "[00:00] Agent: Hello.\n[01:05] Customer: It broke.\n[01:20] (silence)"


def test_a_slice_keeps_the_turns_that_begin_in_it() -> None:
    """The slice's end is excluded; a slice without turns fails."""
    meta = {"transcript": TRANSCRIPT}
    assert process("-", "TimeSlice", meta, **{"from": 60, "to": 80}) == "Customer: It broke."
    with pytest.raises(ScoringFailed, match="no turn of the transcript begins within the slice"):
        process("-", "TimeSlice", meta, **{"from": 90})


@pytest.mark.parametrize("meta", [{}, {"transcript": []}, {"transcript": [{"speaker": "A"}]}, {"transcript": "x"}])
def test_an_item_without_a_transcript_fails(meta: dict[str, Any]) -> None:
    """A missing or malformed transcript is a failure, never an empty text."""
    with pytest.raises(ScoringFailed, match="TranscriptFormat failed"):
        process("-", "TranscriptFormat", meta)


def test_a_scores_own_processors_replace_the_scorecards() -> None:
    """`item.processors` replaces the scorecard's processors."""
    card = plexus.load(
        """
name: A
key: a
processors: [{class: CustomerTurnsOnly}]
scores:
  - {name: Theirs, class: KeywordClassifier, keywords: [help]}
  - {name: All, class: KeywordClassifier, keywords: [help], item: {processors: []}}
"""
    )
    assert plexus.score(card, "Theirs", Item(CALL)).value == "No"
    assert plexus.score(card, "All", Item(CALL)).value == "Yes"


@pytest.mark.parametrize(
    "text",
    [
        "." * 200_000 + "x hit",
        "Mr. " * 50_000 + "hit",
        "hit miss " * 30_000,
        "A" + "-" * 100_000 + ": hit\nCustomer: hit",
    ],
    ids=["marks", "abbreviations", "keywords", "speaker"],
)
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    """Rows of marks, abbreviations, keywords and endless names take linear time."""
    assert "hit" in process(text, "RelevantWindows", keywords=["hit"], unit="words" if "miss" in text else "sentences")
    if "Customer" in text:
        assert process(text, "CustomerTurnsOnly") == "hit"


def test_rows_of_marks_end_sentences_as_single_ones_do() -> None:
    """Rows of marks end a sentence, at its beginning and before a closing quote too."""
    text = "... Well. Really?!” It is … fine. Mr. X came. v1.2 works!! ok"
    results = [text[start:end] for start, end in find_sentences(text)]
    assert results == ["...", "Well.", "Really?!”", "It is …", "fine.", "Mr. X came.", "v1.2 works!!", "ok"]
