"""Fetching pinned inputs: only verified files enter the cache, and everything that is missing is reported."""

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nix import inputs
from nix.cache import input_cache
from nix.cache.workspace import workspace
from nix.clients import progress
from nix.pins import InputProblem
from tests.integration.nix.world import LIMIT_S, PACKAGES, World, add_wheel, pool, wait_until

ROOT = Path(__file__).resolve().parents[3]
ALL = list(PACKAGES)


def test_a_second_fetch_sends_no_request(world: World) -> None:
    """A fetch downloads each input once, by HTTP or pip, and a second one finds all of them in the cache."""
    add_wheel(world)
    inputs.fetch()
    assert world.cached == [*ALL, "tiny"]
    assert sorted(world.asked) == ["/" + pool(name) for name in PACKAGES]
    inputs.fetch()
    assert (len(world.asked), len(world.probed)) == (len(PACKAGES), len(PACKAGES))


def test_an_altered_file_is_fetched_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A cached file whose content changed is reported and replaced."""
    inputs.fetch()
    (path,) = (world.folder / "cache" / "inputs").glob("beta-*")
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"X")
    inputs.fetch()
    assert path.read_bytes() == good
    assert "beta 1.0: expected sha256:" in capsys.readouterr().err


def test_wrong_bytes_are_refused_with_both_hashes(world: World) -> None:
    """A file with the pinned path and size but other content never enters the cache."""
    world.served["/" + pool("beta")] = world.served["/" + pool("beta")].replace(b"b", b"B")
    with pytest.raises(InputProblem, match=r"beta 1\.0: expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}"):
        inputs.fetch()
    assert world.cached == ["alpha", "gamma"]


def test_a_truncated_answer_is_not_stored(world: World) -> None:
    """An answer that ends early is asked for again, leaves nothing in the cache, and is reported."""
    world.truncated = {"/" + pool("beta")}
    with pytest.raises(InputProblem, match=r"cannot fetch 1 of 3 inputs(?s:.*)the answer was truncated"):
        inputs.fetch()
    assert world.cached == ["alpha", "gamma"]
    assert world.asked.count("/" + pool("beta")) == 2


def test_a_mirror_that_is_no_address_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEBIAN_MIRROR without a scheme is a reason in the report, not a traceback."""
    monkeypatch.setenv("DEBIAN_MIRROR", "mirror.test/debian")
    with pytest.raises(InputProblem, match=r"Debian mirrors that DEBIAN_MIRROR= names: .*unknown url type"):
        inputs.fetch()


def test_an_answer_that_is_not_http_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where another protocol answers is a reason too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DEBIAN_MIRROR", f"http://127.0.0.1:{server.getsockname()[1]}/")
        threading.Thread(target=answer_oddly, args=(server,), daemon=True).start()
        with pytest.raises(InputProblem, match=r"220 mail\.test ready"):
            inputs.fetch()


def answer_oddly(server: socket.socket) -> None:
    """Greet each caller as a mail server does."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            client.sendall(b"220 mail.test ready\r\n")
            client.close()


def test_a_folder_is_read_before_the_network(world: World, tmp_path: Path) -> None:
    """Files of a named folder are recognised by content, whatever they are called."""
    settings = tmp_path / "given" / "deep"
    settings.mkdir(parents=True)
    for number, name in enumerate(PACKAGES):
        (settings / f"file-{number}").write_bytes(world.served["/" + pool(name)])
    inputs.fetch(folders=[tmp_path / "given"])
    assert (world.cached, world.asked) == (ALL, [])
    assert len(list(settings.iterdir())) == len(PACKAGES)


def test_a_missing_archive_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ARCHIVE that does not exist is an error before anything is fetched."""
    monkeypatch.setenv("ARCHIVE", str(world.folder / "nowhere"))
    with pytest.raises(InputProblem, match=r"ARCHIVE: no such folder or file: .*nowhere"):
        inputs.fetch()


def test_two_fetches_at_once_fetch_once(world: World) -> None:
    """The second fetch waits for the first and finds everything in the cache."""
    with ThreadPoolExecutor(2) as pool_:
        list(pool_.map(lambda _: inputs.fetch(), range(2)))
    assert len(world.asked) == len(PACKAGES)


def test_leftovers_of_a_killed_fetch_are_used_and_removed(world: World) -> None:
    """A complete file in the folder of a killed fetch is used, a partial one is not, and the folder is removed."""
    left = world.folder / "cache" / "work" / "score-processor-killed"
    left.mkdir(parents=True)
    (left / "whole").write_bytes(world.served["/" + pool("alpha")])
    (left / "half").write_bytes(world.served["/" + pool("beta")][:100])
    inputs.fetch()
    assert sorted(world.asked) == ["/" + pool(name) for name in ("beta", "gamma")]
    inputs.fetch()
    with workspace():
        assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_fetch_leaves_no_partial_input(world: World, number: signal.Signals) -> None:
    """After SIGKILL or Ctrl-C the cache holds complete inputs only, and the next fetch adds the others."""
    path = "/" + pool("beta")
    world.halted = {path}
    code = (
        "import signal, sys; from pathlib import Path; from nix import inputs, pins; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"pins.LOCKS = Path({str(world.folder / 'locks')!r}); sys.exit(inputs.main(['fetch', 'image']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: path in world.asked or running.poll() is not None)
    running.send_signal(number)
    world.resume.set()
    _, printed = running.communicate(timeout=LIMIT_S)
    assert "Traceback" not in printed
    for cached in (world.folder / "cache/inputs").iterdir():
        assert input_cache.hash_file(cached).startswith(cached.stem.rpartition("-")[2])
    world.halted.clear()
    inputs.fetch()
    assert world.cached == ALL


def test_too_small_a_disk_is_reported_before_anything_is_fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error states the free and the expected space and how to get it; no request was sent."""
    usage = shutil.disk_usage(world.folder)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputProblem, match=r"got 0 MB of free disk space, expected (?s:.*)SCORE_PROCESSOR_CACHE"):
        inputs.fetch()
    assert world.probed == []


@pytest.mark.parametrize("words", [["fetch", "nothing"], ["root", "nothing"]])
def test_an_unknown_group_is_refused(words: list[str], world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The error for an unknown group lists the known ones."""
    assert inputs.main(words) == 1
    assert "known: image, local-aws, nix" in capsys.readouterr().err


def test_the_bar_shows_the_time_left() -> None:
    """Half of the bytes after ten seconds leave ten seconds."""
    assert progress.draw_bar(50_000_000, 100_000_000) == "[###############...............]"
    assert progress.describe(50_000_000, 100_000_000, 10.0) == "50 of 100 MB, 10 s left"


@pytest.mark.parametrize(("done", "seconds"), [(0, 30.0), (1_000_000, 60.0), (50_000_000, 0.5)])
def test_no_time_is_estimated_from_too_little(done: int, seconds: float) -> None:
    """Before a twentieth of the bytes and three seconds there is no estimate."""
    assert progress.describe(done, 100_000_000, seconds) == f"{done / 1e6:.0f} of 100 MB"


def test_a_log_gets_lines_instead_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the progress is a line now and then, without control characters."""
    monkeypatch.setattr(progress, "LINE_S", 0.01)
    log, written = io.StringIO(), threading.Event()

    def count_arrived() -> int:
        if log.getvalue().count("\n") >= 2:
            written.set()
        return 1_000_000

    with progress.show_progress(2_000_000, count_arrived, log):
        assert written.wait(LIMIT_S)
    lines = log.getvalue().splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("   1 of 2 MB") and line.isprintable() for line in lines)
