"""Locks → the inputs that they pin: names, versions, sizes in bytes, digests; never an address."""

import re
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path(__file__).resolve().parent / "locks"
DEBS = {"image": "image-debs", "local-aws": "local-aws-debs", "nix": "nix-debs"}
WHEELS = {"image": "image-wheels"}
GROUPS = tuple(DEBS)

SHA256 = r"[0-9a-f]{64}"
DEB_LINE = re.compile(rf"([a-z0-9][a-z0-9+.-]+) (\S+) (\d+) ({SHA256}) (pool/[\w+.~:%/-]+\.deb)")
ROOT_LINE = re.compile(rf"root ({SHA256})")
WHEEL_LINE = re.compile(rf"([a-z0-9-]+)==(\S+) --hash=sha256:({SHA256})  # (\d+) ([a-z0-9-]+)")


class InputProblem(Exception):
    """Root of what is raised about inputs on purpose; the message says what, where, expected, got and the next step."""


@dataclass(frozen=True)
class Deb:
    """A Debian package; `pool_path` is relative to a mirror."""

    name: str
    version: str
    size: int
    sha256: str
    pool_path: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.name}-{self.sha256[:16]}.deb"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Wheel:
    """A wheel, and the image's layer that it goes into."""

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
    """The packages of one root, by name, and the NAR hash (hexadecimal sha256) of the tree that they unpack to."""

    debs: tuple[Deb, ...]
    root: str


def deb_lock(group: str) -> DebLock:
    """The packages of `group`; InputProblem names every line that cannot be read."""
    debs, root, broken = [], "", []
    for number, line in lines(DEBS[group]):
        if found := DEB_LINE.fullmatch(line):
            debs.append(Deb(found[1], found[2], int(found[3]), found[4], found[5]))
        elif found := ROOT_LINE.fullmatch(line):
            root = found[1]
        else:
            broken.append((number, line))
    refuse(DEBS[group], "NAME VERSION SIZE SHA256 pool/PATH, or root SHA256", broken)
    return DebLock(tuple(debs), root)


def wheel_lock(group: str = "image") -> tuple[Wheel, ...]:
    """The wheels of `group`; InputProblem names every line that cannot be read."""
    wheels, broken = [], []
    for number, line in lines(WHEELS[group]):
        if found := WHEEL_LINE.fullmatch(line):
            wheels.append(Wheel(found[1], found[2], int(found[4]), found[3], found[5]))
        else:
            broken.append((number, line))
    refuse(WHEELS[group], "NAME==VERSION --hash=sha256:SHA256  # SIZE LAYER", broken)
    return tuple(wheels)


def inputs_of(group: str) -> tuple[Input, ...]:
    """Everything that `group` is made of."""
    if group not in DEBS:
        raise InputProblem(f"no group of inputs is named {group!r}; known: {', '.join(GROUPS)}")
    return (*deb_lock(group).debs, *(wheel_lock(group) if group in WHEELS else ()))


def lines(lock: str) -> list[tuple[int, str]]:
    """The lines of a lock with their numbers, less comments."""
    path = LOCKS / f"{lock}.lock"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputProblem(f"nix/locks/{path.name} is missing; get it back from git: git restore nix/locks") from None
    return [(n, line) for n, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]


def refuse(lock: str, expected: str, broken: list[tuple[int, str]]) -> None:
    """Raise InputProblem when there are broken lines."""
    if broken:
        listed = "".join(f"\n  nix/locks/{lock}.lock:{number}: {line[:100]!r}" for number, line in broken)
        raise InputProblem(
            f"lock lines that cannot be read; expected {expected}, got{listed}\n"
            "Get it back from git: git restore nix/locks"
        )
