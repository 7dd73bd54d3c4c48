#!/usr/bin/env python3
"""Build the image without Nix: pinned inputs → layers → an OCI image layout, linted for Lambda.

    python3 -m nix.build [--output FOLDER] [--json | --lint-only | --lock-layers]

The result depends only on the repository's tracked files and locks: every machine, and Nix, builds the same digest.
FOLDER (default build/image) is replaced atomically; its record is written to FOLDER.json.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from nix import inputs, pins
from nix.assembly.assembler import SOURCES, Assembler, BuildProblem
from nix.assembly.growth import describe_growth, find_earlier_sizes, read_sizes
from nix.assembly.layers import (
    APP_FOLDERS,
    LICENCES,
    LOCKS,
    LayerPlan,
    TakenLayer,
    link_cached,
    make_layer,
    plan_apps,
    plan_base,
    plan_sbom,
    plan_wheels,
)
from nix.assembly.output import hash_source, mark_unfinished, publish, record_file, refuse_foreign, working_folder
from nix.cache import sealed
from nix.cache.folder import in_use
from nix.cache.input_cache import report as report_altered
from nix.cache.workspace import workspace
from nix.command import DONE, command
from nix.oci.config import REVISION
from nix.oci.digest import sha256
from nix.revision import REPOSITORY, Checkout, read_checkout

DEFAULT_OUTPUT = REPOSITORY / "build" / "image"
READ = (*APP_FOLDERS, SOURCES.rstrip("/"), LICENCES, LOCKS, "pyproject.toml")
PARSED = ("image-debs", "image-wheels")  # locks that the build itself parses
NOT_VERIFIABLE = "not verifiable: uncommitted changes; commit first, because make verify rebuilds a commit"
LAYERS_LOCK = pins.LOCKS / "layers.lock"
ATTEMPTS = 3
MEGABYTE = 1_000_000
Result = TypeVar("Result")


def build(output: Path = DEFAULT_OUTPUT, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Build the image into the folder `output` and return its record, as written to its .json; sizes in bytes.

    Raises BuildProblem or pins.InputProblem; `output` is then unchanged, and marked as not of the last build.
    Idempotent, and safe beside other builds and against kills: cached layers are reused, and `output` is replaced in
    one step. Altered cache entries are made again; if one is altered during the build, the build starts over. `say`
    receives progress lines.
    """
    with in_use():
        return retry_if_altered(lambda: build_here(output.absolute(), say))


def retry_if_altered(work: Callable[[], Result]) -> Result:
    """Call `work`, up to ATTEMPTS times, until the cache is not altered while it runs; then raise sealed.Altered."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except sealed.Altered as problem:
            report_altered(f"{str(problem).partition(chr(10))[0]}; building again")
    return work()


def build_here(output: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Build with the cache already protected from pruning."""
    refuse_foreign(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with mark_unfinished(output):
        return build_source(read_source(), output, say)


def build_source(source: Checkout, output: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Build the image of `source`, and replace `output` by it.

    Inputs are fetched first. `say` gets each line of progress, from several threads. Raises as `build`; `output` is
    replaced only after the image has passed the linter, the locked layers and the budget.
    """
    if source.commit is None:
        say(source.warning or NOT_VERIFIABLE)
    if source.untracked:
        say(f"not in the image: untracked files, see git add: {join_names(source.untracked)}")
    wheels = [wheel for members in inputs.fetch_wheels().values() for wheel in members]
    assembler = create_assembler(source)
    with working_folder(output) as work, stopping(assembler):
        assembler.install(work)
        source.write(work / "source", LICENCES, LOCKS)
        plans = [*plan_locked_layers(assembler, source, work, wheels), *plan_apps(assembler, source, work)]
        taken = make_layers(assembler, plans, work, say)
        layout, folders = work / "layout", [layer.folder for layer in taken]
        digest = make_image(assembler, source, taken, layout)
        record = build_record(layout, digest, folders, assembler.digest)
        record["source"] = hash_source(source)
        record["before"] = find_earlier_sizes(record_file(output), record["revision"])
        publish(layout, record, output)
        shutil.rmtree(layout, ignore_errors=True)  # the layout before, whose blobs are links to the cached ones
        for layer in taken:
            layer.drop_links()
    return record


def read_source() -> Checkout:
    """Read the files that an image is made of, once; BuildProblem if git hides that a lock was edited.

    Untracked files are not among them. What is built later comes from the returned value, so that an edit during the
    build changes nothing.
    """
    source = read_checkout(READ)
    for name in (f"{LOCKS}/{lock}.lock" for lock in PARSED):
        path, read = REPOSITORY / name, source.files.get(name)
        if path.exists() and (read is None or path.read_bytes().replace(b"\r\n", b"\n") != read.data):
            raise BuildProblem(
                f"{name}: not the file of commit {source.commit}, though git status reports no change\n"
                f"next: git update-index --no-assume-unchanged --no-skip-worktree {name}"
            )
    return source


def plan_locked_layers(
    assembler: Assembler, source: Checkout, work: Path, wheels: Sequence[pins.Wheel]
) -> list[LayerPlan]:
    """Plan the layers that depend on the pins only, lowest first."""
    by_wheels = plan_wheels(assembler, source, work, wheels)
    return [plan_base(assembler), *by_wheels, plan_sbom(assembler, source, work, wheels)]


def make_image(assembler: Assembler, source: Checkout, layers: Sequence[TakenLayer], layout: Path) -> str:
    """Assemble and lint the image in the new folder `layout`; return its digest. Raises as `build`.

    The assembler's own files are verified before its result is believed, and also before its error is.
    """
    locks = layout.parent / "source" / LOCKS
    limits = ("--layers-lock", locks / LAYERS_LOCK.name, "--budget", locks / "budget.toml")
    folders = [layer.folder for layer in layers]
    try:
        digest = assembler.run("image", "--check", *limits, "--output", layout, *list_label_arguments(source), *folders)
    except BuildProblem:
        assembler.verify()
        if changed := [layer.folder.name for layer in layers if not layer.is_unchanged]:
            raise sealed.Altered(f"layers/{changed[0]}: altered while it was used") from None
        raise
    assembler.verify()
    return digest


def lock_layers(say: Callable[[str], None] = lambda _: None) -> bool:
    """Update nix/locks/layers.lock with the layers that this machine makes of the pins; return whether it changed."""
    with in_use():
        return retry_if_altered(lambda: lock_layers_here(say))


def lock_layers_here(say: Callable[[str], None]) -> bool:
    """Update the layers' lock with the cache already protected from pruning."""
    source = read_source()
    wheels = [wheel for members in inputs.fetch_wheels().values() for wheel in members]
    assembler = create_assembler(source)
    with workspace() as work, stopping(assembler):
        assembler.install(work)
        source.write(work / "source", LICENCES, LOCKS)
        taken = make_layers(assembler, plan_locked_layers(assembler, source, work, wheels), work, say)
        (work / "new").mkdir()
        assembler.run("lock", "--output", work / "new" / LAYERS_LOCK.name, *(layer.folder for layer in taken))
        assembler.verify()
        before = LAYERS_LOCK.read_bytes() if LAYERS_LOCK.exists() else b""
        moved = (work / "new" / LAYERS_LOCK.name).read_bytes() != before
        for path in (work / "new").iterdir() if moved else ():
            shutil.copyfile(path, part := LAYERS_LOCK.with_name(f".{path.name}"))
            part.replace(LAYERS_LOCK.with_name(path.name))
    return moved


def create_assembler(source: Checkout) -> Assembler:
    """Return the assembler on the image's root, which is fetched and unpacked first if it is not cached."""
    return Assembler(inputs.find_root("image"), pins.read_deb_lock("image").root, read_assembler_sources(source))


def read_assembler_sources(source: Checkout) -> dict[str, bytes]:
    """Return the assembler's modules by path below nix/oci."""
    return {
        path.removeprefix(SOURCES): file.data
        for path, file in source.select_below(SOURCES.rstrip("/")).items()
        if path.endswith(".py")
    }


def lint_again(output: Path) -> str:
    """Lint the layout in `output`, every blob to its end; return the summary, or raise BuildProblem."""
    assembler = create_assembler(read_checkout((SOURCES.rstrip("/"),)))
    with workspace() as work:
        assembler.install(work)
        return assembler.run("lint", output)


def join_names(names: Sequence[str], limit: int = 5) -> str:
    """Join the first `limit` names, and the number of the rest, with commas."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def make_layers(
    assembler: Assembler, plans: Sequence[LayerPlan], work: Path, say: Callable[[str], None]
) -> list[TakenLayer]:
    """Link all layers into `work`, in the plans' order; those that are not cached are made first, in parallel.

    Layers that another process alters or prunes meanwhile are made again, ATTEMPTS times in all; then sealed.Altered.
    The first failure stops all assemblers. `say` is called from several threads.
    """
    taken: dict[str, TakenLayer] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in range(ATTEMPTS):
            missing = [plan for plan in plans if plan.name not in taken]
            result = pool.map(lambda plan: link_cached(plan, work), missing)
            taken |= {plan.name: layer for plan, layer in zip(missing, result, strict=True) if layer}
            # The largest first, so that it does not run alone at the end.
            todo = sorted((plan for plan in missing if plan.name not in taken), key=lambda plan: -plan.weight)
            if not todo:
                return [taken[plan.name] for plan in plans]
            finished, total = iter(range(1, len(todo) + 1)), len(todo)

            def progress(name: str, finished: Iterator[int] = finished, total: int = total) -> None:
                say(f"layer {next(finished)}/{total}: {name}")

            records = [pool.submit(make_layer, assembler, plan, work, progress) for plan in todo]
            try:
                for future in records:
                    future.result()
            except BaseException:
                assembler.stop()
                raise
    raise sealed.Altered(f"layers: altered as often as they were made: {join_names([plan.name for plan in todo])}")


def list_label_arguments(source: Checkout) -> list[str]:
    """Return the assembler's arguments for the image's labels."""
    locks = b"".join(source.files[f"{LOCKS}/{name}.lock"].data for name in PARSED)
    named = re.search(r'^version = "([^"]+)"', source.files["pyproject.toml"].data.decode(), re.MULTILINE)
    assert named is not None, "pyproject.toml has a version"
    revision = ["--revision", source.commit] if source.commit else []
    return [*revision, "--version", named[1], "--locks", sha256(locks)]


def build_record(layout: Path, digest: str, folders: Sequence[Path], linted_by: str) -> dict[str, Any]:
    """Build the record of a layout; sizes in bytes.

    `folders` are the layers' in the image's order. The record can be written as JSON.
    """
    manifest = read_document(layout, digest)
    config = read_document(layout, manifest["config"]["digest"])
    layers = [json.loads((folder / "layer.json").read_bytes()) for folder in folders]
    return {
        "digest": digest,
        "config_digest": manifest["config"]["digest"],
        "size": sum(layer["size"] for layer in layers),
        "unpacked_size": sum(layer["unpacked_size"] for layer in layers),
        "layers": layers,
        "revision": config["config"]["Labels"][REVISION],
        "linted_by": linted_by,
    }


def read_document(layout: Path, digest: str) -> dict[str, Any]:
    """Read a document of a layout."""
    document: dict[str, Any] = json.loads((layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())
    return document


@contextlib.contextmanager
def stopping(assembler: Assembler) -> Iterator[None]:
    """Terminate the assembler's processes when the block ends."""
    try:
        yield
    finally:
        assembler.stop()


def render_sizes(record: dict[str, Any]) -> str:
    """Render the layers of an image and their sizes as a table."""
    rows = [(layer["name"], layer["size"], layer["unpacked_size"], layer["digest"]) for layer in record["layers"]]
    rows.append(("total", record["size"], record["unpacked_size"], ""))
    width = max(len(name) for name, *_ in rows)
    lines = [f"{'layer':{width}}  {'MB gzip':>8}  {'MB tar':>8}  digest"]
    for name, size, unpacked, digest in rows:
        lines.append(f"{name:{width}}  {size / MEGABYTE:8.3f}  {unpacked / MEGABYTE:8.2f}  {digest[:19]}".rstrip())
    return "\n".join(lines)


def report(record: dict[str, Any], output: Path) -> str:
    """Render the summary of a build."""
    from nix.oci.lint.rules import READ_RULES  # with the whole linter, a quarter of this module's import time

    values = {
        "size change": describe_growth(record["before"], read_sizes(record)),
        "revision": record["revision"],
        "layout": output,
        "lint": f"passed ({READ_RULES} rules)",
        "config": record["config_digest"],
        "digest": record["digest"],
    }
    return "\n".join((render_sizes(record), *(f"{name:12} {value}" for name, value in values.items())))


@command("build", BuildProblem, pins.InputProblem, interrupted="the next build resumes from here")
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 built, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="score-processor build", description="Build the image from its pinned inputs, without Nix."
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="image layout to write (default: build/image)"
    )
    parser.add_argument("--json", action="store_true", help="print the build's record as JSON instead of the table")
    parser.add_argument("--lint-only", action="store_true", help="lint the existing layout, build nothing")
    parser.add_argument("--lock-layers", action="store_true", help="update nix/locks/layers.lock, build no image")
    arguments = parser.parse_args(words)
    if arguments.lint_only:
        print(lint_again(arguments.output))
        return DONE
    if arguments.lock_layers:
        moved = lock_layers(lambda line: print(line, file=sys.stderr, flush=True))
        print(f"nix/locks/layers.lock: {'updated' if moved else 'unchanged'}")
        return DONE
    record = build(arguments.output, lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(record, sort_keys=True, indent=1) if arguments.json else report(record, arguments.output))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
