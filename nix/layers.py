"""The image's layers: what each is made of, its key in the cache, and how it is made when it is not there.

A key is the digest of everything that can change a layer's bytes, inputs by content; so an entry is never stale, two
builds of one entry are equal, and whoever is first wins.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vault
from assembler import Assembler, BuildProblem
from cache import cache_dir, locked
from pins import LOCKS, Wheel
from revision import REPOSITORY, Checkout

from oci.host_only import is_host_only
from oci.layout import write_stamp

# One layer each; what changes most comes last.
APP_FOLDERS = ("plexus", "handler")
LICENCES = Path(__file__).resolve().parent / "licences"
SMALL = "small"
FILES = ("blob", "layer.json", "scan.json", "stamp")  # of a layer in the cache


@dataclass(frozen=True)
class Plan:
    """One layer to be: the assembler's arguments, and how many bytes of input it has, by which builds are ordered."""

    name: str
    key: str
    arguments: tuple[str, ...]
    weight: int

    @property
    def folder(self) -> Path:
        """Where the layer lies in the cache."""
        return cache_dir() / "layers" / self.key

    @property
    def is_made(self) -> bool:
        """Whether the layer is cached. After a power cut a file may be there without its bytes: then it is not."""
        try:
            return all((self.folder / name).stat().st_size for name in FILES)
        except FileNotFoundError:
            return False


def digest_of(*parts: object) -> str:
    """The sha256, in hexadecimal, of JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def base_plan(assembler: Assembler, root_hash: str) -> Plan:
    """The layer of the Debian root."""
    key = digest_of(assembler.key, "base", root_hash)
    return Plan("base", key, ("layer", "base", f"{assembler.root}#sha256:{root_hash}"), 40_000_000)


def wheel_plans(assembler: Assembler, wheels: Sequence[Wheel]) -> list[Plan]:
    """One layer per name in the lock's last column: big wheels by name as bytes, then the small ones."""
    names = sorted({wheel.layer for wheel in wheels}, key=lambda name: (name == SMALL, name.encode()))
    return [wheels_plan(assembler, name, [wheel for wheel in wheels if wheel.layer == name]) for name in names]


def wheels_plan(assembler: Assembler, name: str, wheels: Sequence[Wheel]) -> Plan:
    """The layer of the wheels that share a name in the lock."""
    chosen = sorted(wheels, key=lambda wheel: wheel.name.encode())
    texts = [LICENCES / f"{wheel.name}.txt" for wheel in chosen]
    licences = [hashlib.sha256(text.read_bytes()).hexdigest() if text.exists() else None for text in texts]
    key = digest_of(assembler.key, name, [wheel.sha256 for wheel in chosen], licences)
    inputs = tuple(f"{vault.place(wheel)}#sha256:{wheel.sha256}" for wheel in chosen)
    arguments = ("layer", "wheels", "--name", name, "--licences", str(LICENCES), *inputs)
    return Plan(name, key, arguments, sum(wheel.size for wheel in chosen))


def sbom_plan(assembler: Assembler, wheels: Sequence[Wheel]) -> Plan:
    """The layer of the bill of materials; it follows from the locks."""
    debs, listed = (LOCKS / f"{name}.lock" for name in ("image-debs", "image-wheels"))
    key = digest_of(assembler.key, "sbom", debs.read_text(encoding="utf-8"), listed.read_text(encoding="utf-8"))
    files = tuple(str(vault.place(wheel)) for wheel in sorted(wheels, key=lambda wheel: wheel.name.encode()))
    locks = ("--debs", str(debs), "--wheels", str(listed), "--root", str(assembler.root))
    return Plan("sbom", key, ("layer", "sbom", *locks, *files), 0)


def app_plans(assembler: Assembler, checkout: Checkout, work: Path) -> list[Plan]:
    """The layers of this project's own code, one a folder; writes the lists of their files into the folder `work`."""
    absent = [name for name in APP_FOLDERS if not (REPOSITORY / name).is_dir()]
    if absent:
        raise BuildProblem(f"{REPOSITORY} has no folder {' and no '.join(absent)}\n  Get it back: git restore .")
    return [app_plan(assembler, name, app_files(name, checkout.tracked), work) for name in APP_FOLDERS]


def app_plan(assembler: Assembler, name: str, paths: Sequence[str], work: Path) -> Plan:
    """The layer of one folder of this project's own code, of which it takes `paths`."""
    paths = [path for path in paths if not is_host_only(path)]
    listing = [(path, file_facts(REPOSITORY / path)) for path in paths]
    chosen = work / f"{name}-files"
    chosen.write_text("".join(f"{path}\0" for path in paths), errors="surrogateescape")
    arguments = ("layer", "app", "--files", str(chosen), str(REPOSITORY / name))
    return Plan(name, digest_of(assembler.key, name, listing), arguments, 0)


def app_files(name: str, tracked: Sequence[str] | None) -> list[str]:
    """The files of an app layer, relative to the repository: what git tracks and is there, else all."""
    if tracked is not None:
        own = (REPOSITORY / path for path in tracked if path.startswith(f"{name}/"))
        return sorted(path.relative_to(REPOSITORY).as_posix() for path in own if path.is_symlink() or path.exists())
    found = (path for path in (REPOSITORY / name).rglob("*") if not path.is_dir() or path.is_symlink())
    kept = (path for path in found if path.suffix != ".pyc" and "__pycache__" not in path.parts)
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in kept)


def file_facts(path: Path) -> list[Any]:
    """What of a file shows in the layer: its link target, or whether anybody may execute it and its content."""
    if path.is_symlink():
        return ["link", str(path.readlink())]
    return [bool(path.stat().st_mode & 0o111), hashlib.sha256(path.read_bytes()).hexdigest()]


def make_layer(assembler: Assembler, plan: Plan, progress: Callable[[str], None]) -> Path:
    """The folder of a layer, made now unless it is cached; safe beside other builds and against a kill."""
    if plan.is_made:
        return plan.folder
    with locked(f"layer-{plan.key[:32]}"):
        if plan.is_made:
            return plan.folder
        # What killed builds left: whoever holds the lock is alone. Their assembler may still be writing there, so each
        # build has a name of its own.
        for left in (plan.folder, *plan.folder.parent.glob(f"{plan.key}.part-*")):
            shutil.rmtree(left, ignore_errors=True)
        part = plan.folder.with_name(f"{plan.key}.part-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            verb, kind, *rest = plan.arguments
            assembler.run(verb, kind, "--output", part, *rest)
            write_stamp(part)
            part.rename(plan.folder)
        except BaseException as problem:
            shutil.rmtree(part, ignore_errors=True)
            if isinstance(problem, BuildProblem):
                raise BuildProblem(f"layer {plan.name}: {problem}") from None
            raise
    progress(plan.name)
    return plan.folder
