"""The dashboard's server and page without AWS: who is answered, what is shown, what fails by itself."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from scripts._errors import Refused
from scripts._stage import load_stage
from scripts.dashboard import hygiene, jobs, page, server
from scripts.dashboard.board import Board, Source
from scripts.dashboard.connection import Connection, ReadOnly
from scripts.dashboard.panels import PLAN
from scripts.dashboard.values import STATES, FailedJob, Jobs, Queue, Queues

MARKUP = "<script>alert(1)</script>"
VALUES: dict[str, Any] = {
    "queues": Queues((Queue("q", "requests", visible=3),)),
    "jobs": Jobs(dict.fromkeys(STATES, 1), 0, 4, True, failed=(FailedJob("job-1", MARKUP, "2026-01-01T00:00:00Z", 2),)),
}


class Readings:
    """Readers of every panel that count themselves; those without a value fail."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 1000.0

    def board(self) -> Board:
        """A board of them, on a clock of their own."""
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
    """Fresh readers."""
    return Readings()


@pytest.fixture
def address(readings: Readings) -> Iterator[int]:
    """The port of a running page."""
    made, ended = server.listen(readings.board()), threading.Event()
    thread = threading.Thread(target=server.serve, args=(made, ended))
    thread.start()
    yield made.port
    ended.set()
    thread.join()


def ask(port: int, path: str = "/", method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, str]:
    """An answer and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_a_panel_that_fails_says_why_and_holds_up_no_other(address: int) -> None:
    """Panels with a value show it; the others say what could not be read and what to do."""
    answer, body = ask(address)
    assert answer.status == 200
    assert body.count("may not read") == len(PLAN) - len(VALUES)
    assert "ask for the permission" in body
    assert "6 of 8 panels could not be read" in body


def test_words_from_outside_are_escaped(address: int) -> None:
    """An error message is text, never markup."""
    _, body = ask(address)
    assert MARKUP not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_readings_are_answered(address: int, method: str) -> None:
    """Anything else is 405 and says what is allowed."""
    answer, _ = ask(address, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_foreign_name_or_page_is_not_answered(address: int, headers: dict[str, str]) -> None:
    """A name that was made to resolve here, or another page's script, reads nothing."""
    answer, body = ask(address, "/snapshot.json", **headers)
    assert answer.status == 421
    assert "job-1" not in body


def test_the_page_may_fetch_from_itself_only(address: int) -> None:
    """The policy forbids everything but the page's own files, and no other page may frame it."""
    answer, body = ask(address)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in body
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_two_pages_read_no_more_than_one(address: int, readings: Readings) -> None:
    """Within a panel's time every asker gets the same reading; after it, each panel is read once more."""
    for _ in range(5):
        ask(address)
        ask(address, "/panels")
    assert readings.count == len(PLAN)
    readings.now += 6
    ask(address)
    ask(address)
    assert readings.count == 2 * len(PLAN)


def test_the_snapshot_is_json(address: int) -> None:
    """For machines: the panels with values or problems."""
    _, body = ask(address, "/snapshot.json")
    panels = json.loads(body)["panels"]
    assert panels["queues"]["value"]["queues"][0]["visible"] == 3
    assert panels["latency"]["problem"] == "may not read latency"


def test_head_has_no_body_and_unknown_paths_are_told(address: int) -> None:
    """HEAD gives the length alone, and a wrong path names the right one."""
    answer, body = ask(address, method="HEAD")
    assert (answer.status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 1000
    assert ask(address, "/../../etc/passwd")[0].status == 404


def test_a_static_page_stands_alone(readings: Readings) -> None:
    """It holds its style, and neither script nor address."""
    text = page.page(readings.board().snapshot(), 1800.0, static=True)
    assert "<script" not in text
    assert 'href="/' not in text
    assert "may not read latency" in text


def test_a_call_that_changes_something_is_refused_before_it_is_sent() -> None:
    """Even by mistake the dashboard cannot act: the client itself refuses."""
    aws = ReadOnly(load_stage("local"), "http://127.0.0.1:1")
    with pytest.raises(Refused, match="it only looks"):
        aws.client("sqs").purge_queue(QueueUrl="http://127.0.0.1:1/q")
    with pytest.raises(Refused, match="it only looks"):
        aws.client("sqs").receive_message(QueueUrl="http://127.0.0.1:1/requests")
    assert aws.calls == {}


def test_a_record_of_other_types_hides_no_job() -> None:
    """A lease or a count that is no number is 0; the panel shows the job, and all the others."""
    odd = {"id": {"S": "odd"}, "attempts": {"N": "1.5"}, "leaseUntil": {"S": "soon"}, "errorMessage": {"NULL": True}}
    assert (jobs._failed(odd).id, jobs._failed(odd).attempts) == ("odd", 1)
    assert jobs._number(odd, "leaseUntil") == jobs._number(odd, "absent") == 0


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
    """One line, at most 255 characters, secrets taken out."""
    assert hygiene.shown(text) == wanted
