"""Runs of commands with their time and memory, and the table that bench/image.py prints."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KILOBYTE = 1024  # the unit of ru_maxrss on Linux


@dataclass(frozen=True)
class Run:
    """A finished command: seconds, processor seconds, peak memory of its largest process in bytes, standard output."""

    seconds: float
    processor: float
    memory: int
    output: str = ""

    def __add__(self, other: "Run") -> "Run":
        spent = self.processor + other.processor
        return Run(self.seconds + other.seconds, spent, max(self.memory, other.memory), other.output)


@dataclass(frozen=True)
class Row:
    """A row of the table: the runs of each tool, and the bytes that our push and buildah's sent."""

    what: str
    ours: Run
    buildah: Run | None = None
    skopeo: Run | None = None
    sent: tuple[int, int | None] | None = None


def measure_command(
    *words: str | Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Run:
    """Run a command to its end; raise SystemExit with its output if it fails."""
    line = [str(word) for word in words]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as problems:
        began = time.monotonic()
        process = subprocess.Popen(line, stdout=out, stderr=problems, env=environment, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        problems.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(line[:4])} …: {problems.read()[-2000:] or out.read()[-2000:]}")
        return Run(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KILOBYTE, out.read())


def say(text: str) -> None:
    """Print a line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def command(*words: str | Path) -> None:
    """Run a command as `measure_command` does, and discard its figures."""
    measure_command(*words)


def pushed_bytes(layout: Path) -> dict[str, int]:
    """Return the size in bytes of each blob of a layout's image but the manifest, by digest."""
    digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_bytes())
    return {part["digest"]: part["size"] for part in [manifest["config"], *manifest["layers"]]}


HEAD = (
    "| what | ours | buildah | ratio | skopeo | ratio | processor, ours / buildah | sent, ours / buildah "
    "| biggest process, ours / buildah |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """Format a row in Markdown; a ratio is another tool's time by ours: above 1, ours is quicker."""
    cells = [row.what, f"{row.ours.seconds:.2f} s"]
    for peer in (row.buildah, row.skopeo):
        cells += [f"{peer.seconds:.2f} s", f"{peer.seconds / row.ours.seconds:.1f}"] if peer else ["-", "-"]
    both = [one for one in (row.ours, row.buildah) if one]
    cells.append(" / ".join(f"{one.processor:.2f} s" for one in both))
    cells.append(" / ".join(size(one) for one in row.sent) if row.sent else "-")
    cells.append(" / ".join(size(one.memory) for one in both))
    return f"| {' | '.join(cells)} |"


def size(count: int | None) -> str:
    """Format a size in bytes as kB or MB (powers of ten); `-` for None."""
    if count is None:
        return "-"
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.0f} kB"
