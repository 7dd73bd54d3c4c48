"""Every check of an image against Lambda's rules, except for its start (start.py)."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..paths import parents
from .elf import AMD64
from .image import Image
from .imports import SITES
from .libraries import Loader, MissingLibrary
from .program import EXECUTABLE, Command, find_program, follow
from .rules import LAMBDA, Limits, Problem
from .scan import LayerEntry, Scan
from .start import list_extension_paths, start_problems
from .tree import OPAQUE, WHITEOUT, FileTree, is_whiteout

READABLE, SEARCHABLE = 0o004, 0o005
SET_ID = 0o6000
UNUSUAL = frozenset(" \\")
# Packages bring builds for several platforms, and name these in their paths; the tag of a Python module is not meant.
MACHINE = r"arm64|aarch64|arm(?:v\d\w*|hf|el)?|i?[3-6]86|ia32|x86|ppc64\w*|s390x?|riscv64|loong(?:arch)?64|mips\w*"
OTHER_MACHINE = re.compile(
    rf"(?:^|[^a-z0-9])(?:{MACHINE}|android|(?:free|open|net)bsd)(?![a-z0-9]|[_-]64)", re.IGNORECASE
)
PYTHON_TAG = re.compile(r"\.cpython-[\w-]+\.so\Z")
GLIBC = "lib64/ld-linux-x86-64.so.2"
# Nearly all of an image's entries are plain names with usual modes, and skip the slower checks below.
PLAIN = re.compile(r"[\w+@=-][\w.+@=-]*(?:/[\w+@=-][\w.+@=-]*)*")
USUAL = {("file", 0o644), ("file", 0o755), ("folder", 0o755), ("link", 0o777)}
# Distributions keep secrets, locks and spools here, unreadable for others; functions run without reading them.
RARELY_READ = ("etc/", "root/", "home/", "run/", "var/backups/", "var/cache/", "var/lib/", "var/log/", "var/spool/")


def lint(image: Image, limits: Limits = LAMBDA) -> list[Problem]:
    """Return every broken rule of `image`, in the order documents, blobs, layers, files, start; [] if there is none.

    Rules about the whole file tree are skipped if a layer cannot be read: missing files would be reported falsely.
    """
    problems = [*image.problems, *check_documents(image, limits), *check_blobs(image)]
    readable = [scan for scan in image.scans if scan is not None]
    tree = FileTree()
    for scan in readable:
        problems += check_layer(scan, tree)
        tree.apply(scan)
    complete = len(readable) == len(image.scans) and not any(scan.fault for scan in readable)
    # Without layers the tree is known, and empty, unless a problem hid them.
    if complete and (readable or not image.problems) and image.config:
        settings = image.config.get("config") or {}
        problems += check_links(tree)
        problems += check_permissions(tree, settings)
        problems += check_libraries(tree, image)
        problems += start_problems(tree, settings)
    return problems


def check_documents(image: Image, limits: Limits) -> Iterator[Problem]:
    """Yield problems of manifest and config."""
    if image.manifest_size >= limits.manifest:
        size = f"got {image.manifest_size} bytes, expected fewer than {limits.manifest}"
        yield Problem("manifest-size", "manifest", size)
    if not image.config:
        return
    platform = (image.config.get("os"), image.config.get("architecture"))
    if platform != ("linux", "amd64"):
        yield Problem("platform", "config", f"got {'/'.join(map(str, platform))}, expected linux/amd64")
    history = [entry for entry in image.config.get("history") or () if not entry.get("empty_layer")]
    # AWS's base images have no history and run; an incomplete one is what the service rejects.
    if history and len(history) != len(image.layers):
        yield Problem("history", "config", f"got {len(history)} history entries for {len(image.layers)} layers")
    unpacked = sum(scan.unpacked_size for scan in image.scans if scan is not None)
    if unpacked > limits.unpacked:
        yield Problem("unpacked-size", "layers", f"got {unpacked} bytes unpacked, expected at most {limits.unpacked}")


def check_blobs(image: Image) -> Iterator[Problem]:
    """Yield the layers whose bytes do not match manifest and config; at most one mismatch each."""
    diff_ids = (image.config.get("rootfs") or {}).get("diff_ids") or []
    if image.config and len(diff_ids) != len(image.layers):
        yield Problem("diff-id", "config", f"got {len(diff_ids)} diff_ids for {len(image.layers)} layers")
        diff_ids = []
    for number, (layer, scan) in enumerate(zip(image.layers, image.scans, strict=True)):
        if scan is None:
            continue
        where = f"layer {layer.get('digest')}"
        if image.manifest is not None and scan.size != layer.get("size"):
            text = f"got {scan.size} bytes, expected {layer.get('size')} as its descriptor says"
            yield Problem("blob-size", where, text)
        elif image.manifest is not None and scan.digest != layer.get("digest"):
            yield Problem("blob-digest", where, f"the blob's digest is {scan.digest}")
        elif scan.fault is not None:
            yield Problem(scan.fault[0], where, scan.fault[1])
        elif diff_ids and scan.diff_id != diff_ids[number]:
            yield Problem("diff-id", where, f"got {scan.diff_id}, expected {diff_ids[number]} as the config says")
        if not scan.closed:
            yield Problem("tar-end", where, "the tar ends without padding or end marker")


def check_layer(scan: Scan, below: FileTree) -> Iterator[Problem]:
    """Yield problems of a layer's entries; `below` is the tree of the earlier layers."""
    complete: set[str] = set()  # folders whose parents have been checked
    counts = Counter(entry.path for entry in scan.entries)
    for path, count in counts.items():
        if count > 1:
            yield Problem("path-duplicate", f"/{path}", f"the layer has {count} entries for this path")
    for entry in scan.entries:
        if is_whiteout(entry.path):  # its mode and kind are those of no file; umoci and others write mode 0000
            yield from check_whiteout(entry, below)
        elif (entry.kind, entry.mode) not in USUAL or not PLAIN.fullmatch(entry.path):
            yield from name_problems(entry)
            yield from check_kind(entry)
        folder = entry.path.rpartition("/")[0]
        if folder not in complete and posixpath.normpath(entry.path) == entry.path and not leads_out(entry.path):
            for parent in parents(entry.path):
                if parent not in counts and parent not in below.entries and parent not in complete:
                    yield Problem(
                        "parent-folder", f"/{entry.path}", f"no entry for /{parent} in this or earlier layers"
                    )
                complete.add(parent)


def name_problems(entry: LayerEntry) -> Iterator[Problem]:
    """Yield problems of a path that leaves the image, or that tools read differently."""
    if leads_out(entry.path):
        yield Problem("path-escapes", entry.path, "the path leads out of the image")
    elif entry.path and posixpath.normpath(entry.path) != entry.path:
        yield Problem("path-name", repr(entry.path), "the path has empty or `.` parts")
    # Spaces, control characters, backslashes, and bytes that are not UTF-8 (decoded to surrogates).
    if not entry.path.isprintable() or UNUSUAL.intersection(entry.path):
        characters = sorted({one for one in entry.path if one in UNUSUAL or not one.isprintable()})
        yield Problem("path-name", ascii("/" + entry.path), f"the name contains {', '.join(map(ascii, characters))}")


def leads_out(path: str) -> bool:
    """Return whether a path is absolute or has `..` parts."""
    return path.startswith("/") or (".." in path and ".." in path.split("/"))


def check_kind(entry: LayerEntry) -> Iterator[Problem]:
    """Yield the problem of an entry that is neither file, directory nor symbolic link."""
    if entry.kind == "hard link":
        yield Problem("hard-link", f"/{entry.path}", f"hard link to {entry.target}")
    elif entry.kind not in ("file", "folder", "link"):
        text = f"got a {entry.kind}, expected a file, directory or symbolic link"
        yield Problem("file-type", f"/{entry.path}", text)


def check_whiteout(entry: LayerEntry, below: FileTree) -> Iterator[Problem]:
    """Yield a problem for a whiteout that deletes nothing: the path that its writer meant is still in the image."""
    folder, name = posixpath.split(entry.path)
    deleted_path = folder if name == OPAQUE else posixpath.join(folder, name.removeprefix(WHITEOUT))
    if name != OPAQUE and deleted_path not in below.entries:
        yield Problem("whiteout", f"/{entry.path}", f"no earlier layer has /{deleted_path}")


def check_links(tree: FileTree) -> Iterator[Problem]:
    """Yield the symbolic links that have no target once all layers are applied."""
    for entry in tree:
        if entry.kind == "link" and tree.find(entry.path) is None and not is_kernel_path(entry):
            yield Problem("dangling-link", f"/{entry.path}", f"its target {entry.target} is not in the image")


def check_permissions(tree: FileTree, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what an arbitrary user cannot use on a read-only file system, once all layers are applied."""
    own = list_own_folders(settings, settings.get("Env") or [])
    needed = {
        entry.path for path in (*own, *start_programs(tree, settings)) for entry in tree.list_directories_to(path)
    }
    for entry in tree:
        if (entry.kind, entry.mode) in USUAL or entry.kind not in ("file", "folder"):
            continue
        where, mode = f"/{entry.path}", f"{entry.mode & 0o7777:04o}"
        required, verb = (SEARCHABLE, "search") if entry.kind == "folder" else (READABLE, "read")
        if entry.mode & required != required:
            is_rare = f"{entry.path}/".startswith(RARELY_READ) and not f"{entry.path}/".startswith(own)
            rule = "private" if is_rare and entry.path not in needed else "readable"
            yield Problem(rule, where, f"other users cannot {verb} it: mode {mode}")
        if entry.mode & SET_ID:
            yield Problem("set-id", where, f"setuid or setgid: mode {mode}")


def is_kernel_path(link: LayerEntry) -> bool:
    """Return whether a link leads into a file system that is mounted when the container starts."""
    target = posixpath.normpath(posixpath.join("/", posixpath.dirname(link.path), link.target))
    return f"{target}/".startswith(("/proc/", "/dev/", "/sys/"))


def check_libraries(tree: FileTree, image: Image) -> Iterator[Problem]:
    """Yield the ELF files that cannot be loaded in this image; unknown are programs that perhaps nothing starts."""
    programs = {tree.resolve(path) for path in start_programs(tree, image.config.get("config") or {})}
    for entry in tree:
        if entry.elf is None:
            continue
        where, perhaps = f"/{entry.path}", entry.path not in programs
        if entry.elf.machine != AMD64:
            rule = "optional-library" if perhaps and is_for_another(tree, entry.path) else "elf-machine"
            yield Problem(rule, where, "not built for amd64")
        elif entry.elf.broken:
            is_data = ".so" not in posixpath.basename(entry.path) and not entry.mode & EXECUTABLE
            text = "its ELF tables are invalid or the file is truncated"
            yield Problem("optional-library" if is_data else "elf-broken", where, text)
        elif entry.elf.interpreter and tree.find(entry.elf.interpreter) is None:
            text = f"its dynamic loader {entry.elf.interpreter} is not in the image"
            rule = "optional-library" if perhaps and is_for_another(tree, entry.path) else "interpreter"
            yield Problem(rule, where, text, perhaps and rule == "interpreter")
    yield from check_missing(tree, image)


def check_missing(tree: FileTree, image: Image) -> Iterator[Problem]:
    """Yield the shared libraries and symbol versions that cannot be resolved."""
    loader = Loader(tree, read_library_path(image))
    settings = image.config.get("config") or {}
    needed = find_needed_at_start(tree, settings, loader)
    folders = list_own_folders(settings, settings.get("Env") or [])
    for missing in loader.find_missing():
        where, other = f"/{missing.path}", missing not in needed and is_for_another(tree, missing.path)
        if missing.version is not None:
            rule = "optional-library" if other else "symbol-version"
            yield Problem(rule, where, f"needs {missing.version} of {missing.library}")
            continue
        # Distributions ship programs and Python modules whose libraries are in optional packages (tkinter, for one).
        required = missing in needed or missing.path.startswith(folders) or any(f"/{site}/" in where for site in SITES)
        text = f"needs {missing.library}, which is in none of its search paths"
        yield Problem("library" if required and not other else "optional-library", where, text)


def is_for_another(tree: FileTree, path: str) -> bool:
    """Return whether a path names another machine than amd64, or the C library that the image does not have."""
    other = "musl" if tree.find(GLIBC) is not None else "linux-x64-gnu"
    spelled = PYTHON_TAG.sub("", path)
    return other in spelled or OTHER_MACHINE.search(spelled) is not None


def start_programs(tree: FileTree, settings: Mapping[str, Any]) -> list[str]:
    """Return the paths of all programs that are known to run at the start: Lambda's own, scripts' and extensions."""
    values = dict(line.split("=", 1) for line in settings.get("Env") or () if "=" in line)
    words = (*(settings.get("Entrypoint") or ()), *(settings.get("Cmd") or ()))
    first = Command(words, values, settings.get("WorkingDir") or "/") if words and words[0] else None
    commands = [first, follow(tree, first).command] if first else []
    return [*list_extension_paths(tree), *(find_program(tree, command)[1] for command in commands)]


def list_own_folders(settings: Mapping[str, Any], environment: Sequence[str]) -> tuple[str, ...]:
    """Return the function's own directories, each with a slash at its end; the root is left out."""
    values = dict(line.split("=", 1) for line in environment if "=" in line)
    folders = [values.get("LAMBDA_TASK_ROOT", ""), settings.get("WorkingDir") or ""]
    folders += values.get("PYTHONPATH", "").split(":")
    return tuple(f"{folder.strip('/')}/" for folder in folders if folder.strip("/"))


def find_needed_at_start(tree: FileTree, settings: Mapping[str, Any], loader: Loader) -> set[MissingLibrary]:
    """Return the libraries that are missing for the program that the image starts."""
    words = list(settings.get("Entrypoint") or ()) or list(settings.get("Cmd") or ())
    entry = tree.find(words[0]) if words else None
    return set(loader.follow(entry)) if entry is not None and entry.elf is not None and not entry.elf.broken else set()


def read_library_path(image: Image) -> list[str]:
    """Return the directories in the image's LD_LIBRARY_PATH."""
    environment = (image.config.get("config") or {}).get("Env") or []
    return [
        folder
        for line in environment
        if line.startswith("LD_LIBRARY_PATH=")
        for folder in line.partition("=")[2].split(":")
        if folder
    ]
