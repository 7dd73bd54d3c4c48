"""Figures of labels that are numbers: how far off the values are."""

import random

import pytest
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from plexus.evaluation import ordinal, page, report, tables
from plexus.evaluation.confusion import Confusion
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.proportions import wilson

STARS = ("1", "2", "3", "4", "5")


def draw(texts: int = 300) -> tuple[list[str], list[str]]:
    """Return labels, and values that are off by up to two."""
    chance = random.Random(7)
    labels = chance.choices(STARS, (5, 1, 1, 2, 6), k=texts)
    return labels, [str(min(5, max(1, int(label) + chance.choice((-2, -1, 0, 0, 0, 1))))) for label in labels]


def test_figures_of_an_order_are_those_of_scikit_learn() -> None:
    """Mean absolute error and quadratic weighted kappa; the share that is at most one off has Wilson's interval."""
    labels, values = draw()
    figures = ordinal.measure(Confusion.of(labels, values))
    numbers = [int(label) for label in labels], [int(value) for value in values]
    near = sum(abs(label - value) <= 1 for label, value in zip(*numbers, strict=True))
    assert figures is not None
    assert figures.mean_error == pytest.approx(mean_absolute_error(*numbers))
    assert figures.weighted_kappa == pytest.approx(cohen_kappa_score(*numbers, weights="quadratic"))
    assert (figures.within_one, figures.within_one_interval) == (near / 300, wilson(near, 300))


@pytest.mark.parametrize("labels", [("0", "1"), ("1", "2", "many"), ("1", "2", "nan"), ("a", "b", "c"), ()])
def test_labels_without_an_order_have_no_such_figures(labels: tuple[str, ...]) -> None:
    """Two numbers, or a word among them, are classes."""
    assert ordinal.measure(Confusion.of(labels, labels)) is None


def test_one_number_alone_has_no_weighted_kappa() -> None:
    """All labels and values are 5: there is nothing to agree on beyond chance."""
    figures = ordinal.measure(Confusion.of(["5", "5"], ["5", "5"], STARS))
    assert figures == ordinal.Ordinal(0.0, 1.0, wilson(2, 2), None)


def test_table_page_and_json_have_the_figures_of_an_order() -> None:
    """The three figures are the same in all of them."""
    subject = report.Subject("card.yaml", "Stars", "SVMClassifier", "ab" * 32, "texts.csv")
    pairs = zip(*draw(), strict=True)
    judged = [Prediction(row, "t", label, 0.1, value) for row, (label, value) in enumerate(pairs, 1)]
    result = report.evaluate(subject, judged, STARS, alone=False)
    document = result.as_dict()["ordered"]
    printed, html = tables.render(result), page.render(result)
    for name, title in (("mean_error", "mean absolute error"), ("within_one", "at most one off")):
        assert f"<span>{title}</span><b>{document[name]:.3f}</b>" in html
        assert any(line.startswith(title) and f"{document[name]:.3f}" in line for line in printed.splitlines())
    assert f"<span>weighted kappa</span><b>{document['weighted_kappa']:.3f}</b>" in html
    assert f"{document['weighted_kappa']:.3f}" in printed
