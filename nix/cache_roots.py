"""Decide which entries of the cache are needed, by this commit and by the work tree."""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nix import inputs, pins
from nix.assembly.assembler import Assembler
from nix.assembly.layers import LayerPlan, plan_apps, read_documents
from nix.build import plan_locked_layers, read_assembler_sources, read_source
from nix.cache.folder import create_cache_dir
from nix.clients.package_clients import compute_key
from nix.environments import locate_site
from nix.revision import REPOSITORY, query_git

# (kind of an entry, its name) → is it needed?
Needed = Callable[[str, str], bool]

HASH = re.compile(r"[0-9a-f]{64}")
SITES = ("local-aws",)
# A local AWS runs from these; that of another checkout may need other entries than this one.
RUN_FROM = ("roots", "sites", "unpacked")


def find_needed_entries() -> Needed:
    """Return a function that decides whether an entry is needed; unknown kinds always are.

    Needed are the inputs of every lock of HEAD and of the work tree, and what builds and environments make of the work
    tree. Locks are read now; the cache is not looked at until the returned function is called.
    """
    hashes = {found[:16] for text in lock_texts() for found in HASH.findall(text)}
    plans, assembler = plan_image_layers()
    exact = {
        "layers": {plan.key for plan in plans},
        "bytecode": set(),  # of earlier versions
        "assembler": {assembler.name},
        "unpacked": name_unpacked_layers(plans),
        "sites": {locate_site(name).name for name in SITES},
        "machines": set(),  # made of cached packages in seconds
        "uv-bin": {compute_key((pins.LOCKS / "uv.lock").read_bytes())},
    }
    running = bool(list_local_aws_processes())

    def is_needed(kind: str, name: str) -> bool:
        if kind in ("inputs", "verified"):
            return name.rpartition(".")[0].rpartition("-")[2] in hashes
        if running and kind in RUN_FROM:
            return True
        if kind == "roots":
            return name.rpartition("-")[2] in hashes
        return kind not in exact or name in exact[kind]  # the others belong to other tools

    return is_needed


def lock_texts() -> Iterator[str]:
    """Yield the texts of the locks in the work tree and at HEAD."""
    for path in sorted(pins.LOCKS.glob("*.lock")):
        yield path.read_text(encoding="utf-8")
        yield query_git(REPOSITORY, "show", f"HEAD:{path.relative_to(REPOSITORY).as_posix()}") or ""


def plan_image_layers() -> tuple[list[LayerPlan], Assembler]:
    """Return the plans of the layers of the image that a build would make now, and its assembler."""
    root_hash, source, nowhere = pins.read_deb_lock("image").root, read_source(), Path()
    assembler = Assembler(inputs.locate_root("image", root_hash), root_hash, read_assembler_sources(source))
    locked = plan_locked_layers(assembler, source, nowhere, pins.read_wheel_lock())
    return [*locked, *plan_apps(assembler, source, nowhere)], assembler


def name_unpacked_layers(plans: Sequence[LayerPlan]) -> set[str]:
    """Return the names under which these layers are unpacked for running."""
    names = set()
    for plan in plans:
        if result := read_documents(plan, plan.folder):
            diff_id = json.loads(result[0])["diff_id"].removeprefix("sha256:")
            names |= {diff_id, f"{diff_id}.whiteouts"}
    return names


def list_local_aws_processes() -> list[int]:
    """List the processes of this user that run functions from this cache: the local AWS of any checkout.

    Sorted, without this process. A process of another user cannot be seen, and its cache is another one.
    """
    variable = b"SCORE_PROCESSOR_CACHE=" + os.fsencode(create_cache_dir())
    pids = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # ended, or another user's
                continue
            if variable in variables and any(one.startswith(b"LOCAL_AWS_INSTANCE=") for one in variables):
                pids.append(int(folder.name))
    return sorted(pids)
