"""The class that a reply names."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexus.graph.labels import find_collisions, match_label, parse_label
from plexus.graph.reply import Reply
from tests.unit.plexus.framings import JOINTS, LANGUAGES, MARKUP, frame, framings
from tests.unit.plexus.prose_replies import ASSERTED, DENIED

CLASSES = ("No", "Yes", "Not Applicable", "Applicable")


@pytest.mark.parametrize("classes", [("Yes", "No"), ("No", "Yes")])
def test_the_class_that_occurs_first_counts_from_the_start_whatever_is_declared_first(classes: tuple[str, str]) -> None:
    """The order of the reply decides, not the order of the declaration."""
    assert parse_label("Yes. Though one could say no.", classes, from_start=True) == "Yes"
    assert parse_label("No. Though one could say yes.", classes, from_start=True) == "No"
    assert parse_label("Yes. Though one could say no.", classes) is None
    assert parse_label("One could say yes.\nNo.", classes) == "No"


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
    """Whole words name a class, in any case and punctuation; of overlapping classes the longer wins."""
    assert parse_label(reply, CLASSES) == label
    assert parse_label(reply, CLASSES, from_start=True) == label


@given(st.text(), st.booleans())
def test_any_reply_names_a_declared_class_or_none(reply: str, from_start: bool) -> None:
    """Any reply gives a declared class or none."""
    assert parse_label(reply, CLASSES, from_start=from_start) in (None, *CLASSES)


def test_an_accent_is_the_same_however_it_is_spelt() -> None:
    """Composed and decomposed accents are equal."""
    assert parse_label("It is a cafe\u0301.", ["Caf\u00e9", "Bar"]) == "Caf\u00e9"


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("+", "+"),
        ("Sentiment: -", "-"),
        ("- Sentiment: +", "+"),
        ("**+**", "+"),
        ("+ at first, then - and + and at last -", None),
        ("non-compliant", None),
        ("A+", None),
    ],
)
def test_a_class_of_signs_is_no_part_of_a_word(reply: str, label: str | None) -> None:
    """A class of signs is found where it stands alone, neither in words nor as the bullet of a list."""
    assert parse_label(reply, ["+", "-"]) == label


SIGNS, LIMITS, GRADES = ("1", "-1", "0"), ("<5", ">5"), ("A+", "A", "B")
RATED = ("1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    ("classes", "reply", "label"),
    [
        (SIGNS, "The sentiment is -1.", "-1"),
        (SIGNS, "\u22121", "-1"),
        (SIGNS, "1", "1"),
        (SIGNS, "Answer: 0", "0"),
        (SIGNS, "- 1", None),
        (SIGNS, "1 or -1", None),
        (SIGNS, "0.5", None),
        (("1", "0"), "-1", None),
        (LIMITS, "<5", "<5"),
        (LIMITS, "It is >5.", ">5"),
        (LIMITS, "5", None),
        (("5", "6"), "<5", None),
        (("5", "6"), "≥ 5", None),
        (("5", "6"), "5%", None),
        (("5", "6"), "5+", None),
        (("5", "6"), "score=5", "5"),
        (GRADES, "Grade: A", "A"),
        (GRADES, "Grade: A+.", "A+"),
        (GRADES, "**A+**", "A+"),
        (GRADES, "B", "B"),
        (GRADES, "B+", None),
        (GRADES, "A-", None),
        (("C", "C++", "C#"), "It is C++.", "C++"),
        (("C", "C++", "C#"), "C#", "C#"),
        (("C", "C++", "C#"), "C", "C"),
        (("50%", "5"), "50%", "50%"),
        (RATED, "4 out of 5", "4"),
        (RATED, "4/5", "4"),
        (RATED, "4-5", None),
        (("Compliant", "Violation"), "The agent was non-compliant.", None),
        (("Compliant", "Violation"), "noncompliant", None),
        (("Compliant", "Violation"), "Not compliant", None),
        (("Compliant", "Violation"), "The agent isn't compliant.", None),
        (("Compliant", "Violation"), "not a clear violation", None),
        (("Compliant", "Violation"), "Compliant.", "Compliant"),
        (("Compliant", "Non-Compliant"), "Non Compliant", "Non-Compliant"),
        (("Compliant", "Non-Compliant"), "NonCompliant", "Non-Compliant"),
        (("Compliant", "Non-Compliant"), "non\u2011compliant", "Non-Compliant"),
        (("Resolved", "Open"), "un-resolved", None),
        (("N/A", "Yes", "No"), "NA", "N/A"),
        (("N/A", "Yes", "No"), "n.a.", "N/A"),
        (("NA", "Yes", "No"), "N/A", "NA"),
        (("Didn't ask", "Asked"), "Didnt ask", "Didn't ask"),
        (("Didn't ask", "Asked"), "Didn’t ask", "Didn't ask"),
        (("Didnt ask", "Asked"), "didn't ask.", "Didnt ask"),
        (("very_good", "bad"), "Very good", "very_good"),
        (("Red", "Dark Red", "Green"), "The answer is: Dark Red", "Dark Red"),
        (("Red", "Green"), "Reddish", None),
        (("Straße", "Platz"), "STRASSE", "Straße"),
        (("हाँ", "नहीं"), "उत्तर: हाँ", "हाँ"),
        (("是", "否"), "答案：是", "是"),
        (("是", "否"), "不是", None),
        (("是", "否"), "是否", None),
        (("👍", "👎"), "👍\ufe0f", "👍"),
        (("Yes", "No"), "Yes/No", None),
        (("Yes", "No"), "Yes or no", None),
        (("Yes", "No"), "No-one knows", None),
        (("Yes", "No"), "Yes—it says so.", "Yes"),
        (("Yes", "No"), "Yes it could be.\nNO", "No"),
        (("Yes", "No"), "It never says yes.\n\n**Answer:** No", "No"),
        (("Yes", "No"), "Yes. No.", None),
        (("Yes", "No"), "Yes, because it says so.\nNo", None),
        (("Yes", "No"), "Yes - it says so.\nIt is not.\n\nAnswer: No", "No"),
        (("Yes", "No"), "Yes, it says so.\n\nAnswer: No", None),
        (("Compliant", "Violation"), "In the whole of this conversation the agent was clearly not\ncompliant.", None),
        (("Compliant", "Violation"), "The agent was not a bad one\nViolation", "Violation"),
        (("Yes", "No"), "I would say yes. No!", None),
        (("Yes", "No"), "Answer: Yes\nAnswer: No", None),
        (("Yes", "No"), "No.\nThe customer did not say yes.", None),
        (("Yes", "No"), "Is it a yes? The answer is no.", "No"),
        (("Yes", "No"), "No, not yes", None),
    ],
)
def test_a_reply_names_one_class_or_none(classes: tuple[str, ...], reply: str, label: str | None) -> None:
    """Signs and negating words make another class of a word; two classes need a conclusion that stands alone."""
    assert parse_label(reply, classes) == label


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Yes. Though one could say no.", "Yes"),
        ("**No**\n\nIt does not say yes.", "No"),
        ("No, but actually yes", None),
        ("One could say yes. No.", None),
        ("Answer: Yes\nAlternative: No", "Yes"),
        ("Yes, it does.\nOne could say no.", None),
    ],
)
def test_from_the_start_the_first_conclusion_counts(reply: str, label: str | None) -> None:
    """With `from_start`, the first sentence or line that names a class has to consist of it."""
    assert parse_label(reply, ["Yes", "No"], from_start=True) == label


FRAMES = (
    "{}", "{}.", "**{}**", "`{}`", "\"{}\"", "“{}”", "({})", "[{}]", "<answer>{}</answer>", "- {}", "* {}",
    "# {}", "> {}", "1. {}", "Answer: {}", "Answer:{}", "**Answer:** {}", "Final answer: **{}**",
    "Classification={}.", "The answer is {}.", "I would say {}!", "{}, I think.",
    "It is {}, because of the words.", "{} - clearly", "{} — clearly", "{}\n", "\n\n{}",
    "{}\r\n\r\nThat is all.", "```\n{}\n```", "{{\"answer\": \"{}\"}}", "{{'label': '{}'}}", "Respuesta: {}",
    "Antwort: {}.", "Réponse : {}", "Risposta: {}", "Resposta: {}", "Ответ: {}", "答案：{}", "答え：「{}」",
    "답변: {}", "الإجابة: {}", "उत्तर: {}", "Odpowiedź: {}", "Cevap: {}", "Svar: {}", "Antwoord: {}", "*{}*",
    "_{}_", "~{}~", "|{}|", "→ {}", "=> {}", "✅ {}", "«{}»",
)  # fmt: skip
SETS = (
    ("Yes", "No"), ("Sí", "No"), ("Ja", "Nein"), ("Oui", "Non"), ("Да", "Нет"), ("是", "否"),
    ("はい", "いいえ"), ("예", "아니요"), ("نعم", "لا"), ("हाँ", "नहीं"), ("Tak", "Nie"), ("Evet", "Hayır"),
    ("A+", "A", "B"), ("Compliant", "Non-Compliant"), ("Not Applicable", "Applicable"), ("N/A", "Yes"),
    ("<5", ">5"), ("Very good", "Good"),
)  # fmt: skip


@given(st.sampled_from(SETS), st.data())
def test_one_class_is_read_in_any_framing_and_two_never(classes: tuple[str, ...], data: st.DataObject) -> None:
    """One class is read through markup and words of twelve languages; two different ones in one sentence never."""
    frame, joint = (
        data.draw(st.sampled_from(FRAMES)),
        data.draw(st.sampled_from((" or ", ", ", " / ", "; ", ". "))),
    )
    label, other = data.draw(st.permutations(classes))[:2]
    assert parse_label(frame.format(label), classes) == label
    assert parse_label(frame.format(label.upper()), classes) == label
    assert parse_label(frame.format(f"{label}{joint}{other}"), classes) is None


@pytest.mark.parametrize("from_start", [False, True])
def test_a_class_that_a_reply_denies_is_not_read(from_start: bool) -> None:
    """Negations, conditions, questions, reported speech, crosses and low shares around a class deny it."""
    misread = [
        (reply, found)
        for classes, replies in DENIED.items()
        for reply in replies
        if (found := parse_label(Reply(reply).answer, classes, from_start=from_start)) is not None
    ]
    assert misread == []


@pytest.mark.parametrize("from_start", [False, True])
def test_a_class_beside_a_denial_of_something_else_is_read(from_start: bool) -> None:
    """What a reply denies or asks in another clause or sentence takes nothing from the class."""
    misread = [
        (reply, found, label)
        for classes, replies in ASSERTED.items()
        for reply, label in replies
        if (found := parse_label(Reply(reply).answer, classes, from_start=from_start)) != label
    ]
    assert misread == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_class_is_read_in_every_framing(language: str) -> None:
    """A reply with exactly one class is read as it, in every framing and among the language's own sentences."""
    answer, sets, _, _ = LANGUAGES[language]
    misread = [
        (reply, found, label)
        for classes in sets
        for label in classes
        for framing in framings(language)
        if (found := parse_label(Reply(reply := frame(framing, answer, label)).answer, classes)) != label
    ]
    assert misread == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_classes_in_one_breath_are_never_read(language: str) -> None:
    """Two different classes, joined by the words of any language within any framing, are no answer."""
    answer, sets, _, _ = LANGUAGES[language]
    pairs = [(classes, pair) for classes in sets for pair in itertools.permutations(classes, 2)]
    misread = [
        (reply, found)
        for classes, pair in pairs
        for joint in JOINTS
        for framing in (*MARKUP, *LANGUAGES[language][2])
        if (found := parse_label(Reply(reply := frame(framing, answer, joint.format(*pair))).answer, classes))
        is not None
    ]
    assert misread == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_that_is_given_twice_must_be_the_same(language: str) -> None:
    """The same framing around two different classes, one on each line, is no answer."""
    answer, sets, _, _ = LANGUAGES[language]
    pairs = [(classes, pair) for classes in sets for pair in itertools.permutations(classes, 2)]
    misread = [
        (reply, found)
        for classes, pair in pairs
        for framing in MARKUP
        if (found := parse_label(reply := "\n".join(frame(framing, answer, label) for label in pair), classes))
        is not None
    ]
    assert misread == []


def test_there_are_fifty_framings_and_twelve_languages() -> None:
    """The three tests above are as wide as they promise."""
    assert len(MARKUP) >= 50
    assert len(LANGUAGES) >= 12


@pytest.mark.parametrize(
    ("classes", "reply", "label"),
    [
        (("合规", "违规"), "我认为合规。", "合规"),
        (("合规", "违规"), "不合规", None),
        (("合规", "违规"), "没有违规。", None),
        (("合规", "违规"), "存在违规行为。", None),
        (("合规", "不合规"), "答案：不合规", "不合规"),
        (("是", "否"), "答案是：否", "否"),
        (("是", "否"), "不是", None),
        (("是", "否"), "结果为是; 否。", None),
        (("合格", "再検査"), "不合格です。", None),
        (("肯定的", "否定的"), "肯定的ではありません。", None),
        (("肯定的", "否定的"), "肯定的な評価です。", "肯定的"),
        (("예", "아니요"), "예를 들어 소포가 늦었습니다.", None),
        (("예", "아니요"), "예를 들면 늦었습니다.\n답: 아니요", "아니요"),
        (("긍정", "부정"), "긍정이 아닙니다.", None),
        (("ใช่", "ไม่"), "คำตอบคือใช่ครับ", "ใช่"),
        (("ใช่", "ไม่"), "ไม่ใช่", None),
        (("Yes", "No"), "答案是Yes。", "Yes"),
        (("Yes", "No"), "答えはNoです。", "No"),
        (("Yes", "No"), "답은 Yes입니다.", "Yes"),
        (("Yes", "No"), "答えはYesではありません。", None),
        (("Yes", "No"), "YesかNo", None),
        (("4", "5"), "4月", None),
    ],
)
def test_words_that_touch_each_other_are_told_apart(classes: tuple[str, ...], reply: str, label: str | None) -> None:
    """In scripts without spaces a class is read among words that introduce or end it, and never out of another word."""
    assert parse_label(reply, classes) == label


@pytest.mark.parametrize(
    ("classes", "collisions"),
    [
        (("Yes", "YES"), [("YES", "Yes")]),
        (("Yes", "Yes!"), [("Yes!", "Yes")]),
        (("N/A", "NA"), [("NA", "N/A")]),
        (("Didn't ask", "Didnt ask"), [("Didnt ask", "Didn't ask")]),
        (("Non-Compliant", "Noncompliant"), [("Noncompliant", "Non-Compliant")]),
        (("very_good", "Very Good"), [("Very Good", "very_good")]),
        (("Straße", "Strasse"), [("Strasse", "Straße")]),
        (("Yes", "\u200b"), [("\u200b", "")]),
        (("Yes", "Yes"), []),
        (SIGNS, []),
        (LIMITS, []),
        (GRADES, []),
        (("C", "C++", "C#"), []),
        (("+", "-", "±"), []),
        (CLASSES, []),
    ],
)
def test_classes_that_no_reply_could_tell_apart_collide(
    classes: tuple[str, ...], collisions: list[tuple[str, str]]
) -> None:
    """Folding is injective over the classes, or the pair is reported."""
    assert find_collisions(classes) == collisions


@pytest.mark.parametrize(
    ("value", "label"), [("NA", "N/A"), ("no", "No"), ("-1", "-1"), ("1", None), ("No.", "No"), ("not No", None)]
)
def test_a_structured_value_is_a_class_as_a_whole(value: str, label: str | None) -> None:
    """The value of a structured reply is one of the classes, in any spelling, and nothing beside it."""
    assert match_label(value, ["N/A", "No", "-1"]) == label
