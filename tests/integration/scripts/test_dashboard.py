"""The dashboard's server and page, without AWS."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.aws.stage import load_stage
from scripts.console.errors import Refused
from scripts.dashboard import hygiene, jobs, page, server
from scripts.dashboard.board import Board, Source
from scripts.dashboard.connection import Connection, ReadOnly
from scripts.dashboard.panels import PLAN
from scripts.dashboard.values import STATES, FailedJob, Jobs, Panel, Queue, Queues, Shadow
from scripts.jobs.shadow_reports import ShadowReport

MARKUP = "<script>alert(1)</script>"
VALUES: dict[str, Any] = {
    "queues": Queues((Queue("q", "requests", visible=3),)),
    "jobs": Jobs(dict.fromkeys(STATES, 1), 0, 4, True, failed=(FailedJob("job-1", MARKUP, "2026-01-01T00:00:00Z", 2),)),
}


class Readings:
    """Readers of every panel that count their calls; a reader without a value raises."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 1000.0

    def board(self) -> Board:
        """Return a board of these readers, with a clock of its own."""
        sources = [Source(name, title, self._reader(name), 5) for name, title, *_ in PLAN]
        return Board(Connection(load_stage("local"), "http://127.0.0.1:1"), sources, lambda: self.now)

    def _reader(self, name: str) -> Any:
        def read(_: ReadOnly) -> Any:
            self.count += 1
            if name not in VALUES:
                raise Refused(f"may not read {name}", "ask for the permission")
            return VALUES[name]

        return read


@pytest.fixture
def readings() -> Readings:
    """Return new readers."""
    return Readings()


@pytest.fixture
def address(readings: Readings) -> Iterator[int]:
    """Yield the port of a running server."""
    server_, ended = server.listen(readings.board()), threading.Event()
    thread = threading.Thread(target=server.serve, args=(server_, ended))
    thread.start()
    yield server_.port
    ended.set()
    thread.join()


def ask(port: int, path: str = "/", method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, str]:
    """Send a request; return the response and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_a_panel_that_fails_says_why_and_holds_up_no_other(address: int) -> None:
    """A panel that fails shows its problem and remedy, and the other panels their values."""
    answer, body = ask(address)
    assert answer.status == 200
    assert body.count("may not read") == len(PLAN) - len(VALUES)
    assert "ask for the permission" in body
    assert "7 of 9 panels could not be read" in body


@pytest.mark.parametrize(
    ("record", "lapsed"),
    [
        ({"leaseUntil": {"N": "999"}}, True),
        ({"leaseUntil": {"N": "1001"}}, False),
        ({"leaseUntil": {"N": "999"}, "startedAt": {"S": "1970-01-01T00:16:30Z"}}, True),
        ({"startedAt": {"S": "1970-01-01T00:16:30Z"}}, False),
        ({"startedAt": {"S": "1970-01-01T00:11:30Z"}}, True),
        ({}, True),
    ],
)
def test_a_job_of_the_original_lapses_with_its_functions_timeout(record: dict[str, Any], lapsed: bool) -> None:
    """A job without a lease is one of the original's, which may run for 300 s after its start; here it is 1000 s."""
    assert jobs.is_lapsed(record, 1000.0) is lapsed


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Shadow((), True), "No shadow run yet: make shadow"),
        (Shadow((), False), "no table for shadow runs: make infra-deploy"),
        (Shadow((ShadowReport("2026-01-01T00:00:00Z", "me", "3", 1.0, (), None, None),), True), "unknown"),
    ],
)
def test_a_stage_without_shadow_runs_has_a_panel(value: Shadow, words: str) -> None:
    """Without a report the panel names the command that makes one, and without durations they are unknown."""
    assert words in page.render_fragment(Panel("shadow", "Shadow runs", value), 0.0)


def test_words_from_outside_are_escaped(address: int) -> None:
    """Error messages are escaped."""
    _, body = ask(address)
    assert MARKUP not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_readings_are_answered(address: int, method: str) -> None:
    """Methods other than GET and HEAD get 405 with an Allow header."""
    answer, _ = ask(address, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_foreign_name_or_page_is_not_answered(address: int, headers: dict[str, str]) -> None:
    """Requests with another Host or Origin are rejected."""
    answer, body = ask(address, "/snapshot.json", **headers)
    assert answer.status == 421
    assert "job-1" not in body


def test_the_page_may_fetch_from_itself_only(address: int) -> None:
    """The content security policy allows only the page's own files, and forbids framing."""
    answer, body = ask(address)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in body
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_two_pages_read_no_more_than_one(address: int, readings: Readings) -> None:
    """Two pages share a reading within the panel's interval; after it the panel is read once."""
    for _ in range(5):
        ask(address)
        ask(address, "/panels")
    assert readings.count == len(PLAN)
    readings.now += 6
    ask(address)
    ask(address)
    assert readings.count == 2 * len(PLAN)


def test_the_snapshot_is_json(address: int) -> None:
    """The JSON snapshot has each panel's value or problem."""
    _, body = ask(address, "/snapshot.json")
    panels = json.loads(body)["panels"]
    assert panels["queues"]["value"]["queues"][0]["visible"] == 3
    assert panels["latency"]["problem"] == "may not read latency"


def test_head_has_no_body_and_unknown_paths_are_told(address: int) -> None:
    """HEAD returns the length without a body, and an unknown path gets 404 with the page's address."""
    answer, body = ask(address, method="HEAD")
    assert (answer.status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 1000
    assert ask(address, "/../../etc/passwd")[0].status == 404


def test_a_static_page_stands_alone(readings: Readings) -> None:
    """A static page includes its style sheet, and has no script and no external reference."""
    text = page.render_page(readings.board().take_snapshot(), 1800.0, static=True)
    assert "<script" not in text
    assert 'href="/' not in text
    assert "may not read latency" in text


def test_a_call_that_changes_something_is_refused_before_it_is_sent() -> None:
    """The client rejects an operation that is not on the allowlist before it is sent."""
    aws = ReadOnly(load_stage("local"), "http://127.0.0.1:1")
    with pytest.raises(Refused, match="the dashboard is read-only"):
        aws.client("sqs").purge_queue(QueueUrl="http://127.0.0.1:1/q")
    with pytest.raises(Refused, match="the dashboard is read-only"):
        aws.client("sqs").receive_message(QueueUrl="http://127.0.0.1:1/requests")
    assert aws.calls == {}


def test_a_record_of_other_types_hides_no_job() -> None:
    """A lease or a count of an unexpected type counts as 0, and the panel shows all jobs."""
    odd = {"id": {"S": "odd"}, "attempts": {"N": "1.5"}, "leaseUntil": {"S": "soon"}, "errorMessage": {"NULL": True}}
    assert (jobs.parse_failed_job(odd).id, jobs.parse_failed_job(odd).attempts) == ("odd", 1)
    assert jobs.read_number(odd, "leaseUntil") == jobs.read_number(odd, "absent") == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("two\nlines\tof  words", "two lines of words"),
        ("key AKIAABCDEFGHIJKLMNOP", "key [secret]"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: [secret]"),
        ("password=hunter2 x", "password=[secret] x"),
        ("a" * 300, "a" * 254 + "…"),
    ],
)
def test_words_are_short_and_hold_no_secret(text: str, wanted: str) -> None:
    """Untrusted text becomes one line of at most 255 characters, with secrets redacted."""
    assert hygiene.sanitize(text) == wanted
