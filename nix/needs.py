"""What of the cache this commit's locks and sources need, the work tree's own state counted as well."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pins
from assembler import Assembler, sources_digest
from cache import cache_dir
from layers import APP_FOLDERS, app_plans, base_plan, digest_of, sbom_plan, wheel_plans
from revision import REPOSITORY, checkout, git
from workspace import workspace

from environments import key, site_folder

# (kind, name of an entry) → whether it is needed.
Needed = Callable[[str, str], bool]

HASH = re.compile(r"[0-9a-f]{64}")
SITES = ("local-aws",)
# What a local AWS runs from; another checkout's may need other entries than ours.
RUN_FROM = ("roots", "sites", "unpacked")


def needs() -> Needed:
    """What is needed, as a question about one entry."""
    hashes = {found[:16] for text in lock_texts() for found in HASH.findall(text)}
    layers, assembler = image_layers()
    exact = {
        "layers": layers,
        "bytecode": {assembler.key[:32]},
        "unpacked": unpacked(layers),
        "sites": {site_folder(name).name for name in SITES},
        "uv-bin": {key((pins.LOCKS / "uv.lock").read_bytes())},
    }
    running = bool(users_of_layers())

    def needed(kind: str, name: str) -> bool:
        if kind in ("inputs", "verified"):
            return name.rpartition(".")[0].rpartition("-")[2] in hashes
        if running and kind in RUN_FROM:
            return True
        if kind == "roots":
            return name.rpartition("-")[2] in hashes
        return kind not in exact or name in exact[kind]  # the others are not ours to judge

    return needed


def lock_texts() -> Iterator[str]:
    """The locks as they lie here and as this commit has them."""
    for path in sorted(pins.LOCKS.glob("*.lock")):
        yield path.read_text(encoding="utf-8")
        yield git(REPOSITORY, "show", f"HEAD:{path.relative_to(REPOSITORY).as_posix()}") or ""


def image_layers() -> tuple[set[str], Assembler]:
    """The keys of the layers of the image that would be built now, and what would build it."""
    root_hash = pins.deb_lock("image").root
    root = cache_dir() / "roots" / f"image-{root_hash[:16]}" / "root"
    assembler = Assembler(root, digest_of(sources_digest(), root_hash))
    with workspace() as work:
        plans = [
            base_plan(assembler, root_hash),
            *wheel_plans(assembler, pins.wheel_lock()),
            sbom_plan(assembler, pins.wheel_lock()),
            *app_plans(assembler, checkout(APP_FOLDERS), work),
        ]
    return {plan.key for plan in plans}, assembler


def unpacked(layers: set[str]) -> set[str]:
    """The names under which these layers are unpacked for running."""
    names = set()
    for layer in layers:
        record = cache_dir() / "layers" / layer / "layer.json"
        if record.exists():
            diff_id = json.loads(record.read_bytes())["diff_id"].removeprefix("sha256:")
            names |= {diff_id, f"{diff_id}.whiteouts"}
    return names


def users_of_layers() -> list[int]:
    """Processes of this user that run functions out of this cache: the local AWS of any checkout."""
    mine = b"SCORE_PROCESSOR_CACHE=" + os.fsencode(cache_dir())
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # ended, or another user's
                continue
            if mine in variables and any(one.startswith(b"LOCAL_AWS_INSTANCE=") for one in variables):
                found.append(int(folder.name))
    return sorted(found)
