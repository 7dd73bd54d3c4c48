"""Lambda's rules for container images, all of them at once: the service itself reports one fault per deploy."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from oci.contents import parents
from oci.elf import AMD64
from oci.imports import SITES
from oci.libraries import Loader, Missing
from oci.rules import LAMBDA, Limits, Problem
from oci.scan import Item, Scan
from oci.source import Image
from oci.start import roots, start_problems
from oci.tree import OPAQUE, WHITEOUT, Tree, is_mark

READABLE, SEARCHABLE = 0o004, 0o005
SET_ID = 0o6000
ODD = frozenset(" \\")
# What nearly every entry is: nothing in it needs a closer look.
PLAIN = re.compile(r"[\w+@=-][\w.+@=-]*(?:/[\w+@=-][\w.+@=-]*)*")
USUAL = {("file", 0o644), ("file", 0o755), ("folder", 0o755), ("link", 0o777)}
# Where distributions keep secrets, locks and spools: functions run without reading them.
RARELY_READ = ("etc/", "root/", "home/", "run/", "var/backups/", "var/cache/", "var/lib/", "var/log/", "var/spool/")


def lint(image: Image, limits: Limits = LAMBDA) -> list[Problem]:
    """Every broken rule of `image`; an empty list when Lambda takes it."""
    problems = [Problem(note.rule, note.where, note.text) for note in image.notes]
    problems += document_problems(image, limits)
    problems += blob_problems(image)
    readable = [scan for scan in image.scans if scan is not None]
    tree = Tree()
    for scan in readable:
        problems += layer_problems(scan, tree)
        tree.apply(scan)
    complete = len(readable) == len(image.scans) and not any(scan.fault for scan in readable)
    if complete and readable and image.config:
        problems += tree_problems(tree)
        problems += library_problems(tree, image)
        problems += start_problems(tree, image.config.get("config") or {})
    return problems


def document_problems(image: Image, limits: Limits) -> Iterator[Problem]:
    """Faults of manifest and config."""
    if image.manifest_size >= limits.manifest:
        yield Problem(
            "manifest-size", "manifest", f"it has {image.manifest_size} bytes; fewer than {limits.manifest} are allowed"
        )
    if not image.config:
        return
    platform = (image.config.get("os"), image.config.get("architecture"))
    if platform != ("linux", "amd64"):
        yield Problem("platform", "config", f"it is for {'/'.join(map(str, platform))}, not for linux/amd64")
    history = [entry for entry in image.config.get("history") or () if not entry.get("empty_layer")]
    # AWS's own images have none at all, and run; a part of it is what the service stumbles over.
    if history and len(history) != len(image.layers):
        yield Problem("history", "config", f"{len(history)} history entries with a layer, {len(image.layers)} layers")
    unpacked = sum(scan.unpacked_size for scan in image.scans if scan is not None)
    if unpacked > limits.unpacked:
        yield Problem("unpacked-size", "layers", f"they unpack to {unpacked} bytes, {limits.unpacked} are allowed")


def blob_problems(image: Image) -> Iterator[Problem]:
    """Layers whose bytes are not what manifest and config say."""
    diff_ids = (image.config.get("rootfs") or {}).get("diff_ids") or []
    if image.config and len(diff_ids) != len(image.layers):
        yield Problem("diff-id", "config", f"{len(diff_ids)} diff_ids, {len(image.layers)} layers")
        diff_ids = []
    for number, (layer, scan) in enumerate(zip(image.layers, image.scans, strict=True)):
        if scan is None:
            continue
        where = f"layer {layer.get('digest')}"
        if image.manifest is not None and scan.size != layer.get("size"):
            yield Problem(
                "blob-size", where, f"its descriptor says {layer.get('size')} bytes, the blob has {scan.size}"
            )
        elif image.manifest is not None and scan.digest != layer.get("digest"):
            yield Problem("blob-digest", where, f"the blob's bytes are {scan.digest}")
        elif scan.fault is not None:
            yield Problem(scan.fault[0], where, scan.fault[1])
        elif diff_ids and scan.diff_id != diff_ids[number]:
            yield Problem("diff-id", where, f"the config says {diff_ids[number]}, it unpacks to {scan.diff_id}")
        if not scan.closed:
            yield Problem("tar-end", where, "its tar breaks off after the last file's bytes")


def layer_problems(scan: Scan, below: Tree) -> Iterator[Problem]:
    """Faults of a layer's entries; `below` is what the earlier layers make."""
    complete: set[str] = set()  # folders whose parents were looked for
    counted = Counter(item.path for item in scan.items)
    for path, count in counted.items():
        if count > 1:
            yield Problem("path-duplicate", f"/{path}", f"the layer holds it {count} times")
    for item in scan.items:
        if (item.kind, item.mode) not in USUAL or not PLAIN.fullmatch(item.path):
            yield from name_problems(item)
            yield from kind_problems(item)
            yield from whiteout_problems(item, below)
        folder = item.path.rpartition("/")[0]
        if folder not in complete and posixpath.normpath(item.path) == item.path and not leads_out(item.path):
            for parent in parents(item.path):
                if parent not in counted and parent not in below.items and parent not in complete:
                    yield Problem("parent-folder", f"/{item.path}", f"no layer so far holds its folder /{parent}")
                complete.add(parent)


def name_problems(item: Item) -> Iterator[Problem]:
    """Paths that leave the image, or that one reader takes for another than the next."""
    if leads_out(item.path):
        yield Problem("path-escapes", item.path, "it leads out of the image")
    elif item.path and posixpath.normpath(item.path) != item.path:
        yield Problem("path-name", repr(item.path), "it has empty or dot parts")
    # Blanks, control characters, backslashes, and bytes that are no UTF-8, which surrogates stand for here.
    if not item.path.isprintable() or ODD.intersection(item.path):
        odd = sorted({character for character in item.path if character in ODD or not character.isprintable()})
        yield Problem("path-name", ascii("/" + item.path), f"it holds {', '.join(map(ascii, odd))}")


def leads_out(path: str) -> bool:
    """Whether a path leaves the folder that it is read in."""
    return path.startswith("/") or (".." in path and ".." in path.split("/"))


def kind_problems(item: Item) -> Iterator[Problem]:
    """Entries that an arbitrary user of a read-only file system cannot use."""
    where = f"/{item.path}"
    if item.kind == "hard link":
        yield Problem("hard-link", where, f"it is a hard link to {item.target}; store a copy or a symbolic link")
    elif item.kind not in ("file", "folder", "link"):
        yield Problem("file-type", where, f"it is a {item.kind}")
    elif item.kind != "link":
        wanted = SEARCHABLE if item.kind == "folder" else READABLE
        if item.mode & wanted != wanted:
            verb = "search" if item.kind == "folder" else "read"
            rule = "private" if (item.path + "/").startswith(RARELY_READ) else "readable"
            yield Problem(rule, where, f"mode {item.mode & 0o7777:04o} lets only its owner's side {verb} it")
        if item.mode & SET_ID:
            yield Problem("set-id", where, f"mode {item.mode & 0o7777:04o} asks for another user's rights")


def whiteout_problems(item: Item, below: Tree) -> Iterator[Problem]:
    """Whiteouts that delete nothing: the writer meant another path, and that one stays."""
    if not is_mark(item.path):
        return
    folder, name = posixpath.split(item.path)
    gone = folder if name == OPAQUE else posixpath.join(folder, name.removeprefix(WHITEOUT))
    if name != OPAQUE and gone not in below.items:
        yield Problem("whiteout", f"/{item.path}", f"no earlier layer holds /{gone}")


def tree_problems(tree: Tree) -> Iterator[Problem]:
    """Links that lead nowhere, in the image as a container sees it."""
    for item in tree:
        if item.kind == "link" and tree.find(item.path) is None and not is_kernel(item.target):
            yield Problem("dangling-link", f"/{item.path}", f"it leads to {item.target}, which is not in the image")


def is_kernel(target: str) -> bool:
    """Whether a link leads into a file system that the kernel mounts when the container starts."""
    return target.startswith(("/proc/", "/dev/", "/sys/"))


def library_problems(tree: Tree, image: Image) -> Iterator[Problem]:
    """ELF files that cannot be loaded here, for whatever reason."""
    for item in tree:
        if item.elf is None:
            continue
        if item.elf.machine != AMD64:
            yield Problem("elf-machine", f"/{item.path}", "it is compiled for another machine than amd64")
        elif item.elf.broken:
            yield Problem("elf-broken", f"/{item.path}", "its tables lead out of the file")
        elif item.elf.interpreter and tree.find(item.elf.interpreter) is None:
            yield Problem("interpreter", f"/{item.path}", f"its loader {item.elf.interpreter} is not in the image")
    yield from missing_problems(tree, image)


def missing_problems(tree: Tree, image: Image) -> Iterator[Problem]:
    """Libraries and symbol versions that no search finds."""
    loader = Loader(tree, library_path(image))
    settings = image.config.get("config") or {}
    needed = needed_at_start(tree, settings, loader)
    folders = tuple(f"{folder.strip('/')}/" for folder in roots(settings, settings.get("Env") or []))
    for missing in loader.missing():
        where = f"/{missing.path}"
        if missing.version is not None:
            yield Problem("symbol-version", where, f"it needs {missing.version} of {missing.library}")
            continue
        # Distributions ship programs and modules of Python whose libraries are in packages of their own.
        ours = missing in needed or missing.path.startswith(folders) or any(f"/{site}/" in where for site in SITES)
        text = f"it needs {missing.library}, which no search path of the image holds"
        yield Problem("library" if ours else "optional-library", where, text)


def needed_at_start(tree: Tree, settings: Mapping[str, Any], loader: Loader) -> set[Missing]:
    """What is missing for the program that the image starts."""
    words = list(settings.get("Entrypoint") or ()) or list(settings.get("Cmd") or ())
    item = tree.find(words[0]) if words else None
    return set(loader.follow(item)) if item is not None and item.elf is not None and not item.elf.broken else set()


def library_path(image: Image) -> list[str]:
    """The folders of LD_LIBRARY_PATH in the image's environment."""
    environment = (image.config.get("config") or {}).get("Env") or []
    return [
        folder
        for line in environment
        if line.startswith("LD_LIBRARY_PATH=")
        for folder in line.partition("=")[2].split(":")
        if folder
    ]
