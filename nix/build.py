#!/usr/bin/env python3
"""Build the image without Nix: pinned inputs → layers → an OCI image layout, checked by Lambda's rules.

    build.py [--output FOLDER] [--json | --lint-only | --lock-layers]

Standard library only. The result depends on the repository's tracked files and locks, on nothing of this machine: Nix
builds the same digest. FOLDER (default build/image) is replaced in one step, and FOLDER.json beside it says what it is.
"""

import argparse
import contextlib
import ctypes
import errno
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pins
import unread
from assembler import INTERRUPTED, Assembler, BuildProblem, sources_digest
from cache import in_use, locked
from growth import growth, sizes, sizes_before
from layers import APP_FOLDERS, Plan, app_plans, base_plan, digest_of, make_layer, sbom_plan, wheel_plans
from revision import REPOSITORY, Checkout, checkout
from workspace import workspace

import inputs

DEFAULT_OUTPUT = REPOSITORY / "build" / "image"
BUDGET = pins.LOCKS / "budget.toml"
LAYERS_LOCK = pins.LOCKS / "layers.lock"
DONE, FAILED = 0, 1
AT_FDCWD, RENAME_EXCHANGE = -100, 2
MEGABYTE = 1_000_000
FULL = "\n  Free some of that disk (make cache-prune), or name another: SCORE_PROCESSOR_CACHE=…"


def build(output: Path = DEFAULT_OUTPUT, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Build the image into the folder `output` and return what its .json says.

    BuildProblem or pins.InputProblem when it cannot be built; then `output` is as it was.
    """
    with in_use():
        return build_here(output, say)


def build_here(output: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """The same, while nobody prunes the cache."""
    output = output.absolute()
    refuse_foreign(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    source = checkout(APP_FOLDERS)
    if source.untracked:
        say(f"not in the image, since git does not track them (git add): {shortened(source.untracked)}")
    inputs.cached_wheels()
    root_hash, assembler = pins.deb_lock("image").root, image_assembler()
    with working_folder(output) as work, stopping(assembler):
        plans = [
            base_plan(assembler, root_hash),
            *wheel_plans(assembler, pins.wheel_lock()),
            sbom_plan(assembler, pins.wheel_lock()),
            *app_plans(assembler, source, work),
        ]
        folders = make_layers(assembler, plans, say)
        layout = work / "layout"
        limits = ("--layers-lock", LAYERS_LOCK, "--budget", BUDGET)
        digest = assembler.run("image", "--check", *limits, "--output", layout, *label_arguments(source), *folders)
        record = sidecar(layout, digest, folders, source)
        record["before"] = sizes_before(record_file(output), source.revision)
        publish(layout, record, output)
    return record


def lock_layers(say: Callable[[str], None] = lambda _: None) -> bool:
    """Write nix/locks/layers.lock for the layers that this machine makes of the pins; whether it moved."""
    with in_use():
        inputs.cached_wheels()
        assembler = image_assembler()
        wheels = pins.wheel_lock()
        base = base_plan(assembler, pins.deb_lock("image").root)
        plans = [base, *wheel_plans(assembler, wheels), sbom_plan(assembler, wheels)]
        with workspace() as work, stopping(assembler):
            folders = make_layers(assembler, plans, say)
            assembler.run("lock", "--output", work / LAYERS_LOCK.name, *folders)
            before = LAYERS_LOCK.read_bytes() if LAYERS_LOCK.exists() else b""
            moved = (work / LAYERS_LOCK.name).read_bytes() != before
            for path in work.iterdir() if moved else ():
                shutil.copyfile(path, part := LAYERS_LOCK.with_name(f".{path.name}"))
                part.replace(LAYERS_LOCK.with_name(path.name))
    return moved


def image_assembler() -> Assembler:
    """The assembler on the image's root, which is fetched and unpacked first where it is not there."""
    root = inputs.root("image")
    return Assembler(root, digest_of(sources_digest(), pins.deb_lock("image").root))


def lint_again(output: Path) -> str:
    """Read the layout in `output` from the disk, every blob to its end; BuildProblem with all broken rules."""
    return image_assembler().run("lint", output)


def shortened(names: Sequence[str], limit: int = 5) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def make_layers(assembler: Assembler, plans: Sequence[Plan], say: Callable[[str], None]) -> list[Path]:
    """The folders of all layers in their order; those that are not cached are made, the biggest first, in parallel."""
    todo = sorted((plan for plan in plans if not plan.is_made), key=lambda plan: -plan.weight)
    finished = iter(range(1, len(todo) + 1))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = [
            pool.submit(make_layer, assembler, plan, lambda name: say(f"layer {next(finished)}/{len(todo)}: {name}"))
            for plan in todo
        ]
        try:
            for future in made:
                future.result()
        except BaseException:
            assembler.stop()
            raise
    return [plan.folder for plan in plans]


def label_arguments(source: Checkout) -> list[str]:
    """The assembler's arguments for the image's labels."""
    locks = b"".join((pins.LOCKS / f"{name}.lock").read_bytes() for name in ("image-debs", "image-wheels"))
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    named = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    assert named is not None, "pyproject.toml names no version"
    digest = hashlib.sha256(locks).hexdigest()
    return ["--revision", source.revision, "--version", named[1], "--locks", f"sha256:{digest}"]


def sidecar(layout: Path, digest: str, folders: Sequence[Path], source: Checkout) -> dict[str, Any]:
    """What is said about a layout beside it; sizes in bytes."""
    manifest = json.loads((layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())
    layers = [json.loads((folder / "layer.json").read_bytes()) for folder in folders]
    return {
        "digest": digest,
        "config_digest": manifest["config"]["digest"],
        "size": sum(layer["size"] for layer in layers),
        "unpacked_size": sum(layer["unpacked_size"] for layer in layers),
        "layers": layers,
        "revision": source.revision,
        "linted_by": sources_digest(),
    }


def refuse_foreign(output: Path) -> None:
    """BuildProblem when FOLDER or FOLDER.json is there and was not written by a build, which replaces both."""
    record = record_file(output)
    whole = not output.exists() or (output.is_dir() and (not any(output.iterdir()) or (output / "oci-layout").exists()))
    if not whole or (record.exists() and b'"config_digest"' not in record.read_bytes()):
        raise BuildProblem(
            f"{output if not whole else record}: expected nothing or what an earlier build wrote, got something else\n"
            "  A build would replace it. Name another folder: --output FOLDER"
        )


@contextlib.contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A folder beside `output`, so that what is finished can be renamed; gone at the end, whatever happens."""
    prefix = f".{output.name}.building-"
    with locked("work-" + digest_of(str(output))[:16]):
        for left in output.parent.glob(f"{glob.escape(prefix)}????????"):  # of killed builds: this one is alone here
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=prefix, dir=output.parent))
        work.chmod(0o755)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def stopping(assembler: Assembler) -> Iterator[None]:
    """End the assembler's processes when the build ends in any way."""
    try:
        yield
    finally:
        assembler.stop()


def publish(layout: Path, record: dict[str, Any], output: Path) -> None:
    """Put a finished layout and its .json in place of what was there."""
    part = layout.parent / "image.json"
    part.write_text(json.dumps(record, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    if output.exists():
        exchange(layout, output)  # the old one goes with the working folder
    else:
        layout.rename(output)
    part.replace(record_file(output))


def record_file(output: Path) -> Path:
    """Where it is said what the layout at `output` is."""
    return output.with_name(f"{output.name}.json")


def exchange(new: Path, old: Path) -> None:
    """Swap two folders in one step, or in two where the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 and renameat2(AT_FDCWD, bytes(new), AT_FDCWD, bytes(old), RENAME_EXCHANGE) == 0:
        return
    old.rename(new.with_name("old"))
    new.rename(old)


def table(record: dict[str, Any]) -> str:
    """The layers of an image and their sizes, for people."""
    rows = [(layer["name"], layer["size"], layer["unpacked_size"], layer["digest"]) for layer in record["layers"]]
    rows.append(("all", record["size"], record["unpacked_size"], ""))
    width = max(len(name) for name, *_ in rows)
    lines = [f"{'layer':{width}}  {'MB gzip':>8}  {'MB tar':>8}  digest"]
    for name, size, unpacked, digest in rows:
        lines.append(f"{name:{width}}  {size / MEGABYTE:8.3f}  {unpacked / MEGABYTE:8.2f}  {digest[:19]}".rstrip())
    return "\n".join(lines)


def report(record: dict[str, Any], output: Path) -> str:
    """What a build prints at its end."""
    return "\n".join(
        (
            table(record),
            f"grew      {growth(record['before'], sizes(record))}",
            f"revision  {record['revision']}",
            f"layout    {output}",
            "lint      no problem: Lambda takes this image",
            f"config    {record['config_digest']}",
            f"digest    {record['digest']}",
        )
    )


def main(words: Sequence[str] | None = None) -> int:
    """Command line: 0 built, 1 not built, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description="Build the image from its pinned inputs, without Nix.")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="the image layout (default: build/image)")
    parser.add_argument("--json", action="store_true", help="print FOLDER.json's text in place of the table")
    parser.add_argument("--lint-only", action="store_true", help="check the layout that is there, build nothing")
    parser.add_argument("--lock-layers", action="store_true", help="write nix/locks/layers.lock, build no image")
    arguments = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    try:
        if arguments.lint_only:
            print(lint_again(arguments.output))
            return DONE
        if arguments.lock_layers:
            moved = lock_layers(lambda line: print(line, file=sys.stderr, flush=True))
            print(f"nix/locks/layers.lock {'moved' if moved else 'is as it was'}")
            return DONE
        record = build(arguments.output, lambda line: print(line, file=sys.stderr, flush=True))
    except (BuildProblem, pins.InputProblem) as problem:
        full = os.strerror(errno.ENOSPC) in str(problem)
        print(f"build: {problem}{FULL if full else ''}", file=sys.stderr)
        return FAILED
    except OSError as problem:
        print(f"build: {inputs.told(problem)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("build: interrupted; the next build goes on from here", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(record, sort_keys=True, indent=1) if arguments.json else report(record, arguments.output))
    return DONE


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
