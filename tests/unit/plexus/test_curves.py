"""ROC and precision-recall curves against scikit-learn, and the runs that the page compares."""

import json
import random
from pathlib import Path
from statistics import NormalDist

import numpy
import pytest
from click.testing import CliRunner, Result
from sklearn import metrics

from plexus.commands import evaluate
from plexus.evaluation import curves
from plexus.evaluation.predictions import Prediction
from plexus.exceptions import InvalidData

CARD = """
name: Reviews
key: reviews
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [{keywords}]
"""


def make_verdicts(size: int, seed: int, classes: str, digits: int = 6) -> list[Prediction]:
    """Made-up verdicts, right more often where the confidence is high; few digits make ties."""
    chance = random.Random(seed)
    rows = []
    for row in range(1, size + 1):
        label, confidence = chance.choice(classes), round(chance.uniform(0.5, 1), digits)
        value = label if chance.random() < confidence else chance.choice(classes)
        rows.append(Prediction(row, "text", label, 0.1, value, confidence))
    return rows


@pytest.mark.parametrize(("seed", "digits"), [(1, 6), (2, 6), (3, 2), (4, 1)])
def test_two_classes_are_ranked_as_scikit_learn_ranks_them(seed: int, digits: int) -> None:
    """Area, average precision, and every point of both curves equal scikit-learn's, ties included."""
    rows = make_verdicts(150, seed, "ab", digits)
    (curve,) = curves.curves(rows, ["a", "b"])
    truth = numpy.array([row.label == curve.label for row in rows])
    scores = numpy.array([row.confidence if row.value == curve.label else 1 - (row.confidence or 0) for row in rows])
    assert curve.area is not None
    assert curve.area.value == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    assert curve.average_precision == pytest.approx(metrics.average_precision_score(truth, scores), abs=1e-12)
    precision, recall, thresholds = metrics.precision_recall_curve(truth, scores)
    expected = sorted(zip(thresholds, precision[:-1], recall[:-1], strict=True), reverse=True)
    assert [(p.threshold, p.precision, p.recall) for p in curve.points] == [pytest.approx(point) for point in expected]
    false, true, limits = metrics.roc_curve(truth, scores, drop_intermediate=False)
    roc = list(zip(limits[1:], false[1:], true[1:], strict=True))
    assert [(p.threshold, p.false_positives, p.recall) for p in curve.points] == [pytest.approx(point) for point in roc]


def test_the_rarer_of_two_classes_is_ranked() -> None:
    """The rarer class has the curve: of 3 texts of one class and 1 of the other, the latter."""
    rows = [Prediction(row, "", label, 0.1, label, 0.9) for row, label in enumerate("aaba", start=1)]
    (curve,) = curves.curves(rows, ["a", "b"])
    assert (curve.label, curve.support) == ("b", 1)


def test_several_classes_end_at_the_recall_of_their_values() -> None:
    """The last point of each class has the precision and the recall of its values; there is no area."""
    rows = make_verdicts(300, 5, "abcd")
    results = curves.curves(rows, list("abcde"))
    assert [curve.label for curve in results] == list("abcd")
    labels, values = [row.label for row in rows], [row.value for row in rows]
    for curve in results:
        args = {"labels": [curve.label], "average": "macro"}
        assert curve.points[-1].precision == pytest.approx(metrics.precision_score(labels, values, **args))
        assert curve.points[-1].recall == pytest.approx(metrics.recall_score(labels, values, **args))
        assert curve.area is None


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Prediction(1, "", "a", 0.1, "a", 0.9), Prediction(2, "", "a", 0.1, "b", 0.9)],
        [Prediction(1, "", "a", 0.1, "a", 0.9), Prediction(2, "", "b", 0.1, "b")],
        [Prediction(1, "", "a", 0.1, "a", 0.9), Prediction(2, "", "b", 0.1, error="ScoringFailed: no class")],
    ],
    ids=["no text", "one label", "a value without confidence", "one label left"],
)
def test_without_two_labels_and_confidences_there_is_no_curve(rows: list[Prediction]) -> None:
    """Texts that cannot be ranked have no curve, instead of a wrong one."""
    assert curves.curves(rows, ["a", "b"]) == ()


def test_twenty_thousand_texts_have_few_points_with_every_marked_one() -> None:
    """A curve has about 200 points, the last one and each round threshold among them."""
    rows = make_verdicts(20_000, 1, "ab")
    (curve,) = curves.curves(rows, ["a", "b"])
    assert len(curve.points) <= 220
    assert {point.texts for point in curve.marked} <= {point.texts for point in curve.points}
    assert curve.points[-1].recall == 1
    for point in curve.marked:
        assert point.texts == sum(
            (row.confidence or 0 if row.value == curve.label else 1 - (row.confidence or 0)) >= point.threshold
            for row in rows
        )


@pytest.mark.parametrize(("size", "rest", "separation"), [(10, 10, 1.0), (10, 90, 2.0), (100, 100, 0.5)])
def test_the_interval_of_the_area_covers_the_truth(size: int, rest: int, separation: float) -> None:
    """In 400 samples of two normal distributions the interval has the true area in 91 to 99 of a hundred."""
    source = numpy.random.default_rng(3)
    truth = NormalDist().cdf(separation / 2**0.5)
    hits = 0
    for _ in range(400):
        result = curves.area((source.normal(size=size) + separation).tolist(), source.normal(size=rest).tolist())
        hits += result.low <= truth <= result.high
    assert 0.91 <= hits / 400 <= 0.99


def test_a_perfect_ranking_of_few_texts_is_no_certainty() -> None:
    """Three above three have the area 1, and an interval that reaches far below it."""
    result = curves.area([0.9, 0.8, 0.7], [0.3, 0.2, 0.1])
    assert result.value == 1
    assert result.low < 0.6
    assert result.high == pytest.approx(1)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two cards and a table of 12 labelled texts."""
    (tmp_path / "card.yaml").write_text(CARD.format(keywords="refund"))
    (tmp_path / "better.yaml").write_text(CARD.format(keywords="refund, money back"))
    rows = [("I want my money back", "Yes"), ("Give me a refund", "Yes"), ("All fine here", "No")] * 4
    (tmp_path / "texts.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return tmp_path


def run(folder: Path, card: str, *arguments: str) -> Result:
    """Return the command on one of the folder's cards."""
    words = [str(folder / card), "--data", str(folder / "texts.csv"), *arguments]
    return CliRunner().invoke(evaluate.command, words, standalone_mode=False)


def test_earlier_runs_are_beside_this_one_on_the_page(files: Path) -> None:
    """The page has the earlier run's accuracy and what a text costs; a run that another one beats says which."""
    earlier = json.loads(run(files, "card.yaml", "--json").stdout)
    earlier["cost_usd_per_text"], earlier["usage"]["calls"] = "0.002", 12
    (files / "earlier.json").write_text(json.dumps(earlier))
    earlier["cost_usd_per_text"] = None
    (files / "unknown.json").write_text(json.dumps(earlier))
    beside = [word for name in ("earlier.json", "unknown.json") for word in ("--beside", str(files / name))]
    assert run(files, "better.yaml", *beside, "--html", str(files / "page.html")).exception is None
    page = (files / "page.html").read_text(encoding="utf-8")
    assert "earlier.json: Refund" in page
    assert "0.667" in page
    assert "1 is at least as right and as cheap" in page
    assert '<td class="n">unknown</td>' in page
    assert 'aria-label="Accuracy over US dollars for a text"' in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not an evaluation .JSONDecodeError"),
        ('{"subject": {"score": "a"}}', "not an evaluation .KeyError"),
        ("[]", "not an evaluation .TypeError"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_evaluation_is_refused(files: Path, content: str | None, message: str) -> None:
    """Before anything is scored, the error names the file and the command that writes one."""
    if content is not None:
        (files / "run.json").write_text(content)
    result = run(files, "card.yaml", "--beside", str(files / "run.json"), "--html", str(files / "page.html"))
    assert isinstance(result.exception, InvalidData)
    assert result.exception.args[0].startswith(f"{files / 'run.json'}: {message.replace('.', '(')}")
    assert not (files / "page.html").exists()


def test_runs_on_other_texts_are_never_compared(files: Path) -> None:
    """Another number of texts, another file or other labels are refused: the comparison would be of nothing."""
    document = json.loads(run(files, "card.yaml", "--json").stdout)
    others: list[dict[str, object]] = [
        {"texts": 11},
        {"subject": {**document["subject"], "data": "others.csv"}},
        {"classes": []},
    ]
    for change in others:
        (files / "run.json").write_text(json.dumps(document | change))
        result = run(files, "card.yaml", "--beside", str(files / "run.json"), "--html", str(files / "page.html"))
        assert isinstance(result.exception, InvalidData)
        assert "run.json: other " in result.exception.args[0]
