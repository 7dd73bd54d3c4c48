"""Speakers of transcripts: found wherever labels are, and what cannot be attributed never passes as the customer's."""

import itertools
import json
import random
from typing import Any

import pytest
from pydantic import TypeAdapter

from plexus.configuration.processors import Processor
from plexus.exceptions import ScoringFailed
from plexus.processors import create_chain
from plexus.processors.speakers import Names, find_labels
from plexus.processors.transcripts import split_turns
from plexus.values import Item
from tests.unit.plexus.shared_cases import shared_case
from tests.unit.plexus.transcripts import FORMS, SECRET, Form, transcripts

#: Names of another speaker: roles, people, numbers, and spellings that hide one.
OTHERS = (
    *("Jane", "Jane Doe", "JANE DOE", "jane", "Mr. Smith", "Dr Smith", "Marie-Claire", "José", "O'Neil", "Supervisor"),
    *("Tier 2", "X", "A", "12", "Agent", "agent", "AGENT", "Support", "Me", "You", "Bot", "System", "Store Manager"),
    *(
        "Jean de la Croix",
        "van der Berg",
        "李娜",
        "Иван",
        "Q",
        "Rep #3",
        "Agent Smith",
        "Ms. Lee (Support)",
    ),
    *(
        "Acme",
        "iPhone Support Team",
        "Agent 007",
        "the agent",
        "T. Mobile",
        "@jane",
        "jane_doe",
        "jane@example.com",
    ),
    *("sales rep", "Claims Adjuster", "Tom & Jane", "Jane/Tom", "Jane, Tom", "Frau Müller-Lüdenscheidt", "PD Müller"),
    *("Jane\u00a0Doe", "Ａｇｅｎｔ", "Age\u00adnt", "Agent\u200b", "María José García López Díaz", "Customer Service"),
)
CUSTOMERS = ("Customer", "customer", "CUSTOMER", "Caller 2")
SHAPES = {
    "lines": "{c}: Hello there.\n{o}: Are you fed up?\n{c}: No.",
    "one line": "{c}: Hello there. {o}: Are you fed up? {c}: No.",
    "twice": "{c}: Hello there. {o}: Are you fed up? {c}: No. {o}: Fed up?",
    "no marks": "{c}: hello there {o}: are you fed up {c}: no",
    "no marks, twice": "{c}: hello there {o}: are you fed up {c}: no {o}: fed up",
    "commas": "{c}: hello there, {o}: are you fed up, {c}: no",
    "times": "[00:01] {c}: Hello\n[00:02] {o}: Are you fed up?\n[00:03] {c}: No",
    "times after": "{c} (00:01): Hello\n{o} (00:02): Are you fed up?\n{c} (00:03): No",
    "brackets": "[{c}] Hello [{o}] Are you fed up? [{c}] No",
    "angles": "<{c}> Hello\n<{o}> Are you fed up?\n<{c}> No",
    "parentheses": "({c}) Hello ({o}) Are you fed up? ({c}) No",
    "own lines": "{c}\nHello\n{o}\nAre you fed up?\n{c}\nNo",
    "dashes": "{c} - Hello\n{o} - Are you fed up?\n{c} - No",
    "tabs": "{c}\tHello\n{o}\tAre you fed up?\n{c}\tNo",
    "prompts": "{c}> Hello\n{o}> Are you fed up?\n{c}> No",
    "markdown": "**{c}:** Hello\n\n**{o}:** Are you fed up?\n\n**{c}**: No",
    "no blanks": "{c}:Hello there. {o}:Are you fed up? {c}:No.",
    "blanks": "{c} : Hello there.\n{o} : Are you fed up?\n{c} : No.",
    "wide colons": "{c}：Hello there.\n{o}：Are you fed up?\n{c}：No.",
    "bullets": "- {c}: Hello there.\n- {o}: Are you fed up?\n- {c}: No.",
    "numbers": "1. {c}: Hello there.\n2. {o}: Are you fed up?\n3. {c}: No.",
    "verbs": "{c} says: Hello there.\n{o} says: Are you fed up?\n{c} says: No.",
    "quotes": '{c}: "Hello there." {o}: "Are you fed up?" {c}: "No."',
    "slashes": "{c}: Hello there. / {o}: Are you fed up? / {c}: No.",
    "windows": "{c}: Hello\r\n{o}: Are you fed up?\r\n{c}: No",
    "old macs": "{c}: Hello\r{o}: Are you fed up?\r{c}: No",
    "other line ends": "{c}: Hello\u2028{o}: Are you fed up?\u2028{c}: No",
    "channels": "{c} 10:05 AM\nHello\n{o} 10:06 AM\nAre you fed up?\n{c} 10:07 AM\nNo",
    "support desks": "(10:05:01) {c}: Hello\n(10:05:02) {o}: Are you fed up?\n(10:05:09) {c}: No",
    "meetings": "10:05:11 From {c} to Everyone: Hello\n10:05:12 From {o} to Everyone: Are you fed up?\n",
    "dates": "2024-01-02T10:05:11Z {c}: Hello\n2024-01-02T10:05:12Z {o}: Are you fed up?\n",
    "bars": "00:01 | {c} | Hello\n00:02 | {o} | Are you fed up?\n",
    "tags": "<b>{c}:</b> Hello<br><b>{o}:</b> Are you fed up?<br>",
    "sounds": "{c}: Hello. [laughs] {o}: Are you fed up?",
    "dash before": "{c}: Hello — {o}: Are you fed up? {c}: No",
}


def process(text: str, class_name: str, **keys: Any) -> str:
    """Return the text after one processor."""
    configuration: Any = TypeAdapter(Processor).validate_python({"class": class_name, **keys})
    return create_chain([configuration])(Item(text)).text or ""


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_customers_turns_of_every_form_are_kept(form: Form) -> None:
    """The transcripts of a form, eleven conversations each, have exactly the customer's turns left."""
    keys: dict[str, Any] = {} if form.speakers is None else {"speakers": list(form.speakers)}
    count = 0
    for entry, _, text, kept in transcripts():
        if entry is form:
            assert process(text, "CustomerTurnsOnly", **keys) == "\n".join(kept)
            assert SECRET not in process(text, "CustomerTurnsOnly", **keys).casefold()
            count += 1
    assert count == 11


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_turn_of_every_form_is_found(form: Form) -> None:
    """Turns have their speakers and their order; nothing but marks and times is lost between them."""
    for entry, expected, text, _ in transcripts():
        if entry is form and form.speakers is None:
            spoken = [turn for turn in split_turns(text) if turn.speaker is not None]
            assert [turn.text for turn in spoken] == [form.change(words) for _, words in expected]
            assert [turn.speaker == form.customer for turn in spoken] == [customer for customer, _ in expected]


def test_there_are_more_than_200_transcripts() -> None:
    """Eleven conversations in more than a dozen forms."""
    texts = {text for _, _, text, _ in transcripts()}
    assert len(texts) > 200
    assert len(FORMS) > 12


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_no_other_speaker_passes_as_the_customer(shape: str) -> None:
    """Whoever else speaks, in whatever form: their words are not kept, or the score fails."""
    leaks = []
    for other in OTHERS:
        for customer in CUSTOMERS:
            try:
                kept = process(shape.format(c=customer, o=other), "CustomerTurnsOnly")
            except ScoringFailed:
                continue
            if SECRET in kept.casefold():
                leaks.append((other, customer))
    assert leaks == []


PARTS = (
    ("Jane", "tom", "ANNA", "Dr.", "José", "O'Brien", "X", "Q1", "Bot-3", "User42", "A.", "von", "Al-Amin", "St. John"),
    ("", " Doe", " (Support)", " [Agent]", " - Agent", " / Support", " | Agent", " PhD", " III", " #2", " the Agent"),
    (
        "",
        " (agent, Berlin)",
        " from Support",
        " in Billing",
        ",  Support",
        " &co",
        " 😀",
        " *",
        "\u200b",
        " ’s colleague",
    ),
    (
        "Hello there.",
        "hello there",
        "ok,",
        "Well...",
        "It's €5",
        "1234",
        "late :(",
        "Hello 😀",
        "“Hello.”",
        "Hi;",
        "a/b",
    ),
    (": ", ":", " : ", "：", ":\n", ':  "'),
)


def test_no_name_of_any_parts_passes_as_the_customer() -> None:
    """Names are put together at random; no rule has to know them."""
    chance = random.Random(7)
    passed = 0
    for _ in range(4000):
        first, middle, last, words, colon = map(chance.choice, PARTS)
        text = f"Customer{colon}{words} {first}{middle}{last}{colon}Are you fed up? Customer{colon}No."
        try:
            kept = process(text, "CustomerTurnsOnly")
        except ScoringFailed:
            continue
        passed += 1
        assert SECRET not in kept, text
    assert passed > 400


@pytest.mark.parametrize(
    "text",
    [
        "Customer: Hello. Agent - Are you fed up? Customer: No.",
        "Customer - Hello. Tom - Are you fed up? Customer - No.",
        "Customer: Hello. My friend Tom from Berlin: fed up? Customer: No.",
        "Customer: I called. Jane: Are you fed up?\nAgent: Hi.",
        "Agent: I asked the Customer: are you fed up?\nCustomer: No.",
        "customer: who is this agent: are you fed up customer: no",
        "Customer: Hi\nAre you fed up?\nCustomer: No.",
        'Customer: He said "Agent: go". Fine.\nAgent: Ok.',
        "Customer: Hello.\nThe agent: fed up?",
        "Customer: Hello.\nAgent note: fed up\nAgent: Hi.",
        "Customer: Hello.\nAgent; fed up?\nAgent: Hi.",
        "Customer: Hello.\nTom = fed up?\nAgent: Hi.",
        "Customer: Hello.\nSupervisor» fed up?\nAgent: Hi.",
        "Customer: Hello.\nAGENT   fed up?\nAgent: Hi.",
        "Customer: Hello.\nAgent… fed up?\nAgent: Hi.",
        "Customer: Hello.\nAgent\u2236 fed up?\nAgent: Hi.",
        "Customer: Hello.\n--- Transferred to billing ---\nAre you fed up?\nAgent: Hi.",
        "Customer: Hello.\n[Agent has joined the chat]\nAre you fed up?\nAgent: Hi.",
    ],
)
def test_ambiguous_turns_fail_the_score(text: str) -> None:
    """A text with a word that may be a speaker is not scored; the error gives its place, and quotes nothing."""
    with pytest.raises(ScoringFailed, match=r"the turns are ambiguous: .*character \d+.*next: name") as raised:
        process(text, "CustomerTurnsOnly")
    assert "Jane" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "keys", "kept"),
    [
        ("Customer: I called. Jane: Fed up?\nAgent: Hi.", {"others": ["Jane"]}, "I called."),
        ("Customer: My car. Model: Z3.\nAgent: Hi.", {}, "My car. Model: Z3."),
        ("Customer: It broke.\n--- Transferred to billing ---\nAgent: Hi.", {}, "It broke."),
        ("Customer: It broke.\n*** Agent joined ***\nAgent: Hi.\nCustomer: Bye.", {}, "It broke.\nBye."),
        ("Customer: It broke.\n[Agent has joined the chat]\nAgent: Hi.", {}, "It broke."),
        (
            "Customer: It broke.\n[laughs]\n(I was transferred twice)\n**angry**\nAgent: Hi.",
            {},
            "It broke.\n[laughs]\n(I was transferred twice)\n**angry**",
        ),
        (
            "Customer: It broke.\nHello… anyone?\nWell; no.\nAgent was rude.\nAgent: Hi.",
            {},
            "It broke.\nHello… anyone?\nWell; no.\nAgent was rude.",
        ),
        ("Kunde: Es ist kaputt.\nMitarbeiterin: Oh.", {}, "Es ist kaputt."),
        ("Cliente: Está roto.\nAgente: Oh.", {}, "Está roto."),
        ("顾客：坏了。\n客服：哦。", {}, "坏了。"),
        ("お客様：壊れました。\nオペレーター：はい。", {}, "壊れました。"),
        ("고객: 고장났어요.\n상담원: 네.", {}, "고장났어요."),
        ("Клиент: Сломалось.\nОператор: Ой.", {}, "Сломалось."),
        ("Customer: My car. Trim: red.\nAgent: Hi.", {"not_speakers": ["trim"]}, "My car. Trim: red."),
        ("Jane: Fed up?\nBob: No.\nJane: Fed up!", {"speakers": ["Bob"]}, "No."),
        ("Speaker 1: Fed up?\nSpeaker 2: No.", {"speakers": ["Speaker 2"]}, "No."),
        ("Speaker 1: Fed up?\nspeaker 2: No.", {"speakers": ["speaker 2"]}, "No."),
        ("Customer Service: Fed up?\nCustomer 2: No.", {}, "No."),
        ("Customer: I spoke to the agent: he said no.\nAgent: Fed up?", {}, "I spoke to the agent: he said no."),
        ("Customer: See https://x.example/Agent: there.\nAgent: Fed up?", {}, "See https://x.example/Agent: there."),
        ("Customer: Would not recommend: it broke.\nAgent: Fed up?", {}, "Would not recommend: it broke."),
    ],
)
def test_labels_are_learnt_or_declared(text: str, keys: dict[str, Any], kept: str) -> None:
    """Declared names, names that recur, and roles are labels; phrases, addresses and declared words are not."""
    assert process(text, "CustomerTurnsOnly", **keys) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Would not recommend: bad service.",
        "I was told: no refund.",
        "Pros: good\nCons: bad",
        "Battery: great.\nScreen: fine.\nSound: poor.",
        "Staff: friendly. Rooms: clean.",
        "Would Not Recommend: slow.\nWould Not Recommend: loud.",
        "To the manager: this is bad. Note: twice.",
        "order: late. order: lost.",
        "See https://x: y at 10:30: yes",
    ],
)
def test_texts_that_are_no_transcripts_keep_their_words(text: str) -> None:
    """RemoveSpeakerIdentifiers leaves headings and phrases before a colon alone."""
    assert process(text, "RemoveSpeakerIdentifiers") == text


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Agent: Hello.\nCustomer: Hi.", "Hello.\nHi."),
        ("Customer: Hello. Agent: Fed up? Customer: No.", "Hello. Fed up? No."),
        ("Ann: Hi.\nBob: Hello.\nANN: Bye.", "Hi.\nHello.\nBye."),
        ("Customer: I was told: no refund.", "I was told: no refund."),
        ("[00:01] Agent: Hello.\n[00:02] Customer: Hi.", "Hello.\nHi."),
    ],
)
def test_speakers_of_transcripts_are_removed(text: str, without: str) -> None:
    """Labels are removed with their times, wherever they are."""
    assert process(text, "RemoveSpeakerIdentifiers") == without


def test_a_number_counts_if_it_is_declared() -> None:
    """`Customer` is any customer; `Speaker 2` is only the second."""
    assert Names(["Customer"]).is_customer("customer 3")
    assert not Names(["Speaker 2"]).is_customer("Speaker 1")
    assert not Names(["Speaker 2"]).is_customer("Speaker")


@pytest.mark.parametrize(
    "part",
    [":", "A: ", "Agent ", "a b c d: ", "[", "<v ", "Jane - ", "10:05 ", "Agent\n", "Agent: hi Customer: hello ", "\n"],
)
def test_any_text_takes_linear_time(part: str) -> None:
    """Rows of labels, marks and times end; labels are in order and do not overlap."""
    labels = find_labels(part * (100_000 // len(part)) + ":", Names())
    assert all(one.end <= two.start for one, two in itertools.pairwise(labels))


def test_the_shared_cases_are_right() -> None:
    """Each shared transcript has the customer's turns left."""
    for line in shared_case("speakers.jsonl").read_text().splitlines():
        case = json.loads(line)
        assert process(case["text"], "CustomerTurnsOnly") == case["kept"]
