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
    "[" * 100_000: "not JSON: out of limits; expected",
    "9" * 100_000: "not JSON: out of limits; expected",
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
    """A body is an object with scoring_job_id; other members are ignored."""
    assert message.parse_request('{"scoring_job_id": "job-1", "more": [1]}').scoring_job_id == "job-1"


@pytest.mark.parametrize(("body", "reason"), WRONG.items(), ids=[body[:30] for body in WRONG])
def test_an_invalid_body_is_rejected_with_the_reason(body: str, reason: str) -> None:
    """A body that names no job is rejected with the reason, which does not quote the body."""
    with pytest.raises(InvalidMessage, match=reason) as caught:
        message.parse_request(body)
    assert "secret" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=500))
def test_every_printable_id_is_accepted(job_id: str) -> None:
    """An id of printable characters of any script is returned unchanged."""
    assert message.parse_request(json.dumps({"scoring_job_id": job_id})).scoring_job_id == job_id


@given(st.text())
def test_any_body_is_parsed_or_rejected(body: str) -> None:
    """Any text is either parsed or raises `InvalidMessage`."""
    with contextlib.suppress(InvalidMessage):
        assert message.parse_request(body).scoring_job_id


def test_a_response_is_exactly_the_id_of_the_result() -> None:
    """The body of a response has one member."""
    assert json.loads(message.create_response_body("result-1")) == {"score_result_id": "result-1"}
