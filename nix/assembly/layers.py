"""The image's layers: their inputs, their keys in the cache, and how to make one.

A key is a digest of everything that can change a layer's bytes, with inputs by content. So a cache entry is never
stale, and if two builds make the same entry, either result is right.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nix.assembly.assembler import Assembler, BuildProblem
from nix.cache import input_cache, sealed
from nix.cache.folder import create_cache_dir, hold_lock, is_read_only
from nix.oci.digest import digest_file
from nix.oci.host_only import is_host_only
from nix.oci.layout import is_stamped, link, stamp, write_stamp
from nix.oci.source_archive import SourceFile
from nix.pins import Wheel
from nix.revision import REPOSITORY, Checkout

# One layer each; the one that changes most often is last, so that lower layers stay.
APP_FOLDERS = ("plexus", "handler")
LICENCES, LOCKS = "nix/licences", "nix/locks"
SMALL = "small"
DOCUMENTS = ("layer.json", "scan.json")
SEAL = "seal"


@dataclass(frozen=True)
class LayerPlan:
    """How to make one layer: the assembler's arguments; `weight`, its input in bytes, orders parallel builds.

    The assembler reads `wheels` from the cache; `prepare` writes the other files that it reads.
    """

    name: str
    key: str
    arguments: tuple[str, ...]
    weight: int
    wheels: tuple[Wheel, ...] = ()
    prepare: Callable[[], None] = field(default=lambda: None, compare=False)

    @property
    def folder(self) -> Path:
        """The layer's folder in the cache."""
        return create_cache_dir() / "layers" / self.key

    @property
    def is_made(self) -> bool:
        """Whether the layer is cached, with documents that are those of its seal."""
        return read_documents(self, self.folder) is not None


def compute_key(*parts: object) -> str:
    """Return the sha256, in hexadecimal, of JSON values; a cache key."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_documents(plan: LayerPlan, folder: Path) -> tuple[bytes, bytes] | None:
    """Read the record and the scan of the layer in `folder`; None if one is missing or not what was sealed.

    A mismatch is not an error: the layer is made again.
    """
    try:
        record, scan = ((folder / name).read_bytes() for name in DOCUMENTS)
        return (
            (record, scan) if (folder / SEAL).read_text(encoding="ascii") == compute_seal(plan, record, scan) else None
        )
    except (OSError, ValueError):
        return None


def compute_seal(plan: LayerPlan, record: bytes, scan: bytes) -> str:
    """Return the content of a layer's seal: a digest of its key and of both documents."""
    return compute_key(plan.key, hashlib.sha256(record).hexdigest(), hashlib.sha256(scan).hexdigest())


@dataclass(frozen=True)
class TakenLayer:
    """A cached layer, verified and linked into a folder of this build's own, which no other process writes to."""

    cached: Path
    folder: Path

    @property
    def is_unchanged(self) -> bool:
        """Whether the blob is the one that was verified."""
        return is_stamped(self.folder)

    def drop_links(self) -> None:
        """Remove the links, and record that the cached blob is the verified one: each link has changed its ctime."""
        with contextlib.suppress(OSError):  # removed meanwhile, or read-only
            verified = read_text(self.folder / "stamp")
            (self.folder / "blob").unlink()
            now = input_cache.stamp(self.cached / "blob")
            if stamp(self.cached / "blob") == verified and now != read_text(self.cached / "stamp"):
                input_cache.write_text(self.cached / "stamp", now)


def read_text(path: Path) -> str:
    """Return the text of a small file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def link_cached(plan: LayerPlan, work: Path) -> TakenLayer | None:
    """Link the cached layer into `work`, verified; None if it is missing or altered, and then it is removed.

    The blob is hashed if its size, times or inode are not those that it was last verified with.
    """
    spare = locate_spare_folder(plan, work)
    cached = spare if spare.exists() else plan.folder
    result, folder = read_documents(plan, cached), work / "layers" / plan.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.suppress(OSError):
        if result is not None:
            for name, data in zip(DOCUMENTS, result, strict=True):
                (folder / name).write_bytes(data)
            before = input_cache.stamp(cached / "blob")
            is_link = link(cached / "blob", folder / "blob")
            is_known = is_link and before == read_text(cached / "stamp")
            if is_known or digest_file(folder / "blob") == json.loads(result[0])["digest"]:
                write_stamp(folder)
                return TakenLayer(cached, folder)
    if cached.exists():
        input_cache.report(f"layers/{plan.name}: altered since it was made; making it again")
        if not is_read_only():
            shutil.rmtree(cached, ignore_errors=True)
    return None


def locate_spare_folder(plan: LayerPlan, work: Path) -> Path:
    """Return where a build makes a layer that is missing from a read-only cache."""
    return work / "made" / plan.key


def plan_base(assembler: Assembler) -> LayerPlan:
    """Plan the layer of the Debian root."""
    key = compute_key(assembler.key, "base")
    return LayerPlan("base", key, ("layer", "base", f"{assembler.root}#sha256:{assembler.root_hash}"), 40_000_000)


def plan_wheels(assembler: Assembler, source: Checkout, work: Path, wheels: Sequence[Wheel]) -> list[LayerPlan]:
    """Plan one layer per name in the lock's last column, sorted by name as bytes, `small` last."""
    names = sorted({wheel.layer for wheel in wheels}, key=lambda name: (name == SMALL, name.encode()))
    layers = {name: [wheel for wheel in wheels if wheel.layer == name] for name in names}
    return [plan_wheel_layer(assembler, source, work, name, members) for name, members in layers.items()]


def plan_wheel_layer(
    assembler: Assembler, source: Checkout, work: Path, name: str, wheels: Sequence[Wheel]
) -> LayerPlan:
    """Plan the layer of the wheels that share a layer name in the lock.

    The key covers the assembler, the wheels' hashes and the texts of licences that the project adds, and no path:
    every machine gives a layer the same key. Reads no wheel.
    """
    chosen = tuple(sorted(wheels, key=lambda wheel: wheel.name.encode()))
    texts = [source.files.get(f"{LICENCES}/{wheel.name}.txt") for wheel in chosen]
    licences = [hashlib.sha256(text.data).hexdigest() if text else None for text in texts]
    key = compute_key(assembler.key, name, [wheel.sha256 for wheel in chosen], licences)
    inputs = tuple(f"{input_cache.locate_input(wheel)}#sha256:{wheel.sha256}" for wheel in chosen)
    arguments = ("layer", "wheels", "--name", name, "--licences", str(work / "source" / LICENCES), *inputs)
    return LayerPlan(name, key, arguments, sum(wheel.size for wheel in chosen), chosen)


def plan_sbom(assembler: Assembler, source: Checkout, work: Path, wheels: Sequence[Wheel]) -> LayerPlan:
    """Plan the layer of the bill of materials, which depends on the locks only."""
    names = [f"{LOCKS}/{name}.lock" for name in ("image-debs", "image-wheels")]
    key = compute_key(assembler.key, "sbom", *(source.files[name].data.decode() for name in names))
    debs, listed = (str(work / "source" / name) for name in names)
    chosen = tuple(sorted(wheels, key=lambda wheel: wheel.name.encode()))
    locks = ("--debs", debs, "--wheels", listed, "--root", str(assembler.root))
    files = tuple(str(input_cache.locate_input(wheel)) for wheel in chosen)
    return LayerPlan("sbom", key, ("layer", "sbom", *locks, *files), 0, chosen)


def plan_apps(assembler: Assembler, source: Checkout, work: Path) -> list[LayerPlan]:
    """Plan the layers of the project's own code, one per folder, made from the files as `source` read them.

    Raises BuildProblem if a folder is missing.
    """
    absent = [name for name in APP_FOLDERS if not source.select_below(name)]
    if absent:
        raise BuildProblem(f"missing in {REPOSITORY}: {' and '.join(absent)}\n  next: git restore .")
    return [plan_app(assembler, source, work, name) for name in APP_FOLDERS]


def plan_app(assembler: Assembler, source: Checkout, work: Path, name: str) -> LayerPlan:
    """Plan the layer of one folder of the project's own code."""
    key = compute_key(
        assembler.key, name, [(path, *describe_file(file)) for path, file in list_app_files(source, name).items()]
    )
    arguments = ("layer", "app", str(work / "source" / name))
    return LayerPlan(name, key, arguments, 0, prepare=lambda: source.write(work / "source", name))


def list_app_files(source: Checkout, name: str) -> dict[str, SourceFile]:
    """Return the files of an app layer by path; the assembler leaves out host-only ones, too."""
    return {path: file for path, file in source.select_below(name).items() if not is_host_only(path)}


def describe_file(file: SourceFile) -> tuple[str, str]:
    """Return the parts of a file that change the layer's bytes: mode, and sha256 in hexadecimal."""
    return file.mode, hashlib.sha256(file.data).hexdigest()


def make_layer(assembler: Assembler, plan: LayerPlan, work: Path, progress: Callable[[str], None]) -> None:
    """Make a layer unless it is cached, and check what was written; calls `progress` if it was made.

    Safe beside other builds and against kills. Raises BuildProblem with the layer's name, and sealed.Altered if
    anything that it was made from changed meanwhile.
    """
    with hold_lock(f"layer-{plan.key[:32]}"):
        if plan.is_made:
            return
        place = locate_spare_folder(plan, work) if is_read_only() else plan.folder
        # Remove what killed builds left; the lock excludes running ones. The assembler of a killed build may still be
        # writing, so that every build uses a name of its own.
        for left in (place, *place.parent.glob(f"{plan.key}.part-*")):
            shutil.rmtree(left, ignore_errors=True)
        part = place.with_name(f"{plan.key}.part-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            plan.prepare()
            verb, kind, *rest = plan.arguments
            assembler.run(verb, kind, "--output", part, *rest)
            seal_layer(plan, part)
            verify_inputs(assembler, plan)
            part.rename(place)
        except BaseException as problem:
            shutil.rmtree(part, ignore_errors=True)
            if isinstance(problem, BuildProblem):
                verify_inputs(assembler, plan)
                raise BuildProblem(f"layer {plan.name}: {problem}") from None
            raise
    progress(plan.name)


def seal_layer(plan: LayerPlan, folder: Path) -> None:
    """Seal a new layer. Raises sealed.Altered if the blob, as the scan read it from disk, is not the record's."""
    mark = input_cache.stamp(folder / "blob")
    record, scan = ((folder / name).read_bytes() for name in DOCUMENTS)
    if json.loads(record)["digest"] != json.loads(scan)["digest"]:
        raise sealed.Altered(f"layer {plan.name}: its blob was altered while it was made")
    input_cache.write_text(folder / SEAL, compute_seal(plan, record, scan))
    input_cache.write_text(folder / "stamp", mark)


def verify_inputs(assembler: Assembler, plan: LayerPlan) -> None:
    """Raise sealed.Altered if anything in the cache that a layer is made from was changed since the build began."""
    assembler.verify()
    if changed := input_cache.list_missing(plan.wheels):
        raise sealed.Altered(f"layer {plan.name}: altered while it was made: {', '.join(map(str, changed))}")
