"""The page of an evaluation: it says what the JSON says, stands alone, and works for everyone."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plexus.evaluation import explorer, formats, page, plots, report, tables
from plexus.evaluation.confusion import Confusion
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.report import Evaluation, Figure, Subject, compare_evaluations, evaluate
from plexus.evaluation.runs import Run
from plexus.usage import Usage
from tests.unit.plexus.pages import Page

ODD = ("<b>bold</b>", "a & b", '"quoted"', "{{ 7 * 7 }}", "返品について", "مرحبا", "x" * 60, "two\nlines")
CSS = (Path(page.TEMPLATES) / "page.css").read_text()


def make_evaluation(
    labels: Sequence[str], texts: int = 300, *, seed: int = 1, sure: bool = True, fails: int = 0, models: bool = False
) -> Evaluation:
    """Return an evaluation of made-up verdicts, right about three times in four; every `fails`th text has no value."""
    chance = random.Random(seed)
    judged = []
    for row in range(1, texts + 1):
        label = chance.choice(labels)
        if fails and row % fails == 0:
            judged.append(
                Prediction(row, f"text {row}", label, 0.1, error="ScoringFailed: no <i>class</i> in the reply")
            )
            continue
        value = label if chance.random() < 0.75 else chance.choice(labels)
        confidence = round(chance.uniform(0.4, 1), 4) if sure else None
        cost, usage = (Decimal("0.0012"), Usage(1, 500, 20)) if models else (None, Usage())
        judged.append(Prediction(row, f"text {row}", label, chance.random(), value, confidence, "why", cost, usage))
    subject = Subject(f"card-{seed}.yaml", "Topic", "SVMClassifier", "ab" * 32, "texts.csv")
    return evaluate(subject, judged, labels, alone=models)


@pytest.fixture(scope="module")
def compared() -> tuple[Evaluation, Evaluation, Page]:
    """Two evaluations of the same three classes, and their page."""
    labels = ("Delivery", "Quality", "Service")
    first, second = make_evaluation(labels, models=True), make_evaluation(labels, seed=2)
    second = evaluate(second.subject, _same_labels(first, second), labels, alone=False)
    return first, second, Page(page.render(first, other=second, compared=compare_evaluations(first, second)))


def _same_labels(first: Evaluation, second: Evaluation) -> list[Prediction]:
    return [
        Prediction(one.row, one.text, one.label, other.seconds, other.value, other.confidence)
        for one, other in zip(first.predictions, second.predictions, strict=True)
    ]


def test_the_confusion_matrix_is_that_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Row by row, the counts, each with its share of the row."""
    first, _, parsed = compared
    _, *rows = parsed.table("Confusion matrix")
    output = first.as_dict()
    assert [row[0] for row in rows] == output["labels"]
    assert [[int(cell.split()[0]) for cell in row[1:]] for row in rows] == output["confusion"]
    shares = [[int(cell.split()[1]) for cell in row[1:]] for row in rows]
    assert shares == [[round(100 * count / sum(counts)) for count in counts] for counts in output["confusion"]]


@pytest.mark.parametrize(("share", "shown"), [(0, "0"), (0.004, "<1"), (0.01, "1"), (0.996, ">99"), (1, "100")])
def test_only_nothing_is_0_percent_and_only_all_is_100(share: float, shown: str) -> None:
    """A mistake in thousands of texts is visible in its row of the matrix."""
    assert formats.format_percent(share) == shown


def test_the_classes_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Texts, values, precision, recall and F1 of each class with their intervals, and the macro average."""
    first, _, parsed = compared
    _, *rows, average = parsed.table("Precision")
    for row, wanted in zip(rows, first.as_dict()["classes"], strict=True):
        precision = f"{wanted['precision']:.3f} {formats.format_range(wanted['precision_interval'])}"
        recall = f"{wanted['recall']:.3f} {formats.format_range(wanted['recall_interval'])}"
        figures = [str(wanted["support"]), str(wanted["predicted"]), precision, recall, f"{wanted['f1']:.3f}"]
        assert row[:6] == [wanted["label"], *figures]
    output = first.as_dict()
    wanted = [output["macro_precision"], output["macro_recall"], output["macro_f1"]["value"]]
    assert average[3:6] == [f"{each:.3f}" for each in wanted]


def test_both_plots_stand_as_tables_too(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Tables have what the plots show: every bin and the round thresholds, with the JSON's numbers."""
    first, _, parsed = compared
    output = first.as_dict()
    _, *rows = parsed.table("Texts by confidence")
    wanted = [[str(each["count"]), f"{each['confidence']:.3f}", f"{each['accuracy']:.3f}"] for each in output["bins"]]
    assert [[row[1], row[2], row[3].split()[0]] for row in rows] == wanted
    _, *rows = parsed.table("At round thresholds")
    wanted = [[f"{each['coverage']:.3f}", f"{each['accuracy']:.3f}"] for each in output["round_thresholds"]]
    assert [row[1:] for row in rows] == wanted


def test_the_comparison_is_that_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Figures of both, side by side, and the four counts of who was right."""
    first, second, parsed = compared
    _, *rows = parsed.table("Figures of both")
    for row, name in zip(rows, ("accuracy", "ac1", "kappa", "macro_f1"), strict=False):
        assert row[1:] == [
            f"{figure.value:.3f} {formats.format_interval(figure)}"
            for figure in (getattr(first, name), getattr(second, name))
        ]
    result = compare_evaluations(first, second)
    _, *rows = parsed.table("Who was right")
    counts = [[result.both, result.only_first], [result.only_second, result.neither]]
    assert [[int(cell) for cell in row[1:]] for row in rows] == counts


def test_the_mistakes_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Ten rows, the most confident first, without their texts unless they are asked for."""
    first, _, parsed = compared
    _, *rows = parsed.table("Rows of the data file")
    wanted = first.as_dict()["mistakes"]
    assert len(rows) == report.MISTAKES
    assert rows == [[str(each["row"]), each["label"], each["value"], f"{each['confidence']:.3f}"] for each in wanted]
    output = Page(page.render(first, show_text=True)).table("Read these first")
    assert [row[4] for row in output[1:]] == [f"text {each['row']} why" for each in wanted]


def test_time_and_cost_are_those_of_the_json(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Money is shown to its last digit, calls and tokens as counted."""
    first, _, parsed = compared
    text, output = " ".join(" ".join(parsed.texts).split()), first.as_dict()
    assert f"cost, USD {output['cost_usd']} {output['cost_usd_per_text']} per text" in text
    assert f"model calls {output['usage']['calls']} {output['usage']['input_tokens']} tokens in" in text
    assert f"95th percentile {formats.format_seconds(output['times']['p95'])}" in text


@pytest.mark.parametrize("show_text", [False, True])
def test_odd_labels_and_texts_are_quoted_and_never_obeyed(show_text: bool) -> None:
    """Markup, templates, other scripts and line breaks in labels and errors come out as they went in."""
    result = make_evaluation(ODD, fails=10)
    parsed = Page(page.render(result, show_text=show_text))
    assert "i" not in {tag for tag, attrs in parsed.tags if not attrs}
    _, *rows, _ = parsed.table("Precision")
    assert [row[0] for row in rows] == [" ".join(each.split()) for each in ODD]
    _, *rows = parsed.table("The first 20")
    assert rows[0][1] == "ScoringFailed: no <i>class</i> in the reply"


@pytest.mark.parametrize(
    "found",
    [
        make_evaluation(("Yes", "No"), 0),
        make_evaluation(("Yes", "No"), 1),
        make_evaluation(("Yes",), 5),
        make_evaluation(("Yes", "No"), 8, fails=1),
        make_evaluation(("Yes", "No"), 40, sure=False),
        make_evaluation([f"class {number}" for number in range(60)], 500),
    ],
    ids=["no texts", "one text", "one class", "all failed", "no confidence", "sixty classes"],
)
def test_every_evaluation_has_a_page(found: Evaluation) -> None:
    """An undefined figure is a dash; no number is nan or infinite, and all tags are closed."""
    text = page.render(found, other=found, compared=compare_evaluations(found, found), show_text=True)
    parsed = Page(text)
    assert parsed.open == []
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", " ".join(parsed.texts))
    numbers = [float(each) for each in parsed.attributes("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width")]
    assert all(-1 <= number <= 500 for number in numbers)


def test_the_page_stands_alone(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """The page has no address to fetch and one script; its policy forbids all others, by the script's hash."""
    _, _, parsed = compared
    assert {"link", "img", "iframe", "object", "form"} & {tag for tag, _ in parsed.tags} == set()
    assert parsed.find_tags("script") == [{"type": "application/json", "id": "data"}, {}]
    script = (Path(page.TEMPLATES) / "explorer.js").read_bytes()
    allowed = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert all(each.startswith("#") for each in parsed.attributes("href", "src", "action", "srcset", "data"))
    assert not re.search(r"url\(|@import|https?:", CSS)
    policy = [each["content"] for each in parsed.find_tags("meta") if "http-equiv" in each]
    assert policy == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"]


def test_the_page_can_be_walked_by_keyboard_and_heard(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Anchors lead somewhere, tables have captions, heads have scopes, scrolling regions take the focus."""
    _, _, parsed = compared
    names = parsed.attributes("id")
    assert len(names) == len(set(names))
    assert {each.removeprefix("#") for each in parsed.attributes("href")} <= set(names)
    assert set(parsed.attributes("aria-labelledby")) <= set(names)
    assert all(each.caption.strip() for each in parsed.tables)
    assert all(each.get("scope") in ("row", "col") for each in parsed.find_tags("th"))
    assert all(each["role"] == "img" and each["aria-label"] for each in parsed.find_tags("svg"))
    scrolled = [each for each in parsed.find_tags("div") if "scroll" in each.get("class", "")]
    roles = {"list": "listbox"}
    assert all((each["tabindex"], bool(each["aria-label"])) == ("0", True) for each in scrolled)
    assert all(each["role"] == roles.get(each.get("id", ""), "region") for each in scrolled)


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
    result = make_evaluation([f"class {n}" for n in range(200)])
    output = page.render(result)
    assert "Confusion matrix</caption>" not in output
    assert "200 classes are too many for one table" in output
    assert "The most frequent mistakes" in output
    assert len(result.as_dict()["confusion"]) == 200
    assert "160 rarer classes are in the page and in the JSON" in tables.render(result)


def read_list(text: str) -> dict[str, Any]:
    """Return the data of the page's list of texts."""
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert match is not None
    content: dict[str, Any] = json.loads(match[1])
    return content


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.0, 0.9, ["0.0", "0.2", "0.4", "0.6", "0.8"]),
        (0.25, 1.0, ["0.4", "0.6", "0.8", "1.0"]),
        (0.95, 1.0, ["0.95", "0.96", "0.97", "0.98", "0.99", "1.00"]),
        (-0.1, 0.3, ["\u22120.1", "0.0", "0.1", "0.2", "0.3"]),
        (0.0, 0.002, ["0.0000", "0.0005", "0.0010", "0.0015", "0.0020"]),
        (0.0, 0.0002, ["0.00000", "0.00005", "0.00010", "0.00015", "0.00020"]),
        (0.0, 50.0, ["0", "10", "20", "30", "40", "50"]),
    ],
)
def test_the_values_below_an_axis_are_round_and_in_their_places(low: float, high: float, values: list[str]) -> None:
    """Whatever the ends of the axis: each is centred below its line, except a long one that would leave the drawing."""
    frame = plots.Frame(low=low, high=high)
    drawn = "".join(plots._draw_vertical_grid(frame))
    texts = re.findall(r'<text class="tick (middle|end)" x="([\d.]+)"[^>]*>([^<]+)</text>', drawn)
    assert [label for *_, label in texts] == values
    lines = list(map(float, re.findall(r'<line class="grid" x1="([\d.]+)"', drawn)))
    expected = [frame.x(float(label.replace("\u2212", "-"))) for label in values]
    assert lines == pytest.approx(expected, abs=0.05)
    centred = [
        (float(place), line) for (anchor, place, _), line in zip(texts, lines, strict=True) if anchor == "middle"
    ]
    assert len(centred) >= len(values) - 1
    assert all(place == line for place, line in centred)
    anchor, place, label = texts[-1]
    assert float(place) + 4.2 * len(label) * (anchor == "middle") <= plots.WIDTH


@pytest.mark.parametrize(
    ("seconds", "unit", "most"), [(0.00017, "micro", "200"), (0.04, "milli", "50"), (1.7, "", "2.0"), (0.0, "", "1.0")]
)
def test_durations_are_plotted_in_the_unit_of_few_digits(seconds: float, unit: str, most: str) -> None:
    """A keyword takes microseconds, a language model seconds: neither axis has rows of zeros."""
    drawn = plots.plot_quality([Run("a", Figure(0.5, 0.4, 0.6), None, seconds)], in_dollars=False)
    assert f">{unit}seconds for a text</text>" in drawn
    assert re.findall(r'class="tick (?:middle|end)" x="[\d.]+" y="306.0">([^<]+)', drawn)[-1] == most


def test_every_text_is_in_the_list(compared: tuple[Evaluation, Evaluation, Page]) -> None:
    """Row, label, both values and confidence of all, of which ten are in the table of mistakes; texts on request."""
    first, second, _ = compared
    for show_text in (False, True):
        content = read_list(
            page.render(first, other=second, compared=compare_evaluations(first, second), show_text=show_text)
        )
        names, rows = content["names"], content["rows"]
        assert [row[0] for row in rows] == [one.row for one in first.predictions]
        assert [names[row[1]] for row in rows] == [one.label for one in first.predictions]
        assert [names[row[2]] for row in rows] == [one.value for one in first.predictions]
        assert [names[row[6]] for row in rows] == [one.value for one in second.predictions]
        assert [row[3] for row in rows] == [one.confidence for one in first.predictions]
        assert [row[4] for row in rows] == [one.text if show_text else None for one in first.predictions]


def test_a_text_cannot_end_the_list() -> None:
    """Nothing in a text ends the element that holds it, or begins a comment."""
    text = "</script><script>alert(1)</script> <!-- \u2028 & ]]> \\u003c"
    subject = Subject("card.yaml", "Topic", "SVMClassifier", "ab" * 32, "texts.csv")
    judged = [Prediction(1, text, "a", 0.1, "b", 0.5, text), Prediction(2, text, "a", 0.1, error="Failed: " + text)]
    html = page.render(evaluate(subject, judged, ["a", "b"], alone=False), show_text=True)
    assert html.count("</script>") == 2
    assert "<!--" not in html.split('id="data"')[1]
    assert [row[4] for row in read_list(html)["rows"]] == [text, text]
    assert read_list(html)["rows"][1][2] == -1


def test_classes_that_are_confused_stand_side_by_side() -> None:
    """With many classes; every class once. With few their order is the scorecard's."""
    size = 12
    counts = [[20 if row == column else 0 for column in range(size)] for row in range(size)]
    for entry, two in ((0, 7), (3, 11), (5, 1)):
        counts[entry][two] = counts[two][entry] = 9
    table = Confusion(tuple(f"class {place}" for place in range(size)), tuple(map(tuple, counts)))
    order = explorer.order_classes(table, page.ROOMY)
    assert sorted(order) == list(range(size))
    assert all(abs(order.index(entry) - order.index(two)) == 1 for entry, two in ((0, 7), (3, 11), (5, 1)))
    assert explorer.order_classes(table, size) == list(range(size))
