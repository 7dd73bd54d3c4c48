"""The verbs of the assembler.

    oci layer base   --output OUT ROOT
    oci layer wheels --output OUT --name NAME [--licences FOLDER] FILE...
    oci layer app    --output OUT [--files LIST] FOLDER
    oci layer sbom   --output OUT --debs LOCK --wheels LOCK --root ROOT FILE...
    oci image        --output OUT [--revision TEXT | --archive FOLDER] [--version TEXT] [--locks DIGEST] [--check]
                     [--budget FILE] [--layers-lock FILE] LAYER...
    oci lock         --output LOCK LAYER...
    oci lint         [--report FILE] LAYOUT
    oci compile      --output PREFIX --place FOLDER

An input may carry its expected digest as `PATH#sha256:HEX` (for a root: of its Nix archive), which is verified while
the input is read. LIST has NUL-terminated paths. --check refuses an image in which two layers write one path, or which
breaks a lint rule. Without --revision the image is labelled by its content, or with the commit of the source archive in
--archive, if its files are exactly that commit's.

Each verb imports only what it needs: a build starts this program once per layer.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .contents import Contents
from .exceptions import OciError

DONE, FAILED, INTERRUPTED = 0, 1, 130


def create_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
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
    image.add_argument("--revision")
    image.add_argument("--archive", type=Path, help="an extracted source archive")
    image.add_argument("--version")
    image.add_argument("--locks")
    image.add_argument("--check", action="store_true")
    image.add_argument("--budget", type=Path, help="fail if a size exceeds this budget")
    image.add_argument("--layers-lock", type=Path, help="fail if a layer differs from this lock")
    image.add_argument("layers", metavar="LAYER", nargs="+", type=Path)
    for subparser in (base, wheels, app, sbom, image):
        subparser.add_argument("--output", required=True, type=Path)
    locking = verbs.add_parser("lock")
    locking.add_argument("--output", required=True, type=Path, help="layers.lock; layers.files.xz is written beside it")
    locking.add_argument("layers", metavar="LAYER", nargs="+", type=Path)
    compiling = verbs.add_parser("compile")
    compiling.add_argument("--output", required=True, type=Path)
    compiling.add_argument("--place", required=True, type=Path, help="where the assembler will be")
    reader = verbs.add_parser("lint")
    reader.add_argument("--report", type=Path)
    reader.add_argument("layout", type=Path)
    return top


def split_digest(text: str) -> tuple[Path, str | None]:
    """Split an input argument, `PATH#sha256:HEX` or `PATH`, into its path and its expected digest, None without one."""
    path, mark, digest = text.rpartition("#sha256:")  # a path may contain #
    return (Path(path), f"sha256:{digest}") if mark else (Path(text), None)


def collect_layer(arguments: argparse.Namespace) -> tuple[str, Contents]:
    """Return the name and the entries of the requested layer."""
    if arguments.kind == "base":
        from .root import collect_base

        return "base", collect_base(*split_digest(arguments.inputs[0]))
    if arguments.kind == "wheels":
        from .wheels import collect_wheels

        return arguments.name, collect_wheels([split_digest(text) for text in arguments.inputs], arguments.licences)
    if arguments.kind == "sbom":
        from .sbom import collect_sbom

        return "sbom", collect_sbom(arguments.debs, arguments.wheels, arguments.root, arguments.inputs)
    from .app import collect_app

    tracked = None if arguments.files is None else arguments.files.read_text(errors="surrogateescape").split("\0")
    folder = Path(arguments.inputs[0])
    return folder.name, collect_app([folder], tracked)


def make_layer(arguments: argparse.Namespace) -> int:
    """Write one layer and print its digest; raises OciError if the interpreter writes column tables."""
    from .bytecode import has_columns
    from .layer import EDITED, LEVEL, write_layer
    from .lint.scan_file import write_scan

    if has_columns():
        raise OciError("start the assembler with -X no_debug_ranges: column tables would add 7 MB to the image")
    name, contents = collect_layer(arguments)
    level = EDITED if arguments.kind == "app" else LEVEL
    record = write_layer(name, contents, arguments.output, level)
    write_scan(arguments.output)
    print(record.digest)
    return DONE


def make_image(arguments: argparse.Namespace) -> int:
    """Write a layout and print the image's digest; 1 if --check finds problems, which are printed."""
    from .budget import check_budget
    from .check import check_image
    from .config import create_labels, with_revision
    from .layer import read_layer
    from .layout import write_layout
    from .locked import check_locked

    if arguments.layers_lock:
        check_locked(arguments.layers, arguments.layers_lock)
    if arguments.budget:
        check_budget(arguments.layers, arguments.budget)
    revision = arguments.revision or find_archived_commit(arguments.archive)
    image_labels = create_labels(revision, arguments.version, arguments.locks)
    if revision is None:
        image_labels = with_revision([read_layer(folder) for folder in arguments.layers], image_labels)
    record = write_layout(arguments.output, arguments.layers, image_labels)
    if arguments.check and (problems := check_image(arguments.output, arguments.layers)):
        print("\n".join(map(str, problems)), file=sys.stderr)
        return FAILED
    print(record.image.digest)
    return DONE


def find_archived_commit(folder: Path | None) -> str | None:
    """Return the commit of an extracted source archive; None unless its files are the commit's."""
    if folder is None:
        return None
    from .source_archive import read_source_archive

    archive = read_source_archive(folder)
    return archive.commit if archive and archive.is_intact else None


def compile_assembler(arguments: argparse.Namespace) -> int:
    """Compile the assembler itself, and print a digest of what was written."""
    from .own_bytecode import compile_own

    print(compile_own(arguments.output, arguments.place))
    return DONE


def lint_layout(arguments: argparse.Namespace) -> int:
    """Print every problem of an image; return 1 if there is one."""
    from .lint import READ_RULES, lint_image

    problems = lint_image(arguments.layout)
    if problems:
        print("\n".join(map(str, problems)), file=sys.stderr)
        return FAILED
    passed = f"passed ({READ_RULES} rules)"
    if arguments.report:
        arguments.report.write_text(f"{passed}\n")
    print(f"lint: {passed}")
    return DONE


def lock_layers(arguments: argparse.Namespace) -> int:
    """Write the lock of these layers, and the list of their files, which reads and unpacks every blob."""
    from .locked import render_files, render_lock

    arguments.output.write_text(render_lock(arguments.layers))
    arguments.output.with_name("layers.files.xz").write_bytes(render_files(arguments.layers))
    return DONE


VERBS = {
    "compile": compile_assembler,
    "image": make_image,
    "layer": make_layer,
    "lint": lint_layout,
    "lock": lock_layers,
}


def main(words: Sequence[str]) -> int:
    """Run the verb; 0 done, 1 failed with a message, 2 misused, 130 interrupted."""
    arguments = create_parser().parse_args(words)
    try:
        return VERBS[arguments.verb](arguments)
    except OciError as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        print(f"{problem.filename or arguments.output}: {problem.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED
