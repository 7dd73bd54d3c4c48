"""Files that are replaced whole, and those that must not be replaced."""

import os
import stat
import threading
from pathlib import Path

import pytest

from plexus.whole_file import whole_file


def write(path: Path, text: str) -> None:
    """Write a whole file."""
    with whole_file(path) as half:
        half.write_text(text)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The old content stays until the block has ended, and after an exception; nothing else is left behind."""
    path = tmp_path / "page.html"
    path.write_text("old")

    def broken() -> None:
        with whole_file(path) as half:
            half.write_text("half")
            assert path.read_text() == "old"
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        broken()
    assert path.read_text() == "old"
    write(path, "new")
    assert (path.read_text(), [one.name for one in tmp_path.iterdir()]) == ("new", ["page.html"])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a symbolic link names is replaced."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write(link, "new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")


def test_a_pipe_is_written_in_place(tmp_path: Path) -> None:
    """A reader of a FIFO gets the text, and the FIFO is not replaced."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    results: list[str] = []
    reader = threading.Thread(target=lambda: results.append(path.read_text()))
    reader.start()
    write(path, "text")
    reader.join(120)
    assert (results, stat.S_ISFIFO(path.stat().st_mode)) == (["text"], True)


def test_a_device_stays_a_device() -> None:
    """A full device is an error of the write, and is not replaced by a file."""
    with pytest.raises(OSError, match="No space left"):
        write(Path("/dev/full"), "text")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
