"""The dashboard of a real stage: its values, its calls, and the page in a browser."""

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

from scripts import status
from scripts.aws import event_source
from scripts.dashboard import server
from scripts.dashboard.board import Board
from scripts.dashboard.connection import ALLOWED, Connection
from scripts.dashboard.panels import CALLS, create_board
from tests.e2e import busy
from tests.e2e.chromium import Page, browser
from tests.e2e.conftest import ROOT
from tests.e2e.staged import Staged, start_staged


@dataclass(frozen=True)
class Shown:
    """A busy stage and its dashboard."""

    stage: Staged
    board: Board
    connection: Connection
    address: str


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Yield a busy stage and its dashboard."""
    with start_staged("dashboard", tmp_path_factory.mktemp("dashboard")) as deployment:
        event_source.switch_event_source(deployment.aws, enabled=False)
        busy.fill(deployment.aws)
        connection = Connection(deployment.aws.stage, deployment.aws.endpoint)
        panels = create_board(connection)
        server_, ended = server.listen(panels), threading.Event()
        thread = threading.Thread(target=server.serve, args=(server_, ended))
        thread.start()
        yield Shown(deployment, panels, connection, server_.address)
        ended.set()
        thread.join()


def test_its_numbers_are_those_of_the_stage(shown: Shown) -> None:
    """The dashboard's values equal `status` and the written records."""
    panels = shown.board.take_snapshot(60).panels
    assert {panel.name: panel.problem for panel in panels.values() if panel.problem} == {}
    depths = {queue.name: queue.depth for queue in panels["queues"].value.queues}
    assert status.read_status(shown.stage.aws).queues.items() <= depths.items()
    jobs = panels["jobs"].value
    assert jobs.states == {"PENDING": 37, "IN_PROGRESS": 14, "COMPLETED": 912, "FAILED": 41}
    assert jobs.lapsed == 2
    assert panels["results"].value.total == 340
    assert [result.id for result in panels["results"].value.newest][:2] == ["result-00000", "result-00001"]
    assert panels["letters"].value.depth == 137
    assert panels["deploys"].value.entries[0].version == "12"
    assert panels["latency"].value.count > 1000
    (score, other), earlier = panels["shadow"].value.reports[0].scores, panels["shadow"].value.reports[1]
    assert (score.share, other.share, len(earlier.scores)) == (1.0, 219 / 240, 1)
    assert [entry.action for entry in panels["deploys"].value.entries if "shadow" in entry.action] == []


def test_a_reading_makes_a_bounded_number_of_calls_and_none_that_acts(shown: Shown) -> None:
    """A reading makes at most the planned number of calls, and hides no message."""
    shown.connection.calls.clear()
    fresh = create_board(shown.connection)
    fresh.take_snapshot(60)
    assert 0 < sum(shown.connection.calls.values()) <= sum(CALLS.values())
    allowed = {f"{service}:{operation}" for service, names in ALLOWED.items() for operation in names}
    assert set(shown.connection.calls) <= allowed
    queue = next(one for one in fresh.take_snapshot(60).panels["queues"].value.queues if one.role == "requests")
    assert (queue.visible, queue.in_flight) == (4, 0)


def test_no_text_and_no_secret_is_shown(shown: Shown) -> None:
    """Neither the page nor its JSON has an item's text or a secret."""
    shown.board.take_snapshot(60)  # a page does not wait as long for the values
    for path in ("", "panels", "snapshot.json"):
        output = httpx.get(shown.address + path, timeout=120, trust_env=False).text
        assert "failed-0000" in output
        assert busy.TEXT not in output
        assert busy.SECRET not in output


@pytest.fixture(scope="module")
def seen(shown: Shown) -> Iterator[Page]:
    """Yield a browser."""
    with browser() as chromium:
        chromium.look(1400)
        chromium.open(shown.address)
        yield chromium


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_wide_and_narrow(seen: Page, shown: Shown, tmp_path: Path, width: int, dark: bool) -> None:
    """The page has no horizontal overflow and no console errors, wide and narrow."""
    seen.look(width, dark=dark)
    seen.open(shown.address)
    seen.wait("document.body.innerText.includes('912')")
    assert seen.run("document.documentElement.scrollWidth <= innerWidth")
    seen.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 50_000
    assert seen.complaints == []


def test_the_page_refreshes_by_itself_and_keeps_what_is_open(seen: Page, shown: Shown) -> None:
    """The page refreshes itself, and keeps open details and the focus."""
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
    """`dashboard` exits with 0 on Ctrl-C, and an open page marks its values as old."""
    endpoint = str(shown.stage.aws.endpoint)
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", "dashboard", "--endpoint-url", endpoint],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    seen.open(process.stdout.readline().strip())
    seen.wait("document.body.innerText.includes('912')")
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0
    process.stdout.close()
    seen.wait("!document.getElementById('stale').hidden")
    assert "Start it again: make dashboard" in seen.run("document.getElementById('stale').textContent")
    assert "912" in seen.run("document.body.innerText")
