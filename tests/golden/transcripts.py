"""Transcripts of commands in files; `make golden` regenerates them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\b(?=[a-f0-9]*[0-9])[0-9a-f]{12}\b(?!\.dkr)"), "<short digest>"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "<port>"),
    (re.compile(r"\d+(\.\d+)? [kMG]B\b"), "<size>"),
    (re.compile(r"\b\d{3,} of \d{3,} blobs"), "<count> of <count> blobs"),  # of the pinned inputs
    (re.compile(r"\b\d+\.\d+ s\b"), "<seconds> s"),
)
"""What differs from run to run and from machine to machine, in the order in which it is replaced."""


def normalise(text: str, names: Mapping[str, str]) -> str:
    """Replace known values by their names (longest first), and varying values by placeholders."""
    for value in sorted(names, key=len, reverse=True):
        text = text.replace(value, f"<{names[value]}>")
    for pattern, placeholder in VOLATILE:
        text = pattern.sub(placeholder, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@dataclass(frozen=True)
class Golden:
    """The transcripts; with `renew` they are overwritten with the current output."""

    renew: bool = False
    folder: Path = FOLDER

    def check(self, name: str, text: str) -> None:
        """Fail with a diff unless the transcript `name` equals this text."""
        path = self.folder / f"{name}.txt"
        if self.renew:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        kept = path.read_text(encoding="utf-8") if path.is_file() else ""
        lines = difflib.unified_diff(
            kept.splitlines(), text.splitlines(), f"kept: {path.name}", "printed now", lineterm=""
        )
        assert kept == text, "\n".join(("`make golden` keeps what is printed now, if it is right:", *lines))

    def check_names(self, part: str, names: Iterable[str]) -> None:
        """Fail unless a folder has exactly these transcripts."""
        left = {path.stem: path for path in (self.folder / part).glob("*.txt")}
        for name in set(left) - set(names) if self.renew else ():
            left.pop(name).unlink()
        assert set(left) == set(names), "`make golden` writes the missing ones and removes those of nothing"
