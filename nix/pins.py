"""Parse the locks into inputs: names, versions, sizes in bytes, digests; never an address."""

import re
from dataclasses import dataclass, field
from pathlib import Path

LOCKS = Path(__file__).resolve().parent / "locks"
GROUPS = ("image", "local-aws", "nix")
# Only tests need these: neither a fetch of everything nor an input archive holds them.
EMULATOR = "emulator"
FRESH = ("fresh-debian12", "fresh-debian13", "fresh-python39")
DEBS = {group: f"{group}-debs" for group in (*GROUPS, *FRESH, EMULATOR)}
WHEELS = {"image": "image-wheels"}

SHA256 = r"[0-9a-f]{64}"
DEB_LINE = re.compile(rf"([a-z0-9][a-z0-9+.-]+) (\S+) (\d+) ({SHA256}) (pool/[\w+.~:%/-]+\.deb)")
ROOT_LINE = re.compile(rf"root ({SHA256})")
SNAPSHOT_LINE = re.compile(r"snapshot (\d{8}T\d{6}Z)")
WHEEL_LINE = re.compile(rf"([a-z0-9-]+)==(\S+) --hash=sha256:({SHA256})  # (\d+) ([a-z0-9-]+)")


class InputProblem(Exception):
    """Root of the errors about inputs; the message has what failed, where, got, expected, and the next step."""


@dataclass(frozen=True)
class Deb:
    """A Debian package; `pool_path` is relative to a mirror.

    `snapshots`: timestamps, the most likely first, at which Debian's snapshot archive has it; not part of its identity.
    """

    name: str
    version: str
    size: int
    sha256: str
    pool_path: str
    snapshots: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.name}-{self.sha256[:16]}.deb"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Wheel:
    """A wheel, and the layer of the image that holds it."""

    name: str
    version: str
    size: int
    sha256: str
    layer: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.name}-{self.sha256[:16]}.whl"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


Input = Deb | Wheel


@dataclass(frozen=True)
class DebLock:
    """The packages of one root, by name, and the NAR hash (hexadecimal sha256) of the tree that they unpack to.

    `snapshots`: timestamps at which Debian's snapshot archive has its packages, the newest first.
    """

    debs: tuple[Deb, ...]
    root: str
    snapshots: tuple[str, ...] = ()


def read_deb_lock(group: str) -> DebLock:
    """Read the packages of `group`; InputProblem lists every line that cannot be parsed.

    Packages are in the lock's order. `root` is the hash of the unpacked root, empty if the lock has none; every
    package gets all snapshots.
    """
    rows, root, snapshots, broken = [], "", [], []
    for number, line in read_lines(DEBS[group]):
        if match := DEB_LINE.fullmatch(line):
            rows.append(match)
        elif match := ROOT_LINE.fullmatch(line):
            root = match[1]
        elif match := SNAPSHOT_LINE.fullmatch(line):
            snapshots.append(match[1])
        else:
            broken.append((number, line))
    refuse(DEBS[group], "NAME VERSION SIZE SHA256 pool/PATH, snapshot TIMESTAMP, or root SHA256", broken)
    debs = tuple(Deb(row[1], row[2], int(row[3]), row[4], row[5], tuple(snapshots)) for row in rows)
    return DebLock(debs, root, tuple(snapshots))


def read_wheel_lock(group: str = "image") -> tuple[Wheel, ...]:
    """Read the wheels of `group`; InputProblem lists every line that cannot be parsed.

    In the lock's order. The size is in bytes; the layer is where the wheel's files go.
    """
    wheels, broken = [], []
    for number, line in read_lines(WHEELS[group]):
        if match := WHEEL_LINE.fullmatch(line):
            wheels.append(Wheel(match[1], match[2], int(match[4]), match[3], match[5]))
        else:
            broken.append((number, line))
    refuse(WHEELS[group], "NAME==VERSION --hash=sha256:SHA256  # SIZE LAYER", broken)
    return tuple(wheels)


def list_inputs(group: str) -> tuple[Input, ...]:
    """Return all inputs of `group`; InputProblem if it is unknown."""
    if group not in DEBS:
        raise InputProblem(f"group {group!r}: unknown, known: {', '.join(DEBS)}")
    return (*read_deb_lock(group).debs, *(read_wheel_lock(group) if group in WHEELS else ()))


def read_lines(lock: str) -> list[tuple[int, str]]:
    """Return the lines of a lock with their numbers, without comments; InputProblem if it cannot be read."""
    path = LOCKS / f"{lock}.lock"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputProblem(f"nix/locks/{path.name}: missing\nnext: git restore nix/locks") from None
    return [(n, line) for n, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]


def refuse(lock: str, expected: str, broken: list[tuple[int, str]]) -> None:
    """Raise InputProblem if there are broken lines."""
    if broken:
        listed = "".join(f"\n  nix/locks/{lock}.lock:{number}: {line[:100]!r}" for number, line in broken)
        raise InputProblem(
            f"lines of a lock cannot be parsed: expected {expected}, got{listed}\nnext: git restore nix/locks"
        )
