"""The verbs of the assembler.

    oci layer base   --output OUT ROOT
    oci layer wheels --output OUT --name NAME [--licences FOLDER] FILE...
    oci layer app    --output OUT [--files LIST] FOLDER
    oci image        --output OUT --revision TEXT [--version TEXT] [--locks DIGEST] [--check] [--budget FILE]
                     [--layers-lock FILE] LAYER...
    oci lint         [--report FILE] LAYOUT

An input may carry the digest that it must have, `PATH#sha256:HEX` (of a root: of its Nix archive); it is then compared
while the input is read. LIST holds the paths to take, each ended by a NUL. --check refuses an image in which two layers
write one path, or which Lambda would not take.

Each verb imports what it needs: a build starts this program once for each layer.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from oci.contents import Contents
from oci.exceptions import OciError

DONE, FAILED, INTERRUPTED = 0, 1, 130
SOUND = "no problem: Lambda takes this image"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="oci", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    kinds = verbs.add_parser("layer").add_subparsers(dest="kind", required=True)
    base, wheels, app, sbom = (kinds.add_parser(kind) for kind in ("base", "wheels", "app", "sbom"))
    sbom.add_argument("--debs", required=True, type=Path, help="the lock of the root's packages")
    sbom.add_argument("--wheels", required=True, type=Path, help="the lock of the wheels")
    sbom.add_argument("--root", required=True, type=Path)
    sbom.add_argument("inputs", metavar="FILE", nargs="+", type=Path)
    base.add_argument("inputs", metavar="ROOT", nargs=1)
    wheels.add_argument("--name", required=True)
    wheels.add_argument("--licences", type=Path)
    wheels.add_argument("inputs", metavar="FILE", nargs="+")
    app.add_argument("--files", type=Path)
    app.add_argument("inputs", metavar="FOLDER", nargs=1)
    image = verbs.add_parser("image")
    image.add_argument("--revision", required=True)
    image.add_argument("--version")
    image.add_argument("--locks")
    image.add_argument("--check", action="store_true")
    image.add_argument("--budget", type=Path, help="refuse what is above the ceilings in this file")
    image.add_argument("--layers-lock", type=Path, help="refuse layers that are not those of this lock")
    image.add_argument("layers", metavar="LAYER", nargs="+", type=Path)
    for made in (base, wheels, app, sbom, image):
        made.add_argument("--output", required=True, type=Path)
    locking = verbs.add_parser("lock")
    locking.add_argument("--output", required=True, type=Path, help="layers.lock; its listing is written beside it")
    locking.add_argument("layers", metavar="LAYER", nargs="+", type=Path)
    reader = verbs.add_parser("lint")
    reader.add_argument("--report", type=Path)
    reader.add_argument("layout", type=Path)
    return top


def given(text: str) -> tuple[Path, str | None]:
    """The path and the promised digest of an input."""
    path, mark, digest = text.rpartition("#sha256:")  # a path may hold a # of its own
    return (Path(path), f"sha256:{digest}") if mark else (Path(text), None)


def contents_of(arguments: argparse.Namespace) -> tuple[str, Contents]:
    """Name and entries of the layer that was asked for."""
    if arguments.kind == "base":
        from oci.root import base_contents

        return "base", base_contents(*given(arguments.inputs[0]))
    if arguments.kind == "wheels":
        from oci.wheels import wheel_contents

        return arguments.name, wheel_contents([given(text) for text in arguments.inputs], arguments.licences)
    if arguments.kind == "sbom":
        from oci.sbom import sbom_contents

        return "sbom", sbom_contents(arguments.debs, arguments.wheels, arguments.root, arguments.inputs)
    from oci.app import app_contents

    tracked = None if arguments.files is None else arguments.files.read_text(errors="surrogateescape").split("\0")
    folder = Path(arguments.inputs[0])
    return folder.name, app_contents([folder], tracked)


def make_layer(arguments: argparse.Namespace) -> int:
    """Write one layer and print its digest; OciError where the interpreter would write other bytecode than all do."""
    from oci.bytecode import has_columns
    from oci.layer import EDITED, LEVEL, write_layer
    from oci.scan_file import write_scan

    if has_columns():
        raise OciError("start the assembler with -X no_debug_ranges: columns make an image of this kind 7 MB bigger")
    name, contents = contents_of(arguments)
    level = EDITED if arguments.kind == "app" else LEVEL
    record = write_layer(name, contents, arguments.output, level)
    write_scan(arguments.output)
    print(record.digest)
    return DONE


def make_image(arguments: argparse.Namespace) -> int:
    """Write a layout and print the image's digest."""
    from oci.budget import check_budget
    from oci.check import check_image
    from oci.config import labels
    from oci.layout import write_layout
    from oci.locked import check_locked

    if arguments.layers_lock:
        check_locked(arguments.layers, arguments.layers_lock)
    if arguments.budget:
        check_budget(arguments.layers, arguments.budget)
    image_labels = labels(arguments.revision, arguments.version, arguments.locks)
    record = write_layout(arguments.output, arguments.layers, image_labels)
    if arguments.check and (problems := check_image(arguments.output, arguments.layers)):
        print("\n".join(map(str, problems)), file=sys.stderr)
        return FAILED
    print(record.image.digest)
    return DONE


def lint_layout(arguments: argparse.Namespace) -> int:
    """Print every problem of an image; 1 when there is one."""
    from oci.lint import lint
    from oci.source import layout_image

    problems = lint(layout_image(arguments.layout))
    if problems:
        print("\n".join(map(str, problems)), file=sys.stderr)
        return FAILED
    if arguments.report:
        arguments.report.write_text(f"{SOUND}\n")
    print(f"lint      {SOUND}")
    return DONE


def lock_layers(arguments: argparse.Namespace) -> int:
    """Write the lock of these layers and the listing of their files."""
    from oci.locked import files_bytes, lock_text

    arguments.output.write_text(lock_text(arguments.layers))
    arguments.output.with_name("layers.files.xz").write_bytes(files_bytes(arguments.layers))
    return DONE


VERBS = {"layer": make_layer, "image": make_image, "lint": lint_layout, "lock": lock_layers}


def main(words: Sequence[str]) -> int:
    """Run the verb; 0 done, 1 refused with a message, 2 misused."""
    arguments = parser().parse_args(words)
    try:
        return VERBS[arguments.verb](arguments)
    except OciError as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        print(f"{problem.filename or arguments.output}: {problem.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED
