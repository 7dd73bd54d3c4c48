import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import message
from handler.exceptions import InvalidMessage

WRONG = {
    "": "not JSON",
    "secret text": "not JSON",
    "[" * 100_000: "not JSON",
    "9" * 100_000: "not JSON",
    "null": "JSON null",
    "[]": "JSON array",
    '"job-1"': "JSON string",
    "NaN": "JSON number",
    "{}": "no scoring_job_id",
    '{"scoring_job_id": 7}': "JSON number",
    '{"scoring_job_id": true}': "JSON boolean",
    '{"scoring_job_id": null}': "JSON null",
    '{"scoring_job_id": ["job-1"]}': "JSON array",
    '{"scoring_job_id": " "}': "empty",
    '{"scoring_job_id": "a\\u0000b"}': "control characters",
    '{"scoring_job_id": "\\ud800"}': "lone surrogates",
    json.dumps({"scoring_job_id": "x" * 2049}): "longer than 2048 bytes",
    json.dumps({"scoring_job_id": "x" * 262_000}): "longer than 2048 bytes",
}


def test_a_request_names_its_job() -> None:
    """A body is an object with scoring_job_id; other members do not disturb."""
    assert message.parse('{"scoring_job_id": "job-1", "more": [1]}').scoring_job_id == "job-1"


@pytest.mark.parametrize(("body", "reason"), WRONG.items(), ids=[body[:30] for body in WRONG])
def test_a_wrong_body_is_refused_by_name(body: str, reason: str) -> None:
    """Every body that names no job is refused with the reason, never quoting the body."""
    with pytest.raises(InvalidMessage, match=reason) as caught:
        message.parse(body)
    assert "secret" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=500))
def test_every_printable_id_is_kept_as_it_is(job_id: str) -> None:
    """An id of printable characters arrives unchanged, in whatever script."""
    assert message.parse(json.dumps({"scoring_job_id": job_id})).scoring_job_id == job_id


@given(st.text())
def test_no_body_does_worse_than_being_refused(body: str) -> None:
    """Any text at all is either read or refused as invalid."""
    with contextlib.suppress(InvalidMessage):
        assert message.parse(body).scoring_job_id


def test_a_response_is_exactly_the_results_id() -> None:
    """The response's body has one member."""
    assert json.loads(message.response("result-1")) == {"score_result_id": "result-1"}
