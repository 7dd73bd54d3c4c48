"""Likely typos of labels: misspellings are listed however often people repeat them, and real classes never."""

from collections import Counter

import pytest

from plexus.tables import open_table
from plexus.tables.labels import find_missing, normalize, read_labelled
from plexus.tables.typos import find_likely_typos
from tests.unit.plexus.shared_cases import shared_case
from tests.unit.plexus.test_table_labels import make_rows

# Sets of classes, some of which differ by a letter, a prefix, a number or a sign.
CLASSES = [
    "positive negative neutral mixed",
    "spam ham",
    "A+ A A- B+ B B- C",
    "class_1 class_2 class_10 class_11",
    "level i,level ii,level iii,level iv,level xi,level xxi",
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "rec.autos rec.motorcycles rec.sport.baseball rec.sport.hockey talk.politics.misc talk.religion.misc",
    "approval disapproval grief relief sadness gladness surprise pride desire love joy",
    "internal external import export increase decrease upload download inbound outbound return refund",
    "legal illegal typical atypical relevant irrelevant satisfied dissatisfied resolved unresolved male female",
    "employer employee trainer trainee hypertension hypotension hyperthermia hypothermia",
    "Austria Australia Iran Iraq Ireland Iceland Mali Malta Niger Nigeria Slovakia Slovenia Gambia Zambia",
    "North Carolina,South Carolina,North Dakota,South Dakota,Kansas,Arkansas,Virginia,West Virginia",
    "strongly disagree,disagree,neither,agree,strongly agree",
    "northeast northwest southeast southwest north south east west",
    "pending_transfer pending_top_up declined_transfer lost_or_stolen_card lost_or_stolen_phone verify_top_up",
    "正面 负面 服务态度好 服务态度差",
    "J10.1 J10.8 J11 K21.0 K21.9",
    "1 star,2 stars,3 stars,4 stars,5 stars",
]


@pytest.mark.parametrize("names", CLASSES)
@pytest.mark.parametrize("share", [1, 3, 8, 25])
def test_real_classes_are_no_typos_of_each_other(names: str, share: int) -> None:
    """Whichever class is rare, down to a 25th of the others, no label is taken for a typo."""
    classes = names.split("," if "," in names else None)
    for rare in classes:
        assert find_likely_typos({name: 300 // share if name == rare else 300 for name in classes}) == {}


@pytest.mark.parametrize(
    ("typo", "right", "rows", "others"),
    [
        ("negativ", "negative", 10, 147),
        ("biling", "billing", 10, 20),
        ("billling", "billing", 10, 20),
        ("delivrey", "delivery", 10, 20),
        ("relevent", "relevant", 10, 100),
        ("custmer service", "customer service", 10, 30),
        ("customer_service", "Customer Service", 10, 11),
        ("CustomerService", "customer-service", 10, 11),
        ("spma", "spam", 1, 40),
        ("yess", "yes", 2, 80),
        ("Negatuve", "negative", 1, 10),
        ("nagetive", "negative", 2, 80),
        ("noo", "no", 1, 10),
        ("yees", "yes", 2, 80),
        ("pozitivmo", "pozitivno", 1, 30),
    ],
)
def test_a_misspelling_is_found_whatever_its_share(typo: str, right: str, rows: int, others: int) -> None:
    """Letters left out, added or swapped need twice the rows of the right spelling, other slips ten to forty times."""
    assert find_likely_typos({typo: rows, right: others, "something else": 80}) == {typo: right}


@pytest.mark.parametrize("label", ["class 1", "A+", "hma", "Slovakia", "unhappy", "happy again", "Июнь", "AAA"])
def test_a_label_of_the_same_frequency_is_no_typo(label: str) -> None:
    """Numbers, signs, short words, prefixes and additional words set classes apart at any frequency."""
    counts = {"class 2": 30, "A": 30, "AA": 30, "ham": 30, "Slovenia": 30, "happy": 30, "Июль": 30, label: 3}
    assert find_likely_typos(counts) == {}


def test_a_column_of_names_is_not_compared() -> None:
    """20,000 different labels are no classes, and no pair of them is compared."""
    assert find_likely_typos({f"name {number:05}": 1 + number % 3 for number in range(20_000)}) == {}


def test_the_labels_of_real_reviews_have_no_typos() -> None:
    """The classes 0 and 1 of 1,000 labelled sentences are read without a note."""
    path = shared_case("sentiment-sentences/amazon_cells_labelled.txt", "data")
    with open_table(path, ["1", "2"]) as table:
        result = normalize(read_labelled(table, "1", "2"), (), "Kind", {}, for_training=True)
    assert Counter(text.label for text in result.texts) == {"0": 500, "1": 500}
    assert result.notes == []


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["good", "bad", "?"], {"?"}),
        (["good", "bad", "??", "-", "N/A"], {"??", "-", "n/a"}),
        (["good", "bad", "k.A.", "keine  Angabe", "Unbekannt", "other"], {"k.a.", "keine angabe", "unbekannt"}),
        (["good", "—", "…"], {"-", "..."}),
        (["+", "-", "?"], set()),
        (["+", "-", "0"], set()),
        (["*", "**", "***"], set()),
        (["?", "-"], set()),
        (["A+", "A", "A-"], set()),
    ],
)
def test_marks_stand_for_a_missing_label_among_words_only(names: list[str], missing: set[str]) -> None:
    """Question marks, dashes and points mean a missing label beside words, and are classes beside other signs."""
    assert find_missing(names) == missing


def test_training_refuses_a_question_mark_as_a_class() -> None:
    """The error has its rows and the map that leaves them out or keeps them."""
    from plexus.exceptions import InvalidData

    texts = make_rows("ham", "?", "spam", "?")
    message = r"'\?': 2 rows, first in row 2\n.*null}}` leaves such rows out, .* keeps the label"
    with pytest.raises(InvalidData, match=message):
        normalize(texts, (), "Kind", {}, for_training=True)
    kept = normalize(texts, (), "Kind", {"?": "?"}, for_training=True)
    assert [text.label for text in kept.texts] == ["ham", "?", "spam", "?"]
