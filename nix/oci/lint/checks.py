"""Every check of an image against Lambda's rules, except for its start (start.py)."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
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

READABLE, SEARCH, SEARCHABLE = 0o004, 0o001, 0o005
SET_ID = 0o6000
NAME_MAX, PATH_MAX = 255, 4095  # of Linux, in bytes
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
# Distributions keep secrets, locks, spools and programs of root here, unreadable for others; functions run without.
RARELY_READ = re.compile(
    r"(?:etc|root|home|run|boot|var/(?:backups|cache|lib|log|spool)|(?:usr/(?:local/)?)?(?:s?bin|libexec))/"
)
CODE = (".py", ".pyc", ".so", ".pth", ".zip")


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
    return list(dict.fromkeys(problems))


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
    earlier: set[str] = set()
    for entry in scan.entries:
        if entry.kind == "hard link":
            yield check_hard_link(entry, earlier, below)
        earlier.add(entry.path)
        if is_whiteout(entry.path):  # its mode and kind are those of no file; umoci and others write mode 0000
            yield from check_whiteout(entry, below)
        elif (entry.kind, entry.mode) not in USUAL or len(entry.path) > NAME_MAX or not PLAIN.fullmatch(entry.path):
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
    if len(entry.path) > NAME_MAX:
        data = entry.path.encode("utf-8", "surrogateescape")
        if len(data) > PATH_MAX or max(map(len, data.split(b"/"))) > NAME_MAX:
            yield Problem("path-length", f"/{entry.path[:80]}…", f"the path has {len(data)} bytes")
    # Spaces, control characters, backslashes, and bytes that are not UTF-8 (decoded to surrogates).
    if not entry.path.isprintable() or UNUSUAL.intersection(entry.path):
        characters = sorted({one for one in entry.path if one in UNUSUAL or not one.isprintable()})
        yield Problem("path-name", ascii("/" + entry.path), f"the name contains {', '.join(map(ascii, characters))}")


def leads_out(path: str) -> bool:
    """Return whether a path is absolute or has `..` parts."""
    return path.startswith("/") or (".." in path and ".." in path.split("/"))


def check_kind(entry: LayerEntry) -> Iterator[Problem]:
    """Yield the problem of an entry that is neither file, directory nor link."""
    if entry.kind not in ("file", "folder", "link", "hard link"):
        # OCI allows devices and FIFOs where they are supported, and advises against sparse files.
        text = f"got a {entry.kind}, expected a file, directory or symbolic link"
        yield Problem("file-type", f"/{entry.path}", text, unknown=True)


def check_hard_link(entry: LayerEntry, earlier: Set[str], below: FileTree) -> Problem:
    """Return the problem of a hard link; whether one to a file of an earlier layer can be made is unknown."""
    target = posixpath.normpath(entry.target).strip("/")
    if target in earlier:
        return Problem("hard-link", f"/{entry.path}", f"hard link to {entry.target}")
    text = f"its target /{target} is not in this layer before it"
    return Problem("hard-link-target", f"/{entry.path}", text, unknown=below.find(target) is not None)


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
            is_link = resolve_target(entry).strip("/") in tree.entries
            reason = "is a link that leads to no file" if is_link else "is not in the image"
            yield Problem("dangling-link", f"/{entry.path}", f"its target {entry.target} {reason}")


def check_permissions(tree: FileTree, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what an arbitrary user cannot use on a read-only file system, once all layers are applied."""
    own = list_own_folders(settings, settings.get("Env") or [])
    paths = [*own, *start_programs(tree, settings)]
    needed = {entry.path for path in paths for entry in tree.list_directories_to(path)}
    needed |= {entry.path for entry in map(tree.find, paths) if entry is not None and entry.is_script}
    for entry in tree:
        if (entry.kind, entry.mode) in USUAL or entry.kind not in ("file", "folder"):
            continue
        required = SEARCHABLE if entry.kind == "folder" else READABLE
        if entry.mode & required != required:
            yield describe_private(entry, own, is_needed=entry.path in needed)
        if entry.mode & SET_ID:
            yield Problem("set-id", f"/{entry.path}", f"setuid or setgid: mode {entry.mode & 0o7777:04o}")


def describe_private(entry: LayerEntry, own: tuple[str, ...], *, is_needed: bool) -> Problem:
    """Return the problem of a file that others cannot read, or of a directory that they cannot list or search.

    Python lists the directories of modules; of those on the way to a file, it is enough that they can be searched.
    """
    is_own, is_listed = f"{entry.path}/".startswith(own), entry.kind == "folder" and entry.mode & SEARCH
    text = f"other users cannot {'list' if is_listed else 'search' if entry.kind == 'folder' else 'read'} it"
    text += f": mode {entry.mode & 0o7777:04o}"
    if (is_own and (entry.kind == "folder" or entry.path.endswith(CODE))) or (is_needed and not is_listed):
        return Problem("readable", f"/{entry.path}", text)
    is_rare = is_listed or RARELY_READ.match(f"{entry.path}/") is not None
    return Problem("private" if is_rare and not is_own else "readable", f"/{entry.path}", text, is_own or not is_rare)


def is_kernel_path(link: LayerEntry) -> bool:
    """Return whether a link leads into a file system that is mounted when the container starts."""
    return f"{resolve_target(link)}/".startswith(("/proc/", "/dev/", "/sys/"))


def resolve_target(link: LayerEntry) -> str:
    """Return the absolute path that a link names; links on the way are not followed."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(link.path), link.target))


def check_libraries(tree: FileTree, image: Image) -> Iterator[Problem]:
    """Yield the ELF files that cannot be loaded in this image; unknown are programs that perhaps nothing starts."""
    programs = {tree.resolve(path) for path in start_programs(tree, image.config.get("config") or {})}
    for entry in tree:
        if entry.elf is None:
            continue
        where, perhaps = f"/{entry.path}", entry.path not in programs
        # Code of graphics processors or the kernel's virtual machine, and what parsers are tested with.
        is_data = ".so" not in posixpath.basename(entry.path) and not entry.mode & EXECUTABLE
        if entry.elf.machine != AMD64:
            is_other = perhaps and (is_data or is_for_another(tree, entry.path))
            yield Problem("optional-library" if is_other else "elf-machine", where, "not built for amd64")
        elif entry.elf.broken:
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
    for missing, is_module in loader.find_missing().items():
        where, other = f"/{missing.path}", missing not in needed and is_for_another(tree, missing.path)
        # What is no Python module is loaded by name, if at all: packages bring libraries for machines of other kinds.
        perhaps = missing not in needed and not is_module and not other
        if missing.version is not None:
            rule = "optional-library" if other else "symbol-version"
            yield Problem(rule, where, f"needs {missing.version} of {missing.library}", perhaps)
            continue
        # Distributions ship programs and Python modules whose libraries are in optional packages (tkinter, for one).
        required = missing in needed or missing.path.startswith(folders) or any(f"/{site}/" in where for site in SITES)
        text = f"needs {missing.library}, which is in none of its search paths"
        rule = "library" if required and not other else "optional-library"
        yield Problem(rule, where, text, perhaps and rule == "library")


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
    """Return the libraries that are missing for the program that the image starts, and for those in LD_PRELOAD.

    The loader passes over a preloaded library that does not exist, and ends if one that does exist needs another.
    """
    words = list(settings.get("Entrypoint") or ()) or list(settings.get("Cmd") or ())
    values = dict(line.split("=", 1) for line in settings.get("Env") or () if "=" in line)
    paths = [*words[:1], *(path for path in re.split("[ :]", values.get("LD_PRELOAD", "")) if "/" in path)]
    entries = [entry for entry in map(tree.find, paths) if entry is not None]
    loaded = [entry for entry in entries if entry.elf is not None and not entry.elf.broken]
    return {missing for entry in loaded for missing in loader.follow(entry)}


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
