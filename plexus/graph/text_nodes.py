"""The nodes that call no model: logical nodes, fuzzy matches, and slices around a passage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plexus.configuration.graph import (
    BeforeAfterSlicer,
    ContextExtractor,
    FuzzyMatchClassifier,
    FuzzyMatchExtractor,
    FuzzyTarget,
    LogicalClassifier,
    LogicalNode,
    TextNode,
)
from plexus.exceptions import ScoringFailed
from plexus.graph import fuzzy
from plexus.graph.references import Reference
from plexus.graph.state import Fields, Run, Work
from plexus.language.expression import Expression
from plexus.language.templates import Template
from plexus.passages import Passage, SimilarPassage, find_sentences, find_similar, find_verbatim
from plexus.text import fold
from plexus.values import format_value


def create_work(node: TextNode) -> Work:
    """Create the work of a node that calls no model; expressions and templates are compiled here, once."""
    if isinstance(node, LogicalClassifier):
        return create_logical_classifier(node)
    if isinstance(node, LogicalNode):
        return create_logical_node(node)
    if isinstance(node, FuzzyMatchClassifier):
        return create_fuzzy_classifier(node)
    if isinstance(node, FuzzyMatchExtractor):
        return create_fuzzy_extractor(node)
    if isinstance(node, BeforeAfterSlicer):
        return create_slicer(node)
    return create_context_extractor(node)


def create_logical_classifier(node: LogicalClassifier) -> Work:
    """Compute `classification` and `value`; with `valid_classes`, raises ScoringFailed for any other value."""
    expression = Expression(node.expression)
    explanation = Template(node.explanation) if node.explanation is not None else None
    classes = {fold(name): name for name in node.valid_classes or []}

    def work(values: Mapping[str, object], _: Run) -> Fields:
        value = format_value(expression(values), node.name)
        if classes and fold(value) not in classes:
            expected = ", ".join(classes.values())
            raise ScoringFailed(f"the node {node.name!r} gave a value that is not one of its classes ({expected})")
        # The class is spelled as in the scorecard, whatever its spelling in the expression.
        value = classes.get(fold(value), value)
        rendered = explanation.render({**values, "classification": value}) if explanation is not None else None
        return {"classification": value, "value": value, "explanation": rendered}

    return work


def create_logical_node(node: LogicalNode) -> Work:
    """Set each alias to its expression's value, in order; later expressions can use earlier aliases."""
    expressions = {alias: Expression(source) for alias, source in node.set.items()}

    def work(values: Mapping[str, object], _: Run) -> Fields:
        computed: dict[str, object] = {}
        for alias, expression in expressions.items():
            computed[alias] = expression({**values, **computed})
        return {"value": computed[alias], "set": computed}

    return work


def create_fuzzy_classifier(node: FuzzyMatchClassifier) -> Work:
    """Classify as the first matching target's `value` (or `found`), or as `not_found` if any or all do not match."""

    def work(values: Mapping[str, object], _: Run) -> Fields:
        matches = _find_targets(node.targets, fuzzy.read_texts(node.source, values))
        is_match = len(matches) == len(node.targets) if node.match == "all" else bool(matches)
        if not is_match:
            why = "Found none of the phrases." if not matches else "Found only some of the phrases."
            nothing = {"explanation": why, "similarity": 0.0, "found": False}
            return {"classification": node.not_found, "value": node.not_found, **nothing}
        # The first target in the YAML decides, so that authors can order targets by importance.
        target, _passage = matches[0]
        value = target.value if target.value is not None else node.found
        quoted = ", ".join(f"“{passage.text}”" for _, passage in matches)
        return {
            "classification": value,
            "value": value,
            "explanation": f"Found {quoted}.",
            "similarity": min(passage.similarity for _, passage in matches),
            "found": True,
        }

    return work


def create_fuzzy_extractor(node: FuzzyMatchExtractor) -> Work:
    """Return the passage most similar to any target as `value`; it is empty if none reaches its threshold."""

    def work(values: Mapping[str, object], _: Run) -> Fields:
        matches = _find_targets(node.targets, fuzzy.read_texts(node.source, values))
        if not matches:
            nothing = {"value": "", "found": False, "similarity": 0.0, "start": -1, "end": -1}
            return {**nothing, "explanation": "Found none of the phrases."}
        target, best = max(matches, key=lambda match: match[1].similarity)
        return {
            "value": best.text,
            "explanation": f"“{best.text}” is {best.similarity:.0%} like “{target.phrase}”.",
            "found": True,
            "similarity": best.similarity,
            "start": best.start,
            "end": best.end,
        }

    return work


def _find_targets(targets: list[FuzzyTarget], texts: list[str]) -> list[tuple[FuzzyTarget, SimilarPassage]]:
    passages = ((target, fuzzy.find_target(target, texts)) for target in targets)
    return [(target, passage) for target, passage in passages if passage is not None]


def create_slicer(node: BeforeAfterSlicer) -> Work:
    """Return the text `before` and `after` the passage; if the text does not contain it, `before` is all of it."""
    locate = _create_locator(node)

    def work(values: Mapping[str, object], _: Run) -> Fields:
        text, passage = locate(values)
        if passage is None:
            return {"value": "", "before": text.strip(), "after": "", "found": False}
        before, after = text[: passage.start].strip(), text[passage.end :].strip()
        return {"value": passage.text, "before": before, "after": after, "found": True}

    return work


def create_context_extractor(node: ContextExtractor) -> Work:
    """Return the passage's sentences with their neighbours as `value`; empty if the text does not contain it."""
    locate = _create_locator(node)

    def work(values: Mapping[str, object], _: Run) -> Fields:
        text, passage = locate(values)
        if passage is None:
            return {"value": "", "found": False}
        spans = find_sentences(text)
        inside = [index for index, (start, end) in enumerate(spans) if start < passage.end and passage.start < end]
        first, last = max(0, inside[0] - node.before), min(len(spans) - 1, inside[-1] + node.after)
        return {"value": text[spans[first][0] : spans[last][1]], "found": True}

    return work


def _create_locator(
    node: BeforeAfterSlicer | ContextExtractor,
) -> Callable[[Mapping[str, object]], tuple[str, Passage | None]]:
    """Return a function that finds (text, passage) in the state: word for word, otherwise by similarity."""
    source, quotation = (Reference(tuple(name.split("."))) for name in (node.source, node.quotation))

    def locate(values: Mapping[str, object]) -> tuple[str, Passage | None]:
        text, quoted = str(source.find(values)), str(quotation.find(values))
        if not quoted.strip():
            return text, None
        # Verbatim first: the similarity search compares every window of words, which is much slower.
        exact = find_verbatim(text, quoted)
        if exact is not None:
            return text, exact
        similar = find_similar(text, quoted, node.threshold)
        return text, None if similar is None else Passage(similar.text, similar.start, similar.end)

    return locate
