"""How every command of `nix` ends, and what it leaves behind in the process that called it."""

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import pytest

from nix.command import command, describe_os_error

NIX = Path(__file__).resolve().parents[3] / "nix"
WORDS: dict[str, Sequence[str]] = {
    "build": (),
    "cache_command": ("show",),
    "environments": ("site", "local-aws"),
    "archive_inputs": ("archive",),
    "publish_inputs": ("releases",),
    "inputs": ("root", "image"),
    "locking": ("--lock", "build"),
    "nix_build": ("--bundled",),
    "oci.lint.__main__": ("no/image",),
    "reproducible": (),
    "sbom": ("no/layout",),
    "vulnerabilities": (),
}
"""Every command of the package, with arguments that end early where there can be no cache."""


def commands() -> set[str]:
    """Return the modules below nix/ that are started with `python3 -m`, less those that run inside other Pythons."""
    started = [path.relative_to(NIX) for path in NIX.rglob("*.py") if '__name__ == "__main__"' in path.read_text()]
    elsewhere = [Path("oci/__main__.py"), Path("compile_bytecode.py")]
    return {".".join(path.with_suffix("").parts) for path in started if path not in elsewhere}


def test_every_command_is_tried_here() -> None:
    """The table above has every module that is a command."""
    assert set(WORDS) == commands()


@pytest.mark.parametrize(("name", "words"), WORDS.items(), ids=list(WORDS))
def test_a_command_restores_its_callers_signal_handlers(
    name: str, words: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that calls a command's main() still ends at SIGTERM and Ctrl-C as it did before."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", "/dev/null/cache")
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    importlib.import_module(f"nix.{name}").main(list(words))
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_sigterm_ends_a_command_after_its_cleanup() -> None:
    """SIGTERM raises SystemExit(143) inside the command, and the caller's handler comes back."""
    cleaned = []

    @command("sample")
    def main(_: Sequence[str] | None = None) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    def outer(number: int, _: FrameType | None) -> None:
        raise AssertionError(f"the caller's handler ran for {number}")

    before = signal.signal(signal.SIGTERM, outer)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
        assert signal.getsignal(signal.SIGTERM) is outer
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ended.value.code, cleaned) == (143, [True])


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        (ValueError("no lock"), 1, "sample: no lock\nnothing changed\n"),
        (OSError(errno.EIO, "Input/output error", "/disk"), 1, "sample: /disk: Input/output error\nnothing changed\n"),
        (KeyboardInterrupt(), 130, "sample: interrupted; run it again\n"),
    ],
    ids=["expected", "file system", "Ctrl-C"],
)
def test_an_error_becomes_a_message_and_a_status(
    error: BaseException, status: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expected errors, errors of the file system and Ctrl-C are printed without a traceback."""

    @command("sample", ValueError, interrupted="run it again", failed="nothing changed")
    def main(_: Sequence[str] | None = None) -> int:
        raise error

    assert main() == status
    assert capsys.readouterr().err == printed


def test_any_other_error_keeps_its_traceback() -> None:
    """An exception that the command does not expect is a bug and is raised."""

    @command("sample", ValueError)
    def main(_: Sequence[str] | None = None) -> int:
        raise LookupError("bug")

    with pytest.raises(LookupError, match="bug"):
        main()


@pytest.mark.parametrize(
    ("number", "path", "expected"),
    [
        (errno.ENOSPC, "/somewhere", "the disk is full\nnext: make cache-prune"),
        (errno.EFBIG, "/somewhere", "File too large\nnext: ulimit -f unlimited, or "),
        (errno.EACCES, "/somewhere", "next: if this is the cache, set"),
        (errno.EROFS, str(NIX.parent / "build"), "this checkout cannot be written\nnext: git clone it to a folder"),
    ],
)
def test_an_error_of_the_file_system_names_the_next_step(number: int, path: str, expected: str) -> None:
    """A full disk, a limit of file sizes, an unwritable folder and checkout name the path and the way out."""
    text = describe_os_error(OSError(number, os.strerror(number), path))
    assert text.startswith(f"{path}: ")
    assert expected in text


def test_a_limit_that_another_program_met_has_the_same_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """A message of the assembler's or pip's that a file is too large is followed by the way out."""

    @command("sample", ValueError)
    def main(_: Sequence[str] | None = None) -> int:
        raise ValueError(f"layer small: /cache/x: {os.strerror(errno.EFBIG)}")

    assert main() == 1
    assert "next: ulimit -f unlimited, or " in capsys.readouterr().err


def test_standard_output_is_the_callers_again() -> None:
    """A command replaces `sys.stdout` only while it runs."""
    before = sys.stdout
    assert command("sample")(lambda _: 0)() == 0
    assert sys.stdout is before
