"""The page of an evaluation in a browser: every text is found by mouse and by keyboard, also among 20,000."""

import random
from pathlib import Path

import pytest

from plexus.evaluation import page
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.report import Evaluation, Subject, compare_evaluations, evaluate
from plexus.evaluation.runs import collect
from tests.e2e.chromium import browser

LABELS = ("Delivery", "Quality", "Service")
MANY = tuple(f"topic {number:02}" for number in range(45))


def make_evaluation(labels: tuple[str, ...], texts: int, seed: int = 1) -> Evaluation:
    """Made-up verdicts, right about three times in four; every hundredth text failed."""
    chance = random.Random(1)
    other = random.Random(seed)
    judged = []
    for row in range(1, texts + 1):
        label, value = chance.choice(labels), other.choice(labels)
        if row % 100 == 0:
            judged.append(Prediction(row, f"text {row}", label, 0.1, error="ScoringFailed: no class"))
            continue
        value = label if other.random() < 0.75 else value
        judged.append(Prediction(row, f"text {row} <b>", label, 0.1, value, round(other.random(), 4), "why"))
    subject = Subject(f"card-{seed}.yaml", "Topic", "SVMClassifier", "ab" * 32, "texts.csv")
    return evaluate(subject, judged, labels, alone=False)


def count_shown(lines: str) -> int:
    """Return the number in `12 of 600 texts`."""
    return int(lines.split()[0])


def test_a_cell_leads_to_its_texts_and_keys_through_them(tmp_path: Path) -> None:
    """A click on a number lists as many texts; arrows move and show the whole text; the page complains of nothing."""
    first, second = make_evaluation(LABELS, 600), make_evaluation(LABELS, 600, seed=2)
    target = tmp_path / "page.html"
    target.write_text(page.render(first, other=second, compared=compare_evaluations(first, second), show_text=True))
    with browser() as tab:
        tab.look(1200)
        tab.open(target.as_uri())
        wrong = sum(one.value is not None and not one.right for one in first.predictions)
        assert count_shown(tab.run("document.getElementById('count').textContent")) == wrong
        for cell in (0, 1, 5):
            count = tab.run(f"(e => (e.click(), +e.textContent))(document.querySelectorAll('a[data-label]')[{cell}])")
            assert count_shown(tab.run("document.getElementById('count').textContent")) == count
        assert tab.run("document.activeElement.id") == "list"
        key = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
        for name, place in (("ArrowDown", 0), ("ArrowDown", 1), ("End", count - 1), ("Home", 0)):
            tab.run(key % name)
            active = tab.run("document.getElementById('list').getAttribute('aria-activedescendant')")
            assert active == f"option-{place}"
            assert tab.run(f"document.getElementById('{active}').getAttribute('aria-selected')") == "true"
        assert " <b>" in tab.run("document.querySelector('#detail .whole').textContent")
        changed = sum(one.value != two.value for one, two in zip(first.predictions, second.predictions, strict=True))
        tab.run("document.getElementById('f-reset').click()")
        choose = "(e => {e.value = 'changed'; e.dispatchEvent(new Event('input', {bubbles: true}))})"
        tab.run(f"{choose}(document.getElementById('f-kind'))")
        assert count_shown(tab.run("document.getElementById('count').textContent")) == changed
        assert tab.complaints == []


@pytest.mark.parametrize("width", [390, 1200])
def test_twenty_thousand_texts_and_many_classes_fit(tmp_path: Path, width: int) -> None:
    """The list draws what the window shows alone, and nothing is wider than the page."""
    for labels, texts in ((LABELS, 20_000), (MANY, 2_000), (LABELS, 0)):
        target = tmp_path / "page.html"
        target.write_text(page.render(make_evaluation(labels, texts), show_text=True))
        with browser() as tab:
            tab.look(width)
            tab.open(target.as_uri())
            assert tab.run("document.querySelectorAll('.line').length") < 60
            assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            if texts:
                tab.run("document.getElementById('list').scrollTop = 1e9")
                tab.wait("document.querySelector('.line:last-child').getAttribute('aria-posinset') === "
                         "document.querySelector('.line').getAttribute('aria-setsize')")  # fmt: skip
            assert tab.complaints == []


OVERLAPS = """
[...document.querySelectorAll('svg')].flatMap(plot => {
  const boxes = [...plot.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([name, one], at) => boxes.slice(at + 1).filter(([, other]) =>
    one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 3 && other.top < one.bottom - 3
  ).map(([other]) => `${name} | ${other}`));
})
"""


@pytest.mark.parametrize("width", [390, 700, 1200])
@pytest.mark.parametrize("paper", [False, True])
def test_no_word_of_a_plot_covers_another(tmp_path: Path, width: int, paper: bool) -> None:
    """Names of axes and their numbers are apart in plots of every size, on the screen and on paper.

    Paper has no list of texts, which would need clicks, but the tables that the screen folds.
    """
    target = tmp_path / "page.html"
    first, *others = (make_evaluation(LABELS, 600, seed) for seed in range(1, 6))
    runs = [run for other in others[1:] for run in collect([other], [])]  # as right and as fast as the first
    compared = compare_evaluations(first, others[0])
    target.write_text(page.render(first, other=others[0], compared=compared, show_text=True, earlier=runs))
    with browser() as tab:
        tab.look(width, paper=paper)
        tab.open(target.as_uri())
        assert tab.run(OVERLAPS) == []
        is_shown = "document.querySelector('%s').getClientRects().length > 0"
        assert tab.run(is_shown % "#texts") is not paper
        folded = "document.querySelector('figure details table').checkVisibility({contentVisibilityAuto: true})"
        assert tab.run(folded) is paper
