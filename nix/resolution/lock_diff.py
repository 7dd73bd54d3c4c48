"""Compare the pins of two texts of a lock, and format what moved as a table.

The layers of layers.lock are pins too; their version is the beginning of their digest.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nix.pins import DEB_LINE, WHEEL_LINE

PIN = re.compile(r"^([A-Za-z0-9._-]+(?:\[[^\]]*\])?)==(\S+)(?: ; ([^\\\n]*[^\\\s]))?[ \\]*$", re.M)
LAYER = re.compile(r"(\S+) (sha256:([0-9a-f]{12})[0-9a-f]{52}) (\d+)")
HASHES = re.compile(r"sha256:([0-9a-f]{64})")
KILOBYTE = 1000
LAYERS = "layers"


@dataclass(frozen=True)
class Pin:
    """A pinned package: `size` in bytes, None if the lock has none; `rest` is whatever else identifies it."""

    name: str
    version: str
    size: int | None
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Move:
    """A pin that differs between two locks; None on the side that has no such pin."""

    lock: str
    name: str
    old: Pin | None
    new: Pin | None

    @property
    def delta(self) -> int | None:
        """The growth of the input in bytes; None if the lock has no sizes."""
        sizes = [side.size for side in (self.old, self.new) if side]
        if None in sizes:
            return None
        return (self.new.size or 0 if self.new else 0) - (self.old.size or 0 if self.old else 0)


def parse_pins(text: str) -> dict[tuple[str, str], Pin]:
    """Parse the pins of a lock of any kind, by name and environment marker.

    Lines that pin nothing are ignored. The second part of a key, the marker, is empty except in requirements of uv.
    """
    pins = {}
    for line in text.splitlines():
        if deb := DEB_LINE.fullmatch(line):
            pins[deb[1], ""] = Pin(deb[1], deb[2], int(deb[3]), (deb[4], deb[5]))
        elif wheel := WHEEL_LINE.fullmatch(line):
            pins[wheel[1], ""] = Pin(wheel[1], wheel[2], int(wheel[4]), (wheel[3], wheel[5]))
        elif layer := LAYER.fullmatch(line):
            pins[layer[1], ""] = Pin(layer[1], layer[3], int(layer[4]), (layer[2],))
    return pins or parse_requirements(text)


def parse_requirements(text: str) -> dict[tuple[str, str], Pin]:
    """Parse the pins of a lock that uv wrote, each with the hashes of all its files."""
    starts = [requirements.start() for requirements in PIN.finditer(text)]
    requirements = {}
    for start, end in itertools.pairwise([*starts, len(text)]):
        name, version, marker = PIN.findall(text[start:end])[0]
        requirements[name, marker] = Pin(name, version, None, tuple(sorted(HASHES.findall(text[start:end]))))
    return requirements


def list_moves(lock: str, old: str, new: str) -> list[Move]:
    """List the pins that differ between two texts of a lock, by name."""
    before, after = parse_pins(old), parse_pins(new)
    keys = sorted(before.keys() | after.keys())
    return [Move(lock, key[0], before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def is_same_file(move: Move) -> bool:
    """Return whether a Debian package kept its bytes and has another path on the mirrors."""
    return bool(move.old and move.new and move.old.size is not None and move.old.rest[0] == move.new.rest[0])


def format_moves(all_moves: Sequence[Move]) -> str:
    """Format moves in columns: lock, package, old, new, size delta or a dash if the lock has no sizes.

    Sizes are kB. The total leaves out the layers' lock, whose layers are made of the same inputs.
    """
    rows = [("lock", "package", "old", "new", "kB")]
    for move in all_moves:
        old, new = (side.version if side else "-" for side in (move.old, move.new))
        if old == new:
            new = "same, under another path" if is_same_file(move) else "same, other files"
        rows.append((move.lock, move.name, old, new, "-" if move.delta is None else f"{move.delta / KILOBYTE:+.1f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row[:4], widths, strict=False)), row[4].rjust(widths[4])])
        for row in rows
    ]
    total = sum(move.delta or 0 for move in all_moves if move.lock != LAYERS)
    count = "1 pin moves" if len(all_moves) == 1 else f"{len(all_moves)} pins move"
    return "\n".join([*lines, f"{count}; what is fetched for the roots and the image: {total / KILOBYTE:+.1f} kB"])
