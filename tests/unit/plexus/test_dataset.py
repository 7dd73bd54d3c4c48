"""Near-duplicates, splits, samples and guesses of `plexus data`, against their definitions."""

import json
import random
import re
from collections import Counter

import pytest

from plexus import duplicates
from plexus.dataset import cleaning, looking, splitting
from plexus.dataset.entries import Dataset, Entry
from plexus.exceptions import InvalidData
from tests.unit.plexus.shared_cases import shared_case

WORDS = re.findall(
    r"\w+",
    "lamp arrived broken today refund please kettle lovely soft blanket screws missing service friendly quick late "
    "parcel rain dead battery charger works perfectly again never cheap strong handle colour faded washing size",
)
SHARES = {"train": 0.8, "test": 0.2}


def shingles(text: str) -> set[str]:
    """Return the definition, in plain Python: distinct sequences of five characters of what is compared."""
    plain = re.sub(r"[\W_]+", " ", re.sub(r"\d+", "0", " ".join(text.casefold().split()))).strip()
    return {plain[place : place + 5] for place in range(max(1, len(plain) - 4))}


def jaccard(first: str, second: str) -> float:
    """Return the share of sequences that two texts have in common."""
    here, there = shingles(first), shingles(second)
    return len(here & there) / len(here | there)


def texts(size: int, seed: int) -> list[str]:
    """Made-up texts, a third of them another one with a letter, a word or the punctuation changed."""
    chance = random.Random(seed)
    results: list[str] = []
    for _ in range(size):
        words = chance.choices(WORDS, k=chance.randint(1, 25))
        if results and chance.random() < 0.35:
            words = chance.choice(results).split()
            words[chance.randrange(len(words))] += chance.choice(["", "!", "s", " 7", " really"])
        results.append(" ".join(words))
    return results


def entries(rows: list[str], labels: list[str] | None = None, extra: list[str] | None = None) -> list[Entry]:
    """Return rows with these texts, labels and values of a third column."""
    return [
        Entry(number, text, labels[number - 1] if labels else "", extra[number - 1] if extra else "")
        for number, text in enumerate(rows, start=1)
    ]


def dataset(rows: list[str], labels: list[str] | None = None) -> Dataset:
    """Return a table of these."""
    return Dataset("texts.csv", ("text", "label"), "text", "label" if labels else None, entries(rows, labels))


@pytest.mark.parametrize("seed", range(4))
def test_near_duplicates_are_those_of_the_definition(seed: int) -> None:
    """Two texts are in one group if and only if a chain of pairs of at least 0.8 connects them."""
    rows = texts(100, seed)
    known = duplicates.Groups(len(rows))
    for high, first in enumerate(rows):
        for low in range(high):
            if jaccard(first, rows[low]) >= duplicates.NEAR:
                known.join(high, low)
    assert duplicates.group_near_duplicates(rows).list_sets() == known.list_sets()


def test_near_duplicates_of_real_sentences_are_all_found() -> None:
    """In 600 reviews every pair of at least 0.8, compared one by one, is in one group."""
    source = shared_case("sentiment-sentences/amazon_cells_labelled.txt", "data")
    rows = [line.rpartition("\t")[0] for line in source.read_text(encoding="utf-8").splitlines()][:600]
    groups, sets = duplicates.group_near_duplicates(rows), [shingles(row) for row in rows]
    pairs = 0
    for high, first in enumerate(sets):
        for low, second in enumerate(sets[:high]):
            if len(first & second) >= duplicates.NEAR * len(first | second):
                pairs += 1
                assert groups.find_first(high) == groups.find_first(low)
    assert pairs > 2


@pytest.mark.parametrize("text", ["", " \n", "…", "\ud800", "x", "a" * 200_000, "返金してください", "\0\0"])
def test_any_text_has_itself_as_a_duplicate(text: str) -> None:
    """Two equal texts are one group, unless they have no letter or digit at all."""
    has_words = bool(duplicates.normalize(text))
    assert duplicates.group_near_duplicates([text, "something else", text]).list_sets() == (
        [[0, 2]] if has_words else []
    )


def test_a_split_separates_no_near_duplicates_and_keeps_the_shares_of_classes() -> None:
    """No pair of at least 0.8 is in two parts, and each class has its share up to the size of a group."""
    rows = texts(250, 7)
    labels = random.Random(1).choices(["a", "b", "c"], [6, 3, 1], k=len(rows))
    groups = splitting.group_entries(entries(rows, labels), by_extra=False)
    parts = splitting.split_by_class(groups, SHARES, 1)
    assert len(parts) == len(rows)
    for high in range(len(rows)):
        for low in range(high):
            if parts[high + 1] != parts[low + 1]:
                assert jaccard(rows[high], rows[low]) < duplicates.NEAR
    counts = Counter((parts[number], label) for number, label in enumerate(labels, start=1))
    largest = max(map(len, groups))
    for label, total in Counter(labels).items():
        assert abs(counts["test", label] - 0.2 * total) <= max(1, largest)


def test_a_split_of_different_texts_is_exact() -> None:
    """Without duplicates each class has its share in each part, to the text."""
    rows = [f"{word} {other}" for word in WORDS for other in WORDS if word < other][:400]
    labels = ["a" if number % 5 else "b" for number in range(len(rows))]
    parts = splitting.split_by_class(
        [[entry] for entry in entries(rows, labels)], {"train": 0.7, "validation": 0.1, "test": 0.2}, 3
    )
    counts = Counter((labels[row - 1], part) for row, part in parts.items())
    assert counts == {
        ("a", "train"): 224, ("a", "validation"): 32, ("a", "test"): 64,
        ("b", "train"): 56, ("b", "validation"): 8, ("b", "test"): 16,
    }  # fmt: skip


def test_a_split_depends_on_texts_and_seed_only() -> None:
    """Another order of the rows gives the same parts, another seed others."""
    rows = texts(200, 3)
    labels = {row: random.Random(row).choice("ab") for row in rows}
    orders = [rows, random.Random(5).sample(rows, len(rows))]
    test = []
    for order, seed in ((orders[0], 1), (orders[1], 1), (orders[0], 2)):
        members = entries(order, [labels[row] for row in order])
        parts = splitting.split_by_class(splitting.group_entries(members, by_extra=False), SHARES, seed)
        test.append(sorted(order[row - 1] for row, part in parts.items() if part == "test"))
    assert test[0] == test[1] != test[2]


def test_rows_of_one_group_stay_together() -> None:
    """Rows with an equal value in the column of groups, whatever its case, are in one part."""
    rows = texts(300, 11)
    customers = [
        random.Random(number).choice(["Ann", "ann ", "Bo", "Cy", "Di", "Ed", "Flo", "Gus"]) for number in range(300)
    ]
    groups = splitting.group_entries(entries(rows, None, customers), by_extra=True)
    parts = splitting.split_by_class(groups, {"train": 0.5, "test": 0.5}, 1)
    by_customer = {(customers[row - 1].strip().casefold(), part) for row, part in parts.items()}
    assert len(by_customer) == len({name for name, _ in by_customer})


def test_a_split_by_time_tests_on_the_latest() -> None:
    """No row of train is later than one of test; equal times are not separated; zones are heeded."""
    moments = [
        "2026-01-01",
        "2026-01-02T10:00:00Z",
        "2026-01-02T12:30:00+02:00",
        "2026-01-03",
        "2026-01-03",
        "2026-01-04",
    ]
    parts = splitting.split_by_time(entries(list("abcdef"), None, moments), {"train": 0.6, "test": 0.4})
    assert [parts[row] for row in range(1, 7)] == ["train", "train", "train", "train", "train", "test"]
    parts = splitting.split_by_time(
        entries(list("abcdef"), None, ["5", "1", "1.5", "4", "2e0", "3"]), {"train": 0.5, "test": 0.5}
    )
    assert [row for row, part in parts.items() if part == "test"] == [6, 4, 1]


@pytest.mark.parametrize(("value", "row"), [("01.02.2026", "row 2"), ("", "row 2"), ("nan", "row 2")])
def test_a_time_that_may_mean_several_is_refused(value: str, row: str) -> None:
    """Only ISO 8601 and numbers are times; the error lists the row and the value."""
    with pytest.raises(InvalidData, match=f"{row}: got {re.escape(repr(value))}, expected ISO 8601"):
        splitting.split_by_time(entries(["a", "b"], None, ["2026-01-01", value]), SHARES)


@pytest.mark.parametrize(
    ("times", "form", "others"),
    [
        (["31.12.2025", "01.02.2026", "15.01.2026"], "%d.%m.%Y", ()),
        (["31.12.2025 23:10", "1.2.2026 9:05", "15.01.2026 00:00"], "%d.%m.%Y %H:%M", ()),
        (["12/31/2025", "02/01/2026", "01/15/2026"], "%m/%d/%Y", ()),
        (["05/12/2025", "02/06/2026", "05/01/2026"], "%d/%m/%Y", ("%m/%d/%Y",)),
    ],
)
def test_times_of_spreadsheets_are_read_in_a_named_format(times: list[str], form: str, others: tuple[str, ...]) -> None:
    """The error names every format that reads them, since only a person knows which is meant; then it is read."""
    members = entries(["a", "b", "c"], None, times)
    remedy = " or ".join(
        f"--time-format {each!r}" if " " in each else f"--time-format {each}" for each in (*others, form)
    )
    with pytest.raises(InvalidData, match=re.escape(f"next: {remedy}") + "$"):
        splitting.split_by_time(members, {"train": 0.6, "test": 0.4})
    assert splitting.split_by_time(members, {"train": 0.6, "test": 0.4}, form)[2] == "test"
    with pytest.raises(InvalidData, match=f"rows 1, 2, 3: got {times[0]!r}, expected %Y. next: --time-format"):
        splitting.split_by_time(members, {"train": 0.6, "test": 0.4}, "%Y")


def test_a_part_is_never_empty() -> None:
    """If all texts belong together, there is no test set; the error says so."""
    with pytest.raises(InvalidData, match="no text is left for test: 3 texts"):
        splitting.split_by_class(splitting.group_entries(entries(["same text"] * 3), by_extra=False), SHARES, 1)


@pytest.mark.parametrize(("balanced", "expected"), [(False, {"a": 16, "b": 4}), (True, {"a": 10, "b": 10})])
def test_a_sample_has_the_classes_shares_or_equal_numbers(balanced: bool, expected: dict[str, int]) -> None:
    """80 of one class and 20 of another give 16 and 4 of 20, or 10 and 10."""
    labels = ["a"] * 80 + ["b"] * 20
    rows = splitting.choose_sample(entries([f"text {n}" for n in range(100)], labels), 20, 1, balanced=balanced)
    assert Counter(labels[row - 1] for row in rows) == expected


def test_a_balanced_sample_fills_up() -> None:
    """A class of too few texts gives all, and the others the rest."""
    labels = ["a"] * 10 + ["b"] * 2
    rows = splitting.choose_sample(entries([f"text {n}" for n in range(12)], labels), 8, 1, balanced=True)
    assert Counter(labels[row - 1] for row in rows) == {"a": 6, "b": 2}


LOOKED = dataset(
    [
        "Fine",
        "fine ",
        "Broke in 2 days, I am sad",
        "Broke in 3 days, I am sad",
        "Late",
        "late",
        "",
        "Odd",
        "CafÃ© ok",
        "Empty",
    ],
    ["good", "Good", "bad", "bad", "bad", "good", "bad", "", "good", "n/a"],
)


def test_a_look_lists_what_would_mislead() -> None:
    """Every fault of the table is listed with its rows, once."""
    result = looking.look(LOOKED, [dataset(["broke in 9 days: I am sad!"])])
    listed = {(finding.kind, finding.rows) for finding in result.findings if finding.rows}
    assert listed == {
        ("no text", (7,)),
        ("no label", (8,)),
        ("no label", (10,)),
        ("encoding", (9,)),
        ("duplicate", (2, 6)),
        ("near-duplicate", (4,)),
        ("conflict", (5, 6)),
        ("leak", (3, 4)),
    }
    assert {finding.kind for finding in result.findings if not finding.rows} == {"spelling", "rare"}
    json.dumps(result.as_dict())


@pytest.mark.parametrize(
    ("labels", "kind", "remedy"),
    [
        ([f"L{number}" for number in range(30)], "no classes", "--label NAME"),
        (["spam"] * 30, "one class", "--label NAME"),
        ([str(number / 4) for number in range(-15, 15) for _ in range(20)], "no classes", "a class for each range"),
        (["spam"] * 15 + ["ham"] * 15, "rare", "label more of them"),
        (["spam"] * 20 + ["ham"] * 20 + ["?"] * 3, "no label", "--map '?=?'"),
        (["Open-Ended", *["spam"] * 20, *["ham"] * 20], "described", "--header-row 1-2"),
        (["Choose", "q1", *["spam"] * 20, *["ham"] * 20], "described", "--header-row 1-3"),
        (
            ["late; dear", "dear; late; rude", "rude; late", *["late"] * 9, *["dear"] * 9],
            "several labels",
            "--members label",
        ),
        (["negative"] * 147 + ["positive"] * 147 + ["negativ"] * 10, "typo", "--map negativ=negative"),
    ],
)
def test_a_fault_of_labels_has_its_remedy(labels: list[str], kind: str, remedy: str) -> None:
    """A column without classes, one class, rare classes, marks for a missing label and frequent typos are listed.

    So are rows that describe the columns, and cells that join labels.
    """
    pairs = [f"{first} {second}" for first in WORDS for second in WORDS if first != second]
    finding, *_ = looking.look(dataset(pairs[: len(labels)], labels)).findings
    assert finding.kind == kind
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    "labels",
    [
        ["Returns, refunds", "Damaged, broken", "Late, lost", *["Other"] * 20] * 2,
        ["Odd", "Rare", *["spam"] * 9, "Scarce", "Unique"],
        [*["spam"] * 20, "Odd", *["ham"] * 20],
    ],
)
def test_names_with_commas_and_rare_classes_are_no_faults_of_form(labels: list[str]) -> None:
    """Parts of a name are in no other label, and a row below the first ones describes no column."""
    kinds = {finding.kind for finding in looking.look(dataset([*map(str, range(len(labels)))], labels)).findings}
    assert not kinds & {"several labels", "described"}


@pytest.mark.parametrize(
    ("text", "is_damaged"), [("it\x92s", True), ("CafÃ©", True), ("a\ufffd", True), ("Café’s", False)]
)
def test_letters_of_a_wrong_encoding_are_found(text: str, is_damaged: bool) -> None:
    """Lost ones, UTF-8 read as Windows-1252, and Windows-1252 read as Latin-1."""
    assert looking.is_damaged(text) == is_damaged


def test_cleaning_leaves_a_table_without_those_faults() -> None:
    """Each kept row has a text, once, and a label in one spelling; every other row has a reason."""
    cleaned = cleaning.clean(LOOKED, {}, near=True)
    assert cleaned.labels == {1: "good", 3: "bad", 9: "good"}
    assert cleaned.counts == {"no label": 2, "conflict": 2, "no text": 1, "duplicate": 1, "near-duplicate": 1}
    assert set(cleaned.labels) | set(cleaned.reasons) == set(range(1, 11))
    kept = [Entry(row, LOOKED.entries[row - 1].text, str(label)) for row, label in cleaned.labels.items()]
    after = looking.look(Dataset("clean.csv", ("text", "label"), "text", "label", kept))
    assert {finding.kind for finding in after.findings} == {"encoding", "rare"}


def test_labels_are_mapped_and_left_out_as_the_user_says() -> None:
    """A label becomes another one, or its rows go; a label that no row has is an error with a suggestion."""
    cleaned = cleaning.clean(dataset(["a", "b", "c"], ["0", "1", "n/a"]), {"0": "ham", "1": "", "N/A": "n/a"})
    assert cleaned.labels == {1: "ham", 3: "n/a"}
    assert cleaned.reasons == {2: ("mapped", "'1' is mapped to nothing")}
    with pytest.raises(InvalidData, match="no row has the label 'hma'; did you mean 'ham'"):
        cleaning.clean(dataset(["a"], ["ham"]), {"hma": "ham"})


def test_rare_classes_are_left_out_as_they_are_counted_at_last() -> None:
    """Texts that are left out for another reason count for no class."""
    texts, labels = ["a", "A", "b", "c", "d", "e"], ["x", "x", "y", "y", "z", ""]
    assert cleaning.clean(dataset(texts, labels), {}, least=2).labels == {3: "y", 4: "y"}
    reasons = cleaning.clean(dataset(texts, labels), {"z": "y"}, least=2).reasons
    assert reasons == {1: ("rare", "class 'x' of 1 text"), 2: ("duplicate", "of row 1"), 6: ("no label", "")}


def test_a_cleaning_never_leaves_nothing() -> None:
    """If every row would go, the error counts the reasons."""
    with pytest.raises(InvalidData, match="every row would be left out: 2 conflict, 1 no text"):
        cleaning.clean(dataset(["same", "Same", " "], ["a", "b", "c"]), {})
