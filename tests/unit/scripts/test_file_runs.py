"""Results of a file from the tables: equal to those of `plexus run`; the same inputs name the same run."""

import json
from decimal import Decimal
from typing import Any

import pytest

from handler import attribute_values
from handler.original_form import describe_cost, list_nodes
from handler.records import Job, Provenance, create_result_fields
from plexus.running.run import ScoredRow, Tally
from plexus.usage import Usage
from plexus.values import Result
from scripts.jobs.file_runs import name_run, read_failure, read_outcome

RESULT = Result(
    "Late",
    "It came late.",
    confidence=0.6657,
    cost=Decimal("0.000123"),
    trace={"path": ["a", "b"], "terms": {"late": 1.25, "on time": -3}, "empty": [], "none": None},
    model="openai:m",
    prompt_hash="p",
    configuration_hash="c",
    usage=Usage(calls=2, input_tokens=30, output_tokens=4, cached_tokens=5),
)


def store(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as they are read from a table."""
    return attribute_values.decode_fields(attribute_values.record(fields))


def load(value: object) -> str | None:
    """Return a field of a record; one that is a pointer is read from the bucket."""
    if isinstance(value, dict):
        return json.dumps(RESULT.trace)
    assert value is None or isinstance(value, str)
    return value


@pytest.mark.parametrize("is_large", [False, True])
def test_a_stored_result_is_read_as_it_was_scored(is_large: bool) -> None:
    """Every field that a row of JSON lines has survives the worker's record, a trace in the bucket too."""
    record = store(create_result_fields(RESULT, Provenance(Job("j"), "s", "v"), "2026-11-30T00:00:00Z"))
    if is_large:
        record["trace"] = {"s3": "results/x", "bytes": 9, "digest": "sha256:0"}
    assert read_outcome(record, load) == RESULT.as_dict()
    assert read_outcome({"value": "Yes"}, load) == Result("Yes").as_dict() | dict.fromkeys(
        ("code", "configuration_hash", "engine_version")
    )


def test_a_result_in_the_originals_form_is_read_too() -> None:
    """Its cost is an object with the tokens, and its trace a list of nodes; the summary counts both."""
    fields = create_result_fields(RESULT, Provenance(Job("j"), "s", "v"), "2026-11-30T00:00:00Z")
    cost = describe_cost(fields["cost"], fields["metadata"]["usage"])
    outcome = read_outcome(store({**fields, "cost": cost, "trace": list_nodes(fields["trace"]), "metadata": {}}), load)
    assert {name: value for name, value in outcome.items() if name != "trace"} == {
        name: value for name, value in RESULT.as_dict().items() if name != "trace"
    }
    assert outcome["trace"] == [{"name": "score", "inputs": {}, "outputs": RESULT.as_dict()["trace"]}]
    tally = Tally()
    tally.count(ScoredRow(row=1, id="", results={"Late": outcome}))
    assert (tally.calls, tally.input_tokens, tally.cost) == (2, 30, RESULT.cost)


@pytest.mark.parametrize(
    ("reason", "kind", "message"),
    [
        ("NotApplicable: 'Refund' is No", "NotApplicable", "'Refund' is No"),
        ("ScoringFailed: openai:m failed: 429", "ScoringFailed", "openai:m failed: 429"),
        ("the original's own words: no kind", "ScoringFailed", "the original's own words: no kind"),
        ("", "ScoringFailed", "the job has no result and no reason"),
    ],
)
def test_the_reason_of_a_failed_job_is_the_error_of_its_row(reason: str, kind: str, message: str) -> None:
    """A kind and a message, as a run on this machine writes them; a skipped score stays skipped."""
    assert read_failure(reason) == {"error": kind, "message": message}


def test_the_same_inputs_name_the_same_run() -> None:
    """Whatever the order of the keys; another text, score or column names another run."""
    identity: dict[str, object] = {"data": "1", "scores": ["A"], "text": "t"}
    assert name_run(identity) == name_run(dict(reversed(identity.items())))
    changes: list[dict[str, object]] = [{}, {"data": "2"}, {"scores": ["B"]}, {"text": "u"}]
    assert len({name_run(identity | change) for change in changes}) == 4
