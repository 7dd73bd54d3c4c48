"""Fetching pinned inputs: what arrives is what the lock says, and all that does not arrive is said."""

import contextlib
import errno
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import meter
import pytest
from pins import InputProblem
from workspace import workspace

import inputs
from tests.unit.nix.world import PACKAGES, World, pool

ROOT = Path(__file__).resolve().parents[3]
ALL = [*PACKAGES, "tiny"]


def test_a_second_fetch_asks_nobody(world: World) -> None:
    """Everything arrives in the cache by apt's and pip's ways, once."""
    inputs.fetch()
    assert world.cached == ALL
    assert sorted(world.asked) == ["/" + pool(name) for name in PACKAGES]
    inputs.fetch()
    assert len(world.asked) == len(PACKAGES)


def test_an_altered_file_is_fetched_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A cached file that somebody changed, by size or by content alone, is said and replaced."""
    inputs.fetch()
    (path,) = (world.folder / "cache" / "inputs").glob("beta-*")
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"X")
    inputs.fetch()
    assert path.read_bytes() == good
    assert "beta 1.0: expected sha256:" in capsys.readouterr().err


def test_wrong_bytes_are_refused_with_both_hashes(world: World) -> None:
    """What a mirror has under a pinned path with other content never enters the cache."""
    world.served["/" + pool("beta")] = world.served["/" + pool("beta")].replace(b"b", b"B")
    with pytest.raises(InputProblem, match=r"beta 1\.0: .*expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}"):
        inputs.fetch()
    assert world.cached == ["alpha", "gamma", "tiny"]


def test_a_truncated_answer_is_not_taken(world: World) -> None:
    """An answer that ends early leaves nothing in the cache, and is named."""
    world.truncated = True
    with pytest.raises(InputProblem, match="3 of the pinned inputs cannot be had"):
        inputs.fetch()
    assert world.cached == ["tiny"]


def test_a_mirror_that_is_no_address_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEBIAN_MIRROR without a scheme is a reason beside each package, not a traceback."""
    monkeypatch.setenv("DEBIAN_MIRROR", "mirror.test/debian")
    with pytest.raises(InputProblem, match=r"alpha 1\.0: no configured mirror has .*: unknown url type"):
        inputs.fetch()


def test_an_answer_that_is_not_http_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where something else answers is a reason too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DEBIAN_MIRROR", f"http://127.0.0.1:{server.getsockname()[1]}/")
        threading.Thread(target=answer_oddly, args=(server,), daemon=True).start()
        with pytest.raises(InputProblem, match="3 of the pinned inputs cannot be had"):
            inputs.fetch()


def answer_oddly(server: socket.socket) -> None:
    """Greet each caller as a mail server does."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            client.sendall(b"220 mail.test ready\r\n")
            client.close()


def test_all_that_is_missing_is_said_at_once_with_every_way(world: World) -> None:
    """One error lists each missing input with its reason, what was tried, and what else can be done."""
    for name in ("alpha", "gamma"):
        del world.served["/" + pool(name)]
    shutil.rmtree(world.folder / "wheels")
    (world.folder / "wheels").mkdir()
    with pytest.raises(InputProblem) as caught:
        inputs.fetch()
    said = str(caught.value)
    assert said.startswith("3 of the pinned inputs")
    assert all(f"\n  {name} 1.0: " in said for name in ("alpha", "gamma", "tiny"))
    assert "HTTP 404" in said
    assert all(way in said for way in ("the cache", "DEBIAN_MIRROR", "pip's index", "ARCHIVE=FOLDER"))


def test_a_folder_is_asked_before_the_network(world: World, tmp_path: Path) -> None:
    """Files of a given folder are taken by their content, whatever they are called."""
    given = tmp_path / "given" / "deep"
    given.mkdir(parents=True)
    for number, name in enumerate(PACKAGES):
        (given / f"file-{number}").write_bytes(world.served["/" + pool(name)])
    inputs.fetch(folders=[tmp_path / "given"])
    assert (world.cached, world.asked) == (ALL, [])
    assert len(list(given.iterdir())) == len(PACKAGES)


def test_an_archive_that_is_not_there_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARCHIVE naming no folder is an error before anything is fetched."""
    monkeypatch.setenv("ARCHIVE", str(world.folder / "nowhere"))
    with pytest.raises(InputProblem, match=r"ARCHIVE names no folder: .*nowhere"):
        inputs.fetch()


def test_two_fetches_at_once_fetch_once(world: World) -> None:
    """The second waits for the first and finds everything there."""
    with ThreadPoolExecutor(2) as pool_:
        list(pool_.map(lambda _: inputs.fetch(), range(2)))
    assert len(world.asked) == len(PACKAGES)


def test_what_a_killed_fetch_left_is_used_and_swept(world: World) -> None:
    """A whole file in the folder of a killed fetch is taken from there, a half one is not, and the folder goes."""
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
def test_a_fetch_that_is_stopped_leaves_nothing_half(world: World, number: signal.Signals) -> None:
    """After kill -9 or Ctrl-C in the middle the cache holds whole inputs only, and the next fetch completes it."""
    big = os.urandom(1 << 16) * 256
    world.served["/" + pool("beta")] = big
    code = (
        "import signal, sys, pins; from pathlib import Path; import inputs; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"pins.LOCKS = Path({str(world.folder / 'locks')!r}); sys.exit(inputs.main(['fetch', 'image']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "nix")}
    running = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    while not world.asked:
        time.sleep(0.005)
    running.send_signal(number)
    _, said = running.communicate(timeout=120)
    assert "Traceback" not in said
    assert "beta" not in world.cached
    world.served["/" + pool("beta")] = b"the package beta" * 1000
    inputs.fetch()
    assert world.cached == ALL


def test_too_small_a_disk_is_said_before_anything_is_fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What will not fit is not begun: the error says how much is free, how much is expected, and how to get it."""
    usage = shutil.disk_usage(world.folder)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputProblem, match=r"0 MB left on its disk, expected .* SCORE_PROCESSOR_CACHE"):
        inputs.fetch()
    assert world.asked == []


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "a cache that you can write to")],
)
def test_an_error_of_the_file_system_says_what_to_do(number: int, said: str) -> None:
    """A full disk and a folder that is somebody else's end in one line each."""
    text = inputs.told(OSError(number, os.strerror(number), "/somewhere"))
    assert text.startswith("/somewhere: ")
    assert said in text


@pytest.mark.parametrize("words", [["fetch", "nothing"], ["root", "nothing"]])
def test_an_unknown_group_is_one_line(words: list[str], world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A group that does not exist is refused with those that do."""
    assert inputs.main(words) == 1
    assert "known: image, local-aws, nix" in capsys.readouterr().err


def test_the_bar_tells_what_is_left() -> None:
    """Half of what is to come after ten seconds leaves ten more."""
    assert meter.bar(50_000_000, 100_000_000) == "[###############...............]"
    assert meter.told(50_000_000, 100_000_000, 10.0) == "50 of 100 MB, 10 s left"


def test_no_bar_is_drawn_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log gets a line now and then, and neither a bar nor what moves a cursor."""
    monkeypatch.setattr(meter, "LINE_S", 0.01)
    log, told = io.StringIO(), threading.Event()

    def arrived() -> int:
        if log.getvalue().count("\n") >= 2:
            told.set()
        return 1_000_000

    with meter.meter(2_000_000, arrived, log):
        assert told.wait(60)
    lines = log.getvalue().splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("   1 of 2 MB, ") and line.endswith(" s left") for line in lines)
