"""The dashboard over a real stage: its numbers, its calls, and the page in a real browser."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts import _scenario, status
from scripts.dashboard import server
from scripts.dashboard.board import Board
from scripts.dashboard.connection import ALLOWED, Connection
from scripts.dashboard.panels import CALLS, board
from tests.e2e import busy
from tests.e2e.chromium import Page, browser
from tests.e2e.conftest import ROOT
from tests.e2e.staged import Staged, staged


@dataclass(frozen=True)
class Shown:
    """A busy stage and its running page."""

    stage: Staged
    board: Board
    connection: Connection
    address: str


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A stage with much to show."""
    with staged("dashboard", tmp_path_factory.mktemp("dashboard")) as found:
        _scenario.switch_event_source(found.aws, enabled=False)
        busy.fill(found.aws)
        connection = Connection(found.aws.stage, found.aws.endpoint)
        panels = board(connection)
        made, ended = server.listen(panels), threading.Event()
        thread = threading.Thread(target=server.serve, args=(made, ended))
        thread.start()
        yield Shown(found, panels, connection, made.address)
        ended.set()
        thread.join()


def test_its_numbers_are_those_of_the_stage(shown: Shown) -> None:
    """Queues as `make status` counts them; jobs, results and deploys as they were written."""
    panels = shown.board.snapshot(60).panels
    assert {panel.name: panel.problem for panel in panels.values() if panel.problem} == {}
    depths = {queue.name: queue.depth for queue in panels["queues"].value.queues}
    assert status.status(shown.stage.aws).queues.items() <= depths.items()
    jobs = panels["jobs"].value
    assert jobs.states == {"PENDING": 37, "IN_PROGRESS": 14, "COMPLETED": 912, "FAILED": 41}
    assert jobs.lapsed == 2
    assert panels["results"].value.total == 340
    assert [result.id for result in panels["results"].value.newest][:2] == ["result-00000", "result-00001"]
    assert panels["letters"].value.depth == 137
    assert panels["deploys"].value.entries[0].version == "12"
    assert panels["latency"].value.count > 1000


def test_a_reading_makes_a_bounded_number_of_calls_and_none_that_acts(shown: Shown) -> None:
    """All panels together call no more often than planned, and looking hides no message."""
    shown.connection.calls.clear()
    fresh = board(shown.connection)
    fresh.snapshot(60)
    assert 0 < sum(shown.connection.calls.values()) <= sum(CALLS.values())
    allowed = {f"{service}:{operation}" for service, names in ALLOWED.items() for operation in names}
    assert set(shown.connection.calls) <= allowed
    queue = next(one for one in fresh.snapshot(60).panels["queues"].value.queues if one.role == "requests")
    assert (queue.visible, queue.in_flight) == (4, 0)


def test_no_text_and_no_secret_is_shown(shown: Shown) -> None:
    """Neither the page nor its JSON quotes an item's text or a key that an error held."""
    for path in ("", "panels", "snapshot.json"):
        said = httpx.get(shown.address + path, timeout=120).text
        assert "failed-0000" in said
        assert busy.TEXT not in said
        assert busy.SECRET not in said


@pytest.fixture(scope="module")
def seen(shown: Shown) -> Iterator[Page]:
    """The page in a browser."""
    with browser() as found:
        found.look(1400)
        found.open(shown.address)
        yield found


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_wide_and_narrow(seen: Page, shown: Shown, tmp_path: Path, width: int, dark: bool) -> None:
    """Nothing sticks out sideways, nothing is complained about, and a picture can be taken."""
    seen.look(width, dark=dark)
    seen.open(shown.address)
    seen.wait("document.body.innerText.includes('912')")
    assert seen.run("document.documentElement.scrollWidth <= innerWidth")
    seen.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 50_000
    assert seen.complaints == []


def test_the_page_refreshes_by_itself_and_keeps_what_is_open(seen: Page, shown: Shown) -> None:
    """A new message appears without a reload; an open table and the focus stay."""
    seen.look(1400)
    seen.open(shown.address)
    seen.wait("document.querySelector('#panel-latency details, #body-latency details') !== null")
    seen.run("document.querySelector('#body-latency details').open = true")
    seen.run("document.querySelector('#body-latency summary').focus()")
    before = seen.run("document.getElementById('updated').textContent")
    url = shown.stage.aws.queue_url(shown.stage.aws.stage.queues.request)
    shown.stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"scoring_job_id": "one-more"}))
    seen.wait(f"document.getElementById('updated').textContent !== '{before}'")
    seen.wait("/\\b5\\b/.test(document.getElementById('body-queues').innerText)")
    assert seen.run("document.querySelector('#body-latency details').open")
    assert seen.run("document.activeElement.tagName") == "SUMMARY"


def test_a_page_whose_server_ended_says_so(shown: Shown, seen: Page) -> None:
    """`make dashboard` prints its address and ends with 130 on Ctrl-C; an open page keeps its numbers, as old ones."""
    endpoint = str(shown.stage.aws.endpoint)
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.dashboard", "--endpoint-url", endpoint],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    seen.open(process.stdout.readline().strip())
    seen.wait("document.body.innerText.includes('912')")
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    process.stdout.close()
    seen.wait("!document.getElementById('stale').hidden")
    assert "Start it again: make dashboard" in seen.run("document.getElementById('stale').textContent")
    assert "912" in seen.run("document.body.innerText")
