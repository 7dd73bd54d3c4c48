"""ExplainableClassifier: training, the artifact, scoring, and what the explanation says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

import plexus
from plexus.artifacts import FolderArtifacts
from plexus.context import Context
from plexus.exceptions import InvalidArtifact
from plexus.learning.explainable import ExplainableModel, compute_probabilities, fit_scale
from plexus.learning.train_explainable import train
from plexus.learning.training_process import train_here
from plexus.publishing import LabelledFile, publish
from plexus.scores.learned import describe_terms

ROOT = Path(__file__).resolve().parents[3]
GOOD = ["great value", "great taste", "really great", "a great day", "great people", "just great", "great, thanks"]
BAD = ["awful taste", "awful value", "really awful", "an awful day", "awful people", "just awful", "awful, sorry"]
ODD = ["odd taste", "odd value", "really odd", "an odd day", "odd people", "just odd", "odd, hm"]
CARD = """
name: Reviews
key: reviews
scores:
  - name: Tone
    class: ExplainableClassifier
    top_terms: 2
"""


def train_model(labels: int = 2) -> ExplainableModel:
    """Return a model of two or three classes."""
    groups = {"Good": GOOD, "Bad": BAD, "Odd": ODD}
    chosen = dict(list(groups.items())[:labels])
    texts = [text for group in chosen.values() for text in group]
    return train(texts, [label for label, group in chosen.items() for _ in group])[0]


@pytest.mark.parametrize(("labels", "text", "label"), [(2, "awful", "Bad"), (2, "great", "Good"), (3, "odd", "Odd")])
def test_the_deciding_term_is_named_with_its_share(labels: int, text: str, label: str) -> None:
    """The word that sets a class apart comes first, and speaks for the class that was found."""
    (prediction,) = train_model(labels).predict([f"so {text}"], top=3)
    assert prediction.label == label
    assert prediction.confidence > 0.5
    assert prediction.terms[0].text == text
    assert prediction.terms[0].contribution > 0


def test_only_terms_of_the_text_are_named() -> None:
    """A term that the text lacks may decide, and the explanation does not claim that the text has it."""
    (prediction,) = train_model().predict(["nothing of it"], top=5)
    assert prediction.terms == ()


def test_a_batch_is_answered_as_single_texts_are() -> None:
    """The same texts in one batch or one by one give the same predictions, over the limit of a chunk too."""
    model, texts = train_model(), [*GOOD, *BAD] * 40
    together = model.predict(texts, top=3)
    assert together[:14] == [model.predict([text], top=3)[0] for text in texts[:14]]
    assert len(together) == len(texts) > 256


def test_contributions_are_held_for_as_many_texts_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many terms and classes make chunks small, and change no answer."""
    model, texts = train_model(3), [*GOOD, *BAD, *ODD]
    together = model.predict(texts, top=3)
    monkeypatch.setattr("plexus.learning.explainable.CELLS", 7 * (len(model.names) + 1))
    assert model.rows_at_once == 2
    assert model.predict(texts, top=3) == together


def test_a_saved_model_answers_the_same(tmp_path: Path) -> None:
    """A model that was written and read again predicts as the trained one does."""
    model = train_model(3)
    model.save(tmp_path)
    texts = [*GOOD, *BAD, *ODD]
    assert ExplainableModel.load(tmp_path).predict(texts, 3) == model.predict(texts, 3)


def test_a_model_is_json_and_plain_arrays(tmp_path: Path) -> None:
    """No file of the artifact can run code when it is loaded."""
    train_model().save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npy"}
    assert json.loads((tmp_path / "booster.json").read_text())["version"]


@pytest.mark.parametrize("change", [{"kind": "svm"}, {"format": 99}, {"version": "99.0.0"}])
def test_a_model_that_cannot_be_read_here_is_refused_by_name(tmp_path: Path, change: dict[str, object]) -> None:
    """Another kind, a newer format and a newer library each end in InvalidArtifact that says which."""
    train_model().save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidArtifact, match=str(next(iter(change.values())))):
        ExplainableModel.load(tmp_path)


def test_a_damaged_booster_is_refused(tmp_path: Path) -> None:
    """A file that XGBoost cannot read is InvalidArtifact."""
    train_model().save(tmp_path)
    (tmp_path / "booster.json").write_text("{}")
    with pytest.raises(InvalidArtifact, match="the model is damaged"):
        ExplainableModel.load(tmp_path)


def test_a_training_tells_how_far_it_is(tmp_path: Path) -> None:
    """Steps only grow, up to the last of all; who watches changes nothing of the model."""
    (tmp_path / "card.yaml").write_text(CARD)
    card, source = (
        plexus.load_file(tmp_path / "card.yaml"),
        LabelledFile(ROOT / "examples/items/train.csv", "text", "label"),
    )
    output: list[tuple[str, int, int]] = []
    watched = publish(
        card, FolderArtifacts(tmp_path / "a"), source=source, watch=lambda *step: output.append(step), train=train_here
    )
    assert watched.text == publish(card, FolderArtifacts(tmp_path / "b"), source=source, train=train_here).text
    names, done, totals = zip(*output, strict=True)
    assert (set(names), len(set(totals))) == ({"Tone"}, 1)
    assert len(done) > 10
    assert list(done) == sorted(set(done))
    assert done[0] == 0
    assert done[-1] == totals[0]


def test_a_score_gives_value_confidence_and_explanation(tmp_path: Path) -> None:
    """Through the scorecard a text gets its class, a probability, and at most `top_terms` terms in words and trace."""
    store = FolderArtifacts(tmp_path / "store")
    card = tmp_path / "card.yaml"
    card.write_text(CARD)
    source = LabelledFile(ROOT / "examples/items/train.csv", "text", "label")
    published = publish(plexus.load_file(card), store, source=source, train=train_here)
    scorecard = plexus.load(published.text)
    result = plexus.score(
        scorecard, "Tone", plexus.Item("It broke at once, I want my money back."), context=Context(artifacts=store)
    )
    assert result.value in ("Positive", "Negative")
    assert 0.5 <= (result.confidence or 0) <= 1
    assert len(result.trace["terms"]) <= 2


def test_the_explanation_reads_as_words() -> None:
    """Terms stand with their signs, and to two digits."""
    assert describe_terms(["refund", "great"], [1.2, -0.349]) == ["“refund” +1.20", "“great” −0.35"]


def test_what_is_rounded_at_once_is_rounded_as_one_by_one(tmp_path: Path) -> None:
    """Confidence and the trace's contributions have the four digits that Python gives each of them."""
    model, store, folder = train_model(3), FolderArtifacts(tmp_path / "store"), tmp_path / "model"
    folder.mkdir()
    model.save(folder)
    card = plexus.load(f"{CARD}    artifact: {store.put(folder)}\n")
    texts = [*GOOD, *BAD, *ODD, "nothing of it"]
    outcomes = plexus.score_batch(card, "Tone", map(plexus.Item, texts), context=Context(artifacts=store))
    for result, outcome in zip(model.predict(texts, 2), outcomes, strict=True):
        assert isinstance(outcome, plexus.Result)
        terms = {term.text: round(term.contribution, 4) for term in result.terms}
        assert (outcome.value, outcome.confidence, outcome.trace) == (result.label, result.confidence, {"terms": terms})
        assert terms or str(outcome.explanation).startswith("No term of the text weighed in")


def test_confidence_is_stretched_to_how_often_it_is_right() -> None:
    """Log-odds that are half of what they should be get the scale 2, for two classes and for three."""
    chance = numpy.random.default_rng(5)
    odds = chance.normal(0, 2, size=(20_000, 3))
    two, three = odds[:, 0], odds
    truths = (chance.random(20_000) < 1 / (1 + numpy.exp(-two))).astype(int)
    assert fit_scale(two / 2, truths) == pytest.approx(2, abs=0.1)
    shares = numpy.cumsum(compute_probabilities(three, 1.0), axis=1)
    truths = (chance.random((20_000, 1)) > shares).sum(axis=1).clip(0, 2)
    assert fit_scale(three / 2, truths) == pytest.approx(2, abs=0.1)


def test_the_scale_changes_confidence_and_contributions_and_no_class() -> None:
    """Contributions are stretched with the log-odds that they add up to."""
    model = train_model(3)
    plain, stretched = replace(model, scale=1.0), replace(model, scale=2.0)
    for entry, other in zip(plain.predict(GOOD, 1), stretched.predict(GOOD, 1), strict=True):
        assert (other.label, other.terms[0].text) == (entry.label, entry.terms[0].text)
        assert other.confidence > entry.confidence
        assert other.terms[0].contribution == pytest.approx(2 * entry.terms[0].contribution)


def test_a_model_made_before_there_was_a_scale_can_be_read(tmp_path: Path) -> None:
    """Without one its confidence is what the booster says."""
    train_model().save(tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    del content["scale"]
    (tmp_path / "model.json").write_text(json.dumps(content))
    assert ExplainableModel.load(tmp_path).scale == 1.0


def test_a_model_made_before_negated_words_were_terms_can_be_read(tmp_path: Path) -> None:
    """In format 1 a word is the same term after a negation, and stays it."""
    train_model().save(tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    for block in content["blocks"]:
        del block["negations"]
    (tmp_path / "model.json").write_text(json.dumps(content | {"format": 1}))
    model = ExplainableModel.load(tmp_path)
    (prediction,) = model.predict(["it is not great"], 3)
    assert [term.text for term in prediction.terms] == ["great"]


def test_a_negated_word_is_named_with_its_negation() -> None:
    """The explanation says what stands in the text, not how the term is written in the artifact."""
    good, bad = ["it is good", "good it was", "so good", "good day"], ["not good", "it is not good", "never good, no"]
    model, _ = train([*good, *bad, "was not very good"], ["Yes"] * 4 + ["No"] * 4)
    (prediction,) = model.predict(["this was not so good"], top=9)
    assert prediction.label == "No"
    assert "not … good" in [term.text for term in prediction.terms]
    assert not [term for term in prediction.terms if "_" in term.text]


def test_a_training_without_a_budget_tries_the_usual_parameters_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs are counted, not measured: with next to nothing to spend there is one candidate, else there are more."""
    texts, labels = [*GOOD, *BAD], ["Good"] * len(GOOD) + ["Bad"] * len(BAD)
    assert train(texts, labels)[1].candidates > 1
    monkeypatch.setattr("plexus.learning.training.LEAST_BUDGET", 1.0)
    monkeypatch.setattr("plexus.learning.training.BUDGET", 0)
    report = train(texts, labels)[1]
    assert report.candidates == 1
    assert (report.parameters["booster"], report.parameters["class_weights"]) == ("gblinear", "balanced")


def test_many_classes_get_more_rounds_in_fewer_folds() -> None:
    """Ten rounds move each of dozens of classes too little; a label of two texts is in both folds."""
    words = [first + second for first in "bdfgklmn" for second in ("ado", "emi", "iru", "ola", "upe")]
    texts = [f"{word} {word} number {number}" for word in words for number in range(2 + 2 * (word < "f"))]
    labels = [text.split()[0] for text in texts]
    model, report = train(texts, labels)
    assert (report.folds, report.parameters["rounds"], len(report.labels)) == (2, 20, 40)
    assert [prediction.label for prediction in model.predict(texts, top=1)] == labels
