"""The list of texts on an evaluation's page: its address keeps the filters, and its CSV is that of the command."""

import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plexus.evaluation import page, verdicts
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.report import Evaluation, Subject, compare_evaluations, evaluate
from tests.e2e.chromium import Page, browser
from tests.e2e.test_evaluation_page import LABELS, make_evaluation

COUNT = "document.getElementById('count').textContent"
SET = "(e => {e.value = '%s'; for (const n of ['input', 'change']) e.dispatchEvent(new Event(n, {bubbles: true}))})"
AWKWARD = ('a "quote", a comma', "=1+1", "-2", "-", "-a dash", "two\nlines", "@home", "\x07bell", "žluťoučký 🐎")


@pytest.fixture
def tab() -> Iterator[Page]:
    """A browser, 1,200 pixels wide."""
    with browser() as opened:
        opened.look(1200)
        yield opened


def write_page(folder: Path, first: Evaluation, second: Evaluation, *, show_text: bool = True) -> str:
    """Write the page of two evaluations, and return its address."""
    target = folder / "page.html"
    compared = compare_evaluations(first, second)
    target.write_text(page.render(first, other=second, compared=compared, show_text=show_text))
    return target.as_uri()


def choose(tab: Page, control: str, value: str) -> None:
    """Choose a value as a user does, by the events of the control."""
    tab.run(f"{SET % value}(document.getElementById('f-{control}'))")


def test_the_address_keeps_the_filters(tab: Page, tmp_path: Path) -> None:
    """A copied address shows the same texts and the same open one; back returns to the choice before."""
    address = write_page(tmp_path, make_evaluation(LABELS, 600), make_evaluation(LABELS, 600, seed=2))
    tab.open(address)
    counts = [tab.run(COUNT)]
    for control, value in (("kind", "all"), ("label", "1"), ("low", "0.5"), ("text", "text 1")):
        choose(tab, control, value)
        counts.append(tab.run(COUNT))
    assert len(set(counts)) == len(counts)
    tab.run("document.querySelector('.line').click()")
    copied, opened = tab.run("location.href"), tab.run("document.querySelector('#detail dd').textContent")
    assert copied.endswith(f"#texts?show=all&label=Quality&from=0.5&text=text+1&row={opened}")
    tab.open("about:blank")
    tab.open(copied)
    assert tab.run(COUNT) == counts[-1]
    assert tab.run("document.querySelector('#detail dd').textContent") == opened
    assert 0 <= tab.run("document.getElementById('texts').getBoundingClientRect().top") < 40
    tab.open("about:blank")
    tab.open(address)
    for control, value in (("kind", "all"), ("label", "1"), ("low", "0.5")):
        choose(tab, control, value)
    for before in (counts[2], counts[1], counts[0]):
        tab.run("history.back()")
        tab.wait(f"{COUNT} === '{before}'")
    assert tab.complaints == []


def test_a_typed_text_is_one_step_back(tab: Page, tmp_path: Path) -> None:
    """However many letters: back returns to the filters before the first of them."""
    tab.open(write_page(tmp_path, make_evaluation(LABELS, 600), make_evaluation(LABELS, 600, seed=2)))
    choose(tab, "kind", "all")
    whole = tab.run(COUNT)
    for typed in ("t", "te", "text 12"):
        tab.run(
            f"(e => {{e.value = '{typed}'; e.dispatchEvent(new Event('input', {{bubbles: true}}))}})"
            "(document.getElementById('f-text'))"
        )
        tab.wait(f"new URLSearchParams(location.hash.split('?')[1]).get('text') === '{typed}'")
    assert tab.run(COUNT) != whole
    tab.run("history.back()")
    tab.wait(f"{COUNT} === '{whole}'")


def test_links_to_sections_leave_the_filters(tab: Page, tmp_path: Path) -> None:
    """The contents lead through the page without a change of the list; an unknown class in an address is any class."""
    address = write_page(tmp_path, make_evaluation(LABELS, 600), make_evaluation(LABELS, 600, seed=2))
    tab.open(address)
    everything = tab.run(COUNT)
    choose(tab, "kind", "all")
    chosen = tab.run(COUNT)
    for section in ("classes", "texts"):
        tab.run(f"document.querySelector('nav a[href=\"#{section}\"]').click()")
        tab.wait(f"location.hash === '#{section}'")
        assert tab.run(COUNT) == chosen
    tab.open("about:blank")
    tab.open(f"{address}#texts?label=Nonsense&from=x")
    assert tab.run(COUNT) == everything


@pytest.mark.parametrize("show_text", [True, False])
def test_the_listed_texts_are_saved_as_the_command_writes_them(tab: Page, tmp_path: Path, show_text: bool) -> None:
    """Button and `--output` give the same rows and columns, whatever a text contains, and whatever is filtered."""
    rows = list(enumerate(AWKWARD * 3, start=1))
    judged = [Prediction(row, text, "a", 0.1, "ab"[row % 2], row / 100, text) for row, text in rows]
    failed = Prediction(99, "gone", "b", 0.1, error="ScoringFailed: no, none")
    skipped = Prediction(100, "off", "b", 0.1, error="NotApplicable: no", skipped=True)
    subjects = [Subject(f"{name}.yaml", "Topic", "SVMClassifier", "ab" * 32, "t.csv") for name in "xy"]
    first = evaluate(subjects[0], [*judged, failed, skipped], ["a", "b"], alone=False)
    second = evaluate(subjects[1], [*judged[::-1], failed, skipped], ["a", "b"], alone=False)
    written = tmp_path / "verdicts.csv"
    verdicts.write(written, "csv", first, second, show_text=show_text)
    tab.download_to(tmp_path)
    tab.open(write_page(tmp_path, first, second, show_text=show_text))
    choose(tab, "kind", "all")
    choose(tab, "order", "row")
    columns, *lines = read(save(tab, tmp_path))
    expected_columns, *expected = read(written)
    assert columns == expected_columns
    other = columns.index("other verdict")
    blank = [[*line[:other], line[other] if line[other - 1] else "", *line[other + 1 :]] for line in expected]
    assert lines == blank
    choose(tab, "kind", "mistakes")
    assert [line[3] for line in read(save(tab, tmp_path))[1:]] == ["wrong"] * sum(row % 2 for row, _ in rows)


def read(path: Path) -> list[list[str]]:
    """Return the cells of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def save(tab: Page, folder: Path) -> Path:
    """Click the button, and return the file."""
    target = folder / "texts.csv"
    target.unlink(missing_ok=True)
    tab.run("document.getElementById('f-save').click()")
    end = time.monotonic() + 60
    while not target.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return target


def test_texts_in_doubt_are_a_kind_of_their_own(tab: Page, tmp_path: Path) -> None:
    """They are neither among the mistakes nor without a value, and the list of mistakes is that of the figures."""
    first = make_evaluation(LABELS, 300)
    doubted = [replace(one, value="Doubt") if one.value and one.row % 5 == 0 else one for one in first.predictions]
    subject = replace(first.subject, abstention="Doubt")
    result = evaluate(subject, doubted, LABELS, alone=False)
    assert (result.abstained, result.failed) == (57, 3)
    target = tmp_path / "page.html"
    target.write_text(page.render(result))
    tab.open(target.as_uri())
    wrong = sum(each.verdict == "wrong" for each in result.predictions)
    for kind, count in (("mistakes", wrong), ("abstained", result.abstained), ("failed", result.failed)):
        choose(tab, "kind", kind)
        assert tab.run(COUNT).startswith(f"{count} of 300"), kind
    assert tab.complaints == []
