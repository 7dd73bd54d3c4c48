"""Images from short Containerfiles, built without a builder: each COPY, RUN and WORKDIR is a layer.

Instructions change a real copy of the base's files, and a layer is the difference, as buildah and Docker take it:
whiteouts for what is gone, an opaque folder where all is gone, hard links, and every parent folder.
RUN's commands are run by the machine's shell with absolute paths moved into that copy, which needs no root.
"""

import json
import py_compile
import re
import shlex
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.images.documents import media_types
from tests.images.recipe import Base
from tests.unit.oci.drafts import Draft, Entry, folder, link

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True)
class State:
    """The state of a path before or after an instruction; `inode` finds hard links, and is not compared."""

    mode: int
    size: int
    changed_ns: int
    links: int
    inode: int


def states(root: Path) -> dict[str, State]:
    """Return the state of every path below a folder, parents first; folders have neither size nor times."""
    result = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        inner = (0, 0, 0) if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns, status.st_nlink)
        result[path.relative_to(root).as_posix()] = State(status.st_mode, *inner, status.st_ino)
    return result


def layer_of(root: Path, before: Mapping[str, State], after: Mapping[str, State]) -> list[Entry]:
    """Return the entries of the layer that leads from one state of `root` to the other."""
    gone = [path for path in before if path not in after]
    emptied = {parent_of(path) for path in gone} - {parent_of(path) for path in before if path in after}
    changed = {path for path, state in after.items() if before.get(path) != state}
    named = changed | set(gone)
    parents = {str(parent) for path in named for parent in Path(path).parents} & after.keys()
    entries, first = list[Entry](), dict[int, str]()
    for path in (path for path in after if path in changed | parents):
        state = after[path]
        source = first.setdefault(state.inode, path)
        entries.append(entry_of(root / path, path, state.mode, source))
        if path in emptied:
            entries.append(Entry(f"{path}/{OPAQUE}", mode=0))
    for path in gone:
        parent = parent_of(path)
        if parent not in emptied and (not parent or parent in after):
            entries.append(Entry(f"{parent}/{WHITEOUT}{path.rpartition('/')[2]}".lstrip("/"), mode=0))
    return entries


def parent_of(path: str) -> str:
    """Return the folder that a path is in; nothing at the top."""
    return path.rpartition("/")[0]


def entry_of(path: Path, name: str, mode: int, source: str) -> Entry:
    """Return a path's entry; a hard link to `source` if that is another name of the same file."""
    bits = stat.S_IMODE(mode)
    if stat.S_ISDIR(mode):
        return folder(name, bits)
    if stat.S_ISLNK(mode):
        return link(name, str(path.readlink()))
    if stat.S_ISFIFO(mode):
        return Entry(name, mode=bits, kind=tarfile.FIFOTYPE)
    if source != name:
        return Entry(name, mode=bits, kind=tarfile.LNKTYPE, target=source)
    return Entry(name, path.read_bytes(), bits)


@dataclass
class Build:
    """A build that starts from the files in `root`, which it changes; `context` has what COPY copies."""

    root: Path
    context: Path

    def run(self, case: Mapping[str, Any]) -> Draft:
        """Return the layers and settings above the base; of a squashed image, all of it."""
        settings, layers = dict[str, Any](), list[list[Entry]]()
        before = states(self.root)
        for line in case["containerfile"].splitlines():
            verb, _, rest = line.partition(" ")
            if verb in ("ENTRYPOINT", "CMD"):
                settings[verb.capitalize()] = json.loads(rest)
            elif verb != "FROM":
                self._change(verb, rest, settings)
                after = states(self.root)
                layers.append(layer_of(self.root, before, after))
                before = after
        verb, *words = case.get("then", [""])
        if verb == "squash":
            layers = [layer_of(self.root, {}, states(self.root))]
        elif verb:
            assert (verb, words[0]) == ("config", "--workingdir")
            settings["WorkingDir"] = words[1]
        draft = Draft(layers=[layer for layer in layers if layer], settings=settings)
        if case["format"] == "docker":
            media_types(draft)
        return draft

    def _change(self, verb: str, rest: str, settings: dict[str, Any]) -> None:
        if verb == "WORKDIR":
            settings["WorkingDir"] = rest
            make_folder(self.root / rest.lstrip("/"))
        elif verb == "RUN":
            moved = re.sub(r"(?<=\s)/", f"{shlex.quote(str(self.root))}/", rest)
            subprocess.run(["/bin/sh", "-euc", moved], check=True, umask=0o022)
        else:
            assert verb == "COPY", verb
            self._copy(rest.split())

    def _copy(self, words: Sequence[str]) -> None:
        mode = None
        if words[0].startswith("--chmod="):
            mode, words = int(words[0].partition("=")[2], 8), words[1:]
        *sources, target = words
        for source in sources:
            place = self.root / (target + source if target.endswith("/") else target).lstrip("/")
            make_folder(place.parent)
            shutil.copy(self.context / source, place)
            if mode is not None:
                place.chmod(mode)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, which everybody may read, whatever the umask is."""
    for missing in [level for level in (*reversed(path.parents), path) if not level.exists()]:
        missing.mkdir()
        missing.chmod(0o755)


def unpack(base: Base, root: Path) -> None:
    """Write the files of a base, merged, into a folder; owners are left out."""
    for blob in base.blobs:
        with tarfile.open(blob) as archive:
            for member in archive:
                path = root / member.name
                if member.isdir():
                    path.mkdir(exist_ok=True)
                    path.chmod(member.mode)
                elif member.issym():
                    path.symlink_to(member.linkname)
                elif (file := archive.extractfile(member)) is not None:
                    path.write_bytes(file.read())
                    path.chmod(member.mode)


def write_context(case: Mapping[str, Any], programs: Mapping[str, bytes], context: Path) -> None:
    """Write the programs and the case's files; beside its modules their bytecode if the case asks for it."""
    context.mkdir()
    for names, mode in ((programs, 0o755), (case["files"], 0o644)):
        for name, content in names.items():
            (context / name).write_bytes(content.encode() if isinstance(content, str) else content)
            (context / name).chmod(mode)
    for name in case["files"] if case.get("compile_only") else ():
        py_compile.compile(str(context / name), str(context / f"{name}c"), doraise=True)
        (context / f"{name}c").chmod(0o644)
