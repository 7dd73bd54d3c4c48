"""The state fields of the original's nodes, and ours that have the same values."""

from __future__ import annotations

from collections.abc import Collection

#: Our class → the original's field → our field; every translated node sets these.
FIELDS: dict[str, dict[str, str]] = {
    "Classifier": {"classification": "classification", "explanation": "explanation"},
    "MultiClassClassifier": {"classification": "classification", "explanation": "explanation"},
    "NumericClassifier": {"classification": "classification", "explanation": "explanation", "value": "value"},
    "Extractor": {"extracted_text": "value"},
    "Generator": {"completion": "value", "explanation": "explanation"},
    "LogicalClassifier": {"classification": "classification", "explanation": "explanation", "value": "value"},
    "FuzzyMatchClassifier": {"classification": "classification", "explanation": "explanation"},
    "FuzzyMatchExtractor": {"extracted_text": "value", "match_found": "found"},
    "BeforeAfterSlicer": {"before": "before", "after": "after"},
    "ContextExtractor": {"extracted_text": "value", "context_chunk": "value"},
    "LogicalNode": {},
}
#: Fields that few graphs read; a node sets them in a graph that has the name anywhere.
RARE_FIELDS: dict[str, dict[str, str]] = {
    "Classifier": {"completion": "explanation"},
    "FuzzyMatchClassifier": {"match_found": "found"},
}
#: Fields that every graph of the original has; one that no node sets is empty there, and would be a literal here.
STATE = frozenset(
    {"classification", "completion", "confidence", "explanation", "extracted_text", "good_call"}
    | {"good_call_explanation", "is_not_empty", "messages", "non_qualifying_explanation", "non_qualifying_reason"}
    | {"reasoning", "value"}
)
#: Fields that the original's nodes have, and ours cannot have: what to write instead.
LOST_FIELDS = {
    "matches": "use `similarity` and `explanation` of the node",
    "raw_logprobs": "remove it: log probabilities are not asked for",
    "matched_sequence": "use `quotation`, the passage that the node's Extractor found",
    "match_start_index": "use `start` of the node's Extractor",
    "match_end_index": "use `end` of the node's Extractor",
    "chat_history": "remove it: the trace has each request",
    "retry_count": "remove it: the trace has each request",
    "at_llm_breakpoint": "remove it: jobs are scored one by one",
    "criteria_met": "set it in a LogicalNode",
}
RETRIES = {"Classifier": 6, "MultiClassClassifier": 3, "YesOrNoClassifier": 3, "Generator": 1}


def list_fields(kind: str, keys: Collection[str], words: Collection[str]) -> dict[str, str]:
    """Return the original's field → ours for a node of our class `kind`; `words` are those of the whole graph."""
    rare = {name: ours for name, ours in RARE_FIELDS.get(kind, {}).items() if name in words}
    fields = {**FIELDS[kind], **rare}
    if kind == "MultiClassClassifier" and "explanation_message" not in keys:
        fields["explanation"] = "classification"  # the original's explanation is the class itself
    return fields
