"""The original's classes of scores beside its graphs."""

from __future__ import annotations

from plexus.document import Yaml
from plexus.original.notes import Notes

_TRAINED = ("ExplainableClassifier", "SVMClassifier")
_KNOWN = ("LangGraphScore", "TactusScore", "KeywordClassifier", *_TRAINED, "CompositeScore")
_INSTEAD = {
    "FastTextClassifier": "use SVMClassifier, and train it with `plexus train`",
    "OpenAIEmbeddingsClassifier": "use SVMClassifier, and train it with `plexus train`",
    "AWSComprehendSentimentScore": "use a LangGraphScore whose Classifier asks for the sentiment",
    "AWSComprehendEntityExtractor": "use a LangGraphScore with an Extractor",
    "OpenAIModelScore": "use a LangGraphScore with `model_provider: ChatOpenAI`",
    "AnthropicModelScore": "use a LangGraphScore with `model_provider: anthropic`",
}


def translate_class(score: dict[str, Yaml], notes: Notes) -> None:
    """Note what becomes of the score's class; a class without a counterpart is refused."""
    name = score.get("class")
    if not isinstance(name, str):
        return
    if name in _TRAINED and "artifact" not in score:
        message = (
            "the original's trained model is not read. next: name labelled texts in `data`, and run `plexus train`"
        )
        notes.add("changed", message, "class")
    elif name == "KeywordClassifier":
        score.setdefault("found", "True")
        score.setdefault("not_found", "False")
        message = (
            "keywords are whole words; the original also finds them inside of other words. next: for those, write "
        )
        message += "`patterns` beside `keywords`, as in `patterns: [fund]` for `refunds`"
        notes.add("changed", message, "keywords" if "keywords" in score else "class")
    elif name not in _KNOWN:
        trained = "use SVMClassifier or ExplainableClassifier, and train it with `plexus train`"
        advice = _INSTEAD.get(name, trained if name.startswith("DeepLearning") else "use a LangGraphScore")
        notes.add("unsupported", f"the score class {name!r} has no counterpart. next: {advice}", "class")
