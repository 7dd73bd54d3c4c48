"""The scores of bench/engine.py written straight against their libraries, without plexus' scheduling and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plexus.learning.features import Features

NODES = 6
KEYWORDS = ("refund", "money back", "reimburse", "cancel", "broken")
QUESTION = "Question {} about: {}"


def bare_keyword(sentences: Sequence[str]) -> Callable[[], Any]:
    """Return a function that finds every match of one RE2 expression of all keywords in each text."""
    import re2

    pattern = re2.compile(rf"(?i)\b(?:{'|'.join(KEYWORDS)})\b")
    return lambda: [[match.span() for match in pattern.finditer(text)] for text in sentences]


def bare_vectorizers(features: Features) -> list[Any]:
    """Return scikit-learn's own TF-IDF vectorizers with a model's vocabularies and weights, one for each block."""
    import numpy
    from sklearn.feature_extraction.text import TfidfVectorizer

    from plexus.learning.features import TOKENS, create_normalizer

    vectorizers = []
    for fitted in features.fitted:
        block = fitted.block
        vectorizer = TfidfVectorizer(
            analyzer=block.analyzer,
            ngram_range=block.ngrams,
            strip_accents=create_normalizer(block),
            token_pattern=TOKENS if block.analyzer == "word" else None,
            vocabulary=fitted.terms,
            dtype=numpy.float32,
            sublinear_tf=True,
        )
        vectorizer.idf_ = fitted.weights
        vectorizers.append(vectorizer)
    return vectorizers


def bare_svm(folder: Path, sentences: Sequence[str]) -> Callable[[], Any]:
    """Return a function that classifies with scikit-learn's vectorizers, a matrix product and the logistic curve."""
    import numpy
    from scipy.sparse import hstack

    from plexus.learning.svm import SVMModel

    model = SVMModel.load(folder)
    vectorizers = bare_vectorizers(model.features)

    def run() -> Any:
        matrix = hstack([each.transform(sentences) for each in vectorizers], format="csr")
        distances = matrix @ model.weights.T + model.intercepts
        shares = 1 / (1 + numpy.exp(-(distances * model.slopes + model.offsets)))
        return [model.classes[index] for index in (distances[:, 0] > 0).astype(int)], shares

    return run


def bare_boosted(folder: Path, sentences: Sequence[str]) -> Callable[[], Any]:
    """Return a function that classifies with scikit-learn's vectorizer and XGBoost, contributions of terms included."""
    from xgboost import Booster, DMatrix

    from plexus.learning.explainable import CHUNK, ExplainableModel

    model, booster = ExplainableModel.load(folder), Booster()
    booster.load_model(bytearray(model.booster.content))
    (vectorizer,) = bare_vectorizers(model.features)

    def run() -> Any:
        values = []
        for start in range(0, len(sentences), CHUNK):
            matrix = DMatrix(vectorizer.transform(sentences[start : start + CHUNK]))
            margins = booster.predict(matrix, output_margin=True)
            contributions = booster.predict(matrix, pred_contribs=True)
            values += [model.classes[int(margin > 0)] for margin in margins]
            assert len(contributions) == len(margins)
        return values

    return run


def bare_graph(folder: Path, sentences: Sequence[str]) -> Callable[[], Any]:
    """Return a function that runs the same six nodes, written straight in LangGraph, on the same replayed model."""
    from typing import TypedDict

    import jinja2
    from langchain_core.messages import HumanMessage
    from langgraph.graph import END, START, StateGraph

    from plexus.graph.cassette import Cassette
    from plexus.graph.replay import ReplayChatModel

    model = ReplayChatModel(
        cassette=Cassette.read(folder / "replies.json"),
        model_id="replay:bench",
        parameters={},
    )

    class State(TypedDict):
        text: str
        answers: dict[str, str]

    def step(node: int) -> Callable[[State], dict[str, Any]]:
        template = jinja2.Template(QUESTION.format(node, "{{ text }}"))

        def ask(state: State) -> dict[str, Any]:
            reply = str(model.invoke([HumanMessage(template.render(text=state["text"]))]).content)
            last = [word for word in reply.split() if word in ("Yes", "No")][-1]
            return {"answers": {**state["answers"], f"n{node}": last}}

        return ask

    graph: Any = StateGraph(State)
    for node in range(NODES):
        graph.add_node(f"n{node}", step(node))
        graph.add_edge(f"n{node - 1}" if node else START, f"n{node}")
    graph.add_edge(f"n{NODES - 1}", END)
    compiled = graph.compile()
    return lambda: [compiled.invoke({"text": text, "answers": {}})["answers"][f"n{NODES - 1}"] for text in sentences]
