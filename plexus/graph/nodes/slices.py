"""BeforeAfterSlicer and ContextExtractor: the text around a passage that an earlier node found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.graph.passages import Passage, find_verbatim
from plexus.graph.references import Reference
from plexus.graph.state import Fields, Run, Work
from plexus.sentences import sentences
from plexus.similarity import most_like


def slicer(node: Any) -> Work:
    """`before` and `after` the passage, without it; where it is not in the text, `before` is all of the text."""
    place = _place(node)

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        text, passage = place(values)
        if passage is None:
            return {"value": "", "before": text.strip(), "after": "", "found": False}
        before, after = text[: passage.start].strip(), text[passage.end :].strip()
        return {"value": passage.text, "before": before, "after": after, "found": True}

    return work


def around(node: Any) -> Work:
    """`value` is the passage's sentences with those before and after; empty where it is not in the text."""
    place = _place(node)

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        text, passage = place(values)
        if passage is None:
            return {"value": "", "found": False}
        spans = sentences(text)
        own = [at for at, (start, end) in enumerate(spans) if start < passage.end and passage.start < end]
        first, last = max(0, own[0] - node.before), min(len(spans) - 1, own[-1] + node.after)
        return {"value": text[spans[first][0] : spans[last][1]], "found": True}

    return work


def _place(node: Any) -> Any:
    """Finds text and passage in the state: word for word, else what is like enough."""
    source, quotation = (Reference(tuple(each.split("."))) for each in (node.source, node.quotation))

    def place(values: Mapping[str, Any]) -> tuple[str, Passage | None]:
        text, quoted = str(source.find(values)), str(quotation.find(values))
        if not quoted.strip():
            return text, None
        exact = find_verbatim(text, quoted)
        if exact is not None:
            return text, exact
        like = most_like(text, quoted, node.threshold)
        return text, None if like is None else Passage(like.text, like.start, like.end)

    return place
