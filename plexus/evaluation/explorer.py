"""The page's list of every text: its data, its script's policy, and the order of many classes."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from plexus.evaluation.confusion import Confusion

if TYPE_CHECKING:
    from plexus.evaluation.predictions import Prediction
    from plexus.evaluation.report import Evaluation

#: What the list may show; the last three with a second score alone.
KINDS = (
    ("mistakes", "mistakes"),
    ("all", "all texts"),
    ("right", "right values"),
    ("failed", "without a value"),
    ("abstained", "not decided"),
    ("changed", "changed values"),
    ("worse", "right here, wrong there"),
    ("better", "wrong here, right there"),
)


def list_kinds(evaluation: Evaluation, other: Evaluation | None) -> list[tuple[str, str]]:
    """Return (name, title) of the kinds of texts that the page may have."""
    kinds = KINDS if other else KINDS[:5]
    return [kind for kind in kinds if kind[0] != "abstained" or evaluation.abstained]


def render_texts(evaluation: Evaluation, other: Evaluation | None, *, show_text: bool) -> str:
    """Return all texts as JSON that is safe inside a script element.

    A text is [row, label, value, confidence, text, explanation, other value]; label and values are numbers of `names`,
    -1 for none. `doubt` and `otherDoubt` are the numbers of the values that decide nothing, -2 for none. Texts, and
    explanations that quote them, are null without `show_text`; errors are always there.
    """
    names = list(dict.fromkeys([*evaluation.confusion.labels, *(other.confusion.labels if other else ())]))
    doubts = [each.abstention for each in (evaluation, *([other] if other else [])) if each.abstention is not None]
    names += sorted({*doubts, *(prediction.label for prediction in evaluation.predictions)} - set(names))
    places = {name: place for place, name in enumerate(names)}
    others = {prediction.row: prediction for prediction in other.predictions} if other else {}

    def list_fields(prediction: Prediction) -> list[object]:
        why = prediction.error if prediction.error is not None else prediction.explanation if show_text else None
        second = others.get(prediction.row)
        return [
            prediction.row,
            places[prediction.label],
            places.get(prediction.value or "", -1),
            prediction.confidence,
            prediction.text if show_text else None,
            why,
            -1 if second is None else places.get(second.value or "", -1),
        ]

    content = {
        "names": names,
        "doubt": places.get(evaluation.abstention or "", -2),
        "otherDoubt": places.get((other.abstention if other else None) or "", -2),
        "other": other.subject.card if other else None,
        "rows": [list_fields(prediction) for prediction in evaluation.predictions],
    }
    return embed(content)


def embed(content: object) -> str:
    """Return a JSON value as text that is safe inside a script element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # `</script>` and `<!--` would end or change the element; these characters are the same in JSON when escaped.
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def hash_source(script: str) -> str:
    """Return the source expression of a content security policy that allows this inline script alone."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def order_classes(table: Confusion, roomy: int) -> list[int]:
    """Return the classes' order in the matrix: as they are up to `roomy`, else with confused classes side by side.

    Classes are joined by average linkage, most often confused first.
    """
    places = list(range(len(table.labels)))
    if len(places) <= roomy:
        return places
    import numpy
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    counts = numpy.asarray(table.counts, dtype=float)
    shares = counts / numpy.maximum(1, counts.sum(axis=1, keepdims=True))
    apart = 1 - (shares + shares.T) / 2
    numpy.fill_diagonal(apart, 0)
    return [int(place) for place in leaves_list(linkage(squareform(apart, checks=False), "average"))]
