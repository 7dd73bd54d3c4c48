"""Results as the original's worker writes them to Amplify's tables, which its API and its dashboard read.

AppSync computes the sort keys of Amplify's composite indexes when it writes; a record that is written to the table
without them is missing in those indexes. Traces, and texts that are too large for a record, are attachments in S3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handler import attribute_values
from handler.attribute_values import Attributes
from handler.large_fields import RECORD_LIMIT, LargeFields

FOLDER = "scoreresults"  # of the bucket; the original's dashboard may read this folder only
_SORT_KEYS = (
    ("itemId", "createdAt"),
    ("scoreId", "itemId"),
    ("scorecardId", "scoreId"),
    ("status", "updatedAt"),
    ("type", "scoreId", "updatedAt"),
)
_TOKENS = {"inputTokens": "prompt_tokens", "outputTokens": "completion_tokens", "cachedTokens": "cached_tokens"}
_SHORT = 1000  # characters of a text that was moved to S3


@dataclass(frozen=True)
class OriginalForm:
    """Converts results. `attachments` stores objects in the original's bucket; without one, traces stay in records."""

    attachments: LargeFields

    def convert(self, fields: Mapping[str, Any], external_id: str) -> Attributes:
        """Return the attributes of a result's record in the original's form; `fields` are those of this project's.

        Stores the trace, and texts that are too large. Raises `InvalidResult` if the rest does not fit into a record.
        """
        cost = describe_cost(fields["cost"], fields["metadata"]["usage"])
        values = {**fields, "cost": cost, "trace": list_nodes(fields["trace"])}
        attached = {}
        if values["trace"] and self.attachments.has_bucket:
            attached["trace"] = self._attach(values, "trace", "trace.json")
        for name in ("trace", "explanation", "value"):
            if attribute_values.record_size(_encode(values, external_id)) <= RECORD_LIMIT:
                break
            if values[name] and name not in attached:
                attached[name] = self._attach(values, name, "trace.json" if name == "trace" else f"{name}.txt")
            values[name] = None if name == "trace" else _shorten(values[name])
        record = _encode({**values, "attachments": list(attached.values()) or None}, external_id)
        return self.attachments.require_fit(record)

    def _attach(self, values: Mapping[str, Any], name: str, file: str) -> str:
        return self.attachments.store(f"{FOLDER}/{values['id']}", values[name], file)


def describe_cost(total: object, usage: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the original's object of costs: an unknown total is left out; None if no model was called."""
    if not usage.get("calls") and total is None:
        return None
    tokens = {theirs: usage[ours] for ours, theirs in _TOKENS.items() if ours in usage}
    return {**({} if total is None else {"total_cost": str(total)}), "llm_calls": usage.get("calls"), **tokens}


def list_nodes(trace: Mapping[str, Any] | None) -> list[dict[str, Any]] | None:
    """Return a trace as a list of nodes, in the order in which they ran; a score without nodes is one node.

    Nodes on the trace's `path` come first, in that order, then all others.
    """
    if not trace:
        return None
    nodes = trace.get("nodes")
    if not isinstance(nodes, Mapping):
        return [{"name": "score", "inputs": {}, "outputs": dict(trace)}]
    names = dict.fromkeys([*(name for name in trace.get("path") or () if name in nodes), *nodes])
    return [{"name": name, "inputs": {}, "outputs": nodes[name]} for name in names]


def _shorten(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _encode(values: Mapping[str, Any], external_id: str) -> Attributes:
    explanation = values["explanation"]
    metadata = {
        "source": "Worker",
        "cached_at": values["createdAt"],
        "external_id": external_id or None,
        "explanation": explanation,
    }
    sort_keys = {"#".join(names): "#".join(str(values[name]) for name in names) for names in _SORT_KEYS}
    return attribute_values.record({**values, **sort_keys, "metadata": metadata, "__typename": "ScoreResult"})
