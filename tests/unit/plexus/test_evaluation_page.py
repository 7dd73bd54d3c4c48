"""The page of an evaluation: it says what the JSON says, stands alone, and works for everyone."""

import random
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from plexus.evaluation import formats, page, report
from plexus.evaluation.judging import Judged
from plexus.evaluation.report import Evaluation, Subject, against, evaluate
from plexus.evaluation.tables import tables
from plexus.values import Usage
from tests.unit.plexus.pages import Page

ODD = ("<b>bold</b>", "a & b", '"quoted"', "{{ 7 * 7 }}", "返品について", "مرحبا", "x" * 60, "two\nlines")
CSS = (Path(page.TEMPLATES) / "page.css").read_text()


def evaluated(
    labels: Sequence[str], texts: int = 300, *, seed: int = 1, sure: bool = True, fails: int = 0, models: bool = False
) -> Evaluation:
    """An evaluation of made-up verdicts, right about three times in four; every `fails`th text has no value."""
    chance = random.Random(seed)
    judged = []
    for row in range(1, texts + 1):
        label = chance.choice(labels)
        if fails and row % fails == 0:
            judged.append(Judged(row, f"text {row}", label, 0.1, error="ScoringFailed: no <i>class</i> in the reply"))
            continue
        value = label if chance.random() < 0.75 else chance.choice(labels)
        confidence = round(chance.uniform(0.4, 1), 4) if sure else None
        cost, usage = (Decimal("0.0012"), Usage(1, 500, 20)) if models else (None, Usage())
        judged.append(Judged(row, f"text {row}", label, chance.random(), value, confidence, "why", cost, usage))
    subject = Subject(f"card-{seed}.yaml", "Topic", "SVMClassifier", "ab" * 32, "texts.csv")
    return evaluate(subject, judged, labels, alone=models)


@pytest.fixture(scope="module")
def compared() -> tuple[Evaluation, Evaluation, Page]:
    """Two evaluations of the same three classes, and their page."""
    labels = ("Delivery", "Quality", "Service")
    first, second = evaluated(labels, models=True), evaluated(labels, seed=2)
    second = evaluate(second.subject, _same_labels(first, second), labels, alone=False)
    return first, second, Page(page.render(first, other=second, compared=against(first, second)))


def _same_labels(first: Evaluation, second: Evaluation) -> list[Judged]:
    return [
        Judged(one.row, one.text, one.label, other.seconds, other.value, other.confidence)
        for one, other in zip(first.judged, second.judged, strict=True)
    ]


def test_the_confusion_matrix_is_that_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Row by row, the counts, each with its share of the row."""
    first, _, parsed = compared
    _, *rows = parsed.table("Confusion matrix")
    told = first.as_dict()
    assert [row[0] for row in rows] == told["labels"]
    assert [[int(cell.split()[0]) for cell in row[1:]] for row in rows] == told["confusion"]
    shares = [[int(cell.split()[1]) for cell in row[1:]] for row in rows]
    assert shares == [[round(100 * count / sum(counts)) for count in counts] for counts in told["confusion"]]


def test_the_classes_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Texts, values, precision, recall and F1 of each class with their intervals, and the macro average."""
    first, _, parsed = compared
    _, *rows, average = parsed.table("Precision")
    for row, wanted in zip(rows, first.as_dict()["classes"], strict=True):
        precision = f"{wanted['precision']:.3f} {formats.between(wanted['precision_interval'])}"
        recall = f"{wanted['recall']:.3f} {formats.between(wanted['recall_interval'])}"
        figures = [str(wanted["support"]), str(wanted["predicted"]), precision, recall, f"{wanted['f1']:.3f}"]
        assert row[:6] == [wanted["label"], *figures]
    told = first.as_dict()
    wanted = [told["macro_precision"], told["macro_recall"], told["macro_f1"]["value"]]
    assert average[3:6] == [f"{each:.3f}" for each in wanted]


def test_both_plots_stand_as_tables_too(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """What the plots show can be read: every bin, and the round thresholds, with the JSON's numbers."""
    first, _, parsed = compared
    told = first.as_dict()
    _, *rows = parsed.table("Texts by confidence")
    wanted = [[str(each["count"]), f"{each['confidence']:.3f}", f"{each['accuracy']:.3f}"] for each in told["bins"]]
    assert [[row[1], row[2], row[3].split()[0]] for row in rows] == wanted
    _, *rows = parsed.table("At round thresholds")
    wanted = [[f"{each['coverage']:.3f}", f"{each['accuracy']:.3f}"] for each in told["round_thresholds"]]
    assert [row[1:] for row in rows] == wanted


def test_the_comparison_is_that_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Figures of both, side by side, and the four counts of who was right."""
    first, second, parsed = compared
    _, *rows = parsed.table("Figures of both")
    for row, name in zip(rows, ("accuracy", "ac1", "kappa", "macro_f1"), strict=False):
        assert row[1:] == [
            f"{figure.value:.3f} {formats.interval(figure)}" for figure in (getattr(first, name), getattr(second, name))
        ]
    found = against(first, second)
    _, *rows = parsed.table("Who was right")
    counts = [[found.both, found.only_first], [found.only_second, found.neither]]
    assert [[int(cell) for cell in row[1:]] for row in rows] == counts


def test_the_mistakes_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Ten rows, the most confident first, without their texts unless they are asked for."""
    first, _, parsed = compared
    _, *rows = parsed.table("Rows of the data file")
    wanted = first.as_dict()["mistakes"]
    assert len(rows) == report.MISTAKES
    assert rows == [[str(each["row"]), each["label"], each["value"], f"{each['confidence']:.3f}"] for each in wanted]
    shown = Page(page.render(first, show_text=True)).table("Read these first")
    assert [row[4] for row in shown[1:]] == [f"text {each['row']} why" for each in wanted]


def test_time_and_cost_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Money is shown to its last digit, calls and tokens as counted."""
    first, _, parsed = compared
    said, told = " ".join(" ".join(parsed.texts).split()), first.as_dict()
    assert f"cost, USD {told['cost_usd']} {told['cost_usd_per_text']} for a text" in said
    assert f"models are asked {told['usage']['calls']} times; {told['usage']['input_tokens']} tokens in" in said
    assert f"95 % at most {formats.seconds(told['times']['p95'])}" in said


@pytest.mark.parametrize("show_text", [False, True])
def test_odd_labels_and_texts_are_quoted_and_never_obeyed(show_text: bool) -> None:
    """Markup, templates, other scripts and line breaks in labels and errors come out as they went in."""
    found = evaluated(ODD, fails=10)
    parsed = Page(page.render(found, show_text=show_text))
    assert "i" not in {tag for tag, attrs in parsed.tags if not attrs}
    _, *rows, _ = parsed.table("Precision")
    assert [row[0] for row in rows] == [" ".join(each.split()) for each in ODD]
    _, *rows = parsed.table("The first 20")
    assert rows[0][1] == "ScoringFailed: no <i>class</i> in the reply"


@pytest.mark.parametrize(
    "found",
    [
        evaluated(("Yes", "No"), 0),
        evaluated(("Yes", "No"), 1),
        evaluated(("Yes",), 5),
        evaluated(("Yes", "No"), 8, fails=1),
        evaluated(("Yes", "No"), 40, sure=False),
        evaluated([f"class {number}" for number in range(60)], 500),
    ],
    ids=["no texts", "one text", "one class", "all failed", "no confidence", "sixty classes"],
)
def test_every_evaluation_has_a_page(found: Evaluation) -> None:
    """Whatever is undefined is a dash; no number is nan or infinite, and all tags are closed."""
    text = page.render(found, other=found, compared=against(found, found), show_text=True)
    parsed = Page(text)
    assert parsed.open == []
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", " ".join(parsed.texts))
    numbers = [float(each) for each in parsed.attributes("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width")]
    assert all(-1 <= number <= 500 for number in numbers)


def test_the_page_stands_alone(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """It has no script and nothing to fetch, and its own policy forbids both."""
    _, _, parsed = compared
    assert {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in parsed.tags} == set()
    assert all(each.startswith("#") for each in parsed.attributes("href", "src", "action", "srcset", "data"))
    assert not re.search(r"url\(|@import|https?:", CSS)
    policy = [each["content"] for each in parsed.named("meta") if "http-equiv" in each]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_the_page_can_be_walked_by_keyboard_and_heard(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Anchors lead somewhere, tables have captions, heads have scopes, scrolling regions take the focus."""
    _, _, parsed = compared
    names = parsed.attributes("id")
    assert len(names) == len(set(names))
    assert {each.removeprefix("#") for each in parsed.attributes("href")} <= set(names)
    assert set(parsed.attributes("aria-labelledby")) <= set(names)
    assert all(each.caption.strip() for each in parsed.tables)
    assert all(each.get("scope") in ("row", "col") for each in parsed.named("th"))
    assert all(each["role"] == "img" and each["aria-label"] for each in parsed.named("svg"))
    scrolled = [each for each in parsed.named("div") if "scroll" in each.get("class", "")]
    assert all((each["tabindex"], each["role"], bool(each["aria-label"])) == ("0", "region", True) for each in scrolled)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "mark", "second"])
@pytest.mark.parametrize("ground", ["page", "card"])
def test_colours_can_be_told_apart(scheme: int, ink: str, ground: str) -> None:
    """Every colour that carries text or a line has a contrast of 4.5 or more (WCAG 2, level AA), light and dark."""
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[scheme]
    colours = {name: _luminance(value) for name, value in re.findall(r"--([\w-]+): #([0-9a-f]{3,6})", block)}
    light, dark = sorted((colours[ink], colours[ground]), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * each for each in colour)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_more_classes_than_a_table_holds_are_counted_in_the_json() -> None:
    """Past sixty classes page and terminal show the most frequent mistakes and classes, and say where the rest is."""
    found = evaluated([f"class {n}" for n in range(200)])
    told = page.render(found)
    assert "Confusion matrix</caption>" not in told
    assert "200 classes have no place in one table" in told
    assert "The most frequent mistakes" in told
    assert len(found.as_dict()["confusion"]) == 200
    assert "160 rarer classes are in the page and in the JSON" in tables(found)
