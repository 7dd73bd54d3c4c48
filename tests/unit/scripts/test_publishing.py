"""A result's record as the original's API takes it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from scripts.console.errors import OperationFailed
from scripts.jobs.publishing import Api, create_input

RECORD: dict[str, Any] = {
    "id": "result-1",
    "value": "Yes",
    "explanation": "Found “refund”.",
    "confidence": Decimal("0.75"),
    "cost": Decimal("0.0025"),
    "trace": {"path": ["a"], "count": Decimal(2)},
    "metadata": {"usage": {"calls": 2, "inputTokens": 30, "outputTokens": 4, "cachedTokens": 8, "unmetered": 0}},
    "type": "prediction",
    "status": "COMPLETED",
    "code": "200",
    "itemId": "item-1",
    "accountId": "account-1",
    "scoringJobId": "job-1",
    "scorecardId": "card-1",
    "scoreId": "score-1",
    "scoreVersionId": "version-1",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "typeScoreUpdatedAt": "prediction#score-1#2026-01-01T00:00:00.000Z",
    "engineVersion": "1.2.0",
    "item": "c-1",
    "score": "Refund",
}


def test_a_record_has_the_fields_of_the_original() -> None:
    """JSON fields are text, numbers are numbers, and fields that its model does not have are left out."""
    fields = create_input(RECORD)
    assert fields.keys() == RECORD.keys() - {"typeScoreUpdatedAt", "engineVersion", "item", "score"}
    assert fields["confidence"] == 0.75
    assert json.loads(fields["trace"]) == {"path": ["a"], "count": 2}
    assert json.loads(fields["metadata"]) == {
        "source": "Worker",
        "cached_at": RECORD["createdAt"],
        "external_id": "c-1",
        "explanation": RECORD["explanation"],
    }
    assert json.loads(fields["cost"]) == {
        "total_cost": "0.0025",
        "llm_calls": 2,
        "prompt_tokens": 30,
        "completion_tokens": 4,
        "cached_tokens": 8,
    }


def test_an_unknown_cost_is_no_zero() -> None:
    """Calls of unknown cost have their tokens and no total; a score without calls has no cost at all."""
    unknown = {name: value for name, value in RECORD.items() if name != "cost"}
    assert "total_cost" not in json.loads(create_input(unknown)["cost"])
    assert "cost" not in create_input(unknown | {"metadata": {"usage": {"calls": 0}}})


def test_a_field_in_s3_is_an_attachment() -> None:
    """A trace or an explanation that was too large is named by its key, and not sent as its pointer."""
    pointer = {"s3": "results/result-1/trace-1", "bytes": 500_000, "digest": "sha256:1"}
    fields = create_input(
        RECORD | {"trace": pointer, "explanation": pointer | {"s3": "results/result-1/explanation-1"}}
    )
    assert fields.keys().isdisjoint({"trace", "explanation"})
    assert sorted(fields["attachments"]) == ["results/result-1/explanation-1", "results/result-1/trace-1"]
    assert "explanation" not in json.loads(fields["metadata"])


@pytest.mark.parametrize("url", ["http://api.example/graphql", "api.example", "ftp://127.0.0.2/"])
def test_a_key_is_sent_encrypted_only(url: str) -> None:
    """Only the loopback is asked without TLS."""
    with pytest.raises(OperationFailed, match="expected https://"):
        Api.of(url, "key")
    Api.of("http://127.0.0.1:8000/graphql", "key").http.close()
