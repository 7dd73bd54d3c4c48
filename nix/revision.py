"""The sources of a build, read once: those of the commit out of git's objects, whatever the work tree looks like."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nix.oci.source_archive import EXECUTABLE, LINK, SourceFile, hash_object, read_file, read_source_archive
from nix.pins import InputProblem

REPOSITORY = Path(__file__).resolve().parent.parent
HEAD = ("rev-parse", "--show-toplevel", "HEAD")
STATUS = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
CONSEQUENCE = "the image has every file in plexus/ and handler/, and its digest is not that of a commit"
KEPT_OF_GIT = ("GIT_EXEC_PATH",)  # where git itself is installed


class SourceProblem(InputProblem):
    """Raised if git cannot read the commit's files; the message has git's reason and the next step."""


@dataclass(frozen=True)
class Checkout:
    """The source tree, read once: `files` by path, as git lists them, and the untracked files beside them.

    If `commit` is set, the files are exactly that commit's. If it is None, because tracked files were changed or there
    is no git, they are those of the work tree as git would record them, and the image is labelled by its content; if
    git cannot be read, `warning` has the reason and the next step.
    """

    commit: str | None
    files: Mapping[str, SourceFile]
    untracked: tuple[str, ...] = ()
    warning: str = ""

    def select_below(self, *folders: str) -> dict[str, SourceFile]:
        """Return the files at or below these paths, by default all, sorted by path."""
        return {path: self.files[path] for path in sorted(self.files) if is_in(path, folders)}

    def write(self, target: Path, *folders: str, backwards: bool = False) -> None:
        """Write the files at or below these paths into the folder `target`, with the modes 0644 and 0755.

        Files that exist are replaced, others stay. `backwards` writes them in reverse order, for builds that compare.
        """
        for path, file in sorted(self.select_below(*folders).items(), reverse=backwards):
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            if file.mode == LINK:
                place.symlink_to(os.fsdecode(file.data))
            else:
                place.write_bytes(file.data)
                place.chmod(0o755 if file.mode == EXECUTABLE else 0o644)


def read_checkout(folders: tuple[str, ...], repository: Path = REPOSITORY) -> Checkout:
    """Read the files at or below `folders` of `repository`, or all, from git or from a source archive.

    An unchanged work tree gives the commit's own files: no setting, filter or mark by which git hides a difference
    between the two can change a byte. Raises SourceProblem if git cannot read them.
    """
    with ThreadPoolExecutor() as pool:
        head, status = pool.map(lambda words: query_git(repository, *words), (HEAD, STATUS))
    top, _, commit = (head or "").strip().rpartition("\n")
    if not top or Path(top).resolve() != repository.resolve() or status is None:
        return read_without_git(folders, repository)
    lines = [line for line in status.split("\0") if line]
    new = tuple(line[3:] for line in lines if line.startswith("?? ") and is_in(line[3:], folders))
    if all(line.startswith("??") for line in lines):
        return Checkout(commit, read_objects(repository, commit, folders), new)
    with tempfile.TemporaryDirectory(prefix="score-processor-") as work:
        tree, variables = record_changed_tree(repository, Path(work))
        return Checkout(None, read_objects(repository, tree, folders, variables), new)


def record_changed_tree(repository: Path, work: Path) -> tuple[str, dict[str, str]]:
    """Record the tracked files as they are in a tree object; return its name, and the variables to read it with.

    The index and the new objects are copies in `work`; the repository is not written.
    """
    index, store = (
        run_git(repository, "rev-parse", "--git-path", "index", "--git-path", "objects").decode().splitlines()
    )
    shutil.copy2(repository / index, work / "index")  # with its time, by which git knows files that changed since
    (work / "objects" / "info").mkdir(parents=True)
    (work / "objects" / "info" / "alternates").write_text(f"{(repository / store).resolve()}\n")
    variables = {"GIT_INDEX_FILE": str(work / "index"), "GIT_OBJECT_DIRECTORY": str(work / "objects")}
    run_git(repository, "add", "--update", "--", ":/", variables=variables)
    return run_git(repository, "write-tree", "--missing-ok", variables=variables).decode().strip(), variables


def read_objects(
    repository: Path, tree: str, folders: tuple[str, ...], variables: Mapping[str, str] | None = None
) -> dict[str, SourceFile]:
    """Read the files at or below `folders` of a commit or tree out of git's objects; submodules are left out.

    The work tree and the index are not looked at. Modes are git's, links are their targets. Every object is hashed
    again.
    """
    listed = run_git(repository, "ls-tree", "-r", "-z", "--full-tree", tree, "--", *folders, variables=variables)
    rows = [row.partition(b"\t") for row in listed.split(b"\0") if row]
    entries = [(os.fsdecode(path), *about.decode().split()) for about, _, path in rows]
    blobs = [(path, mode, name) for path, mode, kind, name in entries if kind == "blob"]
    requests = "".join(f"{name}\n" for *_, name in blobs)
    data = run_git(repository, "cat-file", "--batch", data=requests, variables=variables)
    contents = split_batch(data, [name for *_, name in blobs], repository)
    return {path: SourceFile(mode, content) for (path, mode, _), content in zip(blobs, contents, strict=True)}


def split_batch(answer: bytes, names: Iterable[str], repository: Path) -> Iterator[bytes]:
    """Yield the contents in the output of `cat-file --batch`, each verified against its name.

    SourceProblem for an object that is missing or altered.
    """
    at = 0
    for name in names:
        end = answer.find(b"\n", at)
        head = answer[at:end].decode(errors="replace")
        size = int(head.split()[-1]) if head.startswith(f"{name} blob ") else -1
        content = answer[end + 1 : end + 1 + max(size, 0)]
        if size < 0 or hash_object(b"blob", content, "sha1" if len(name) == 40 else "sha256").hex() != name:
            raise SourceProblem(f"{repository}: git object {name}: got {head[:100]!r}\nnext: git fsck")
        yield content
        at = end + 1 + size + 1


def read_without_git(folders: tuple[str, ...], repository: Path) -> Checkout:
    """Read a source archive or, with a warning, a folder that is neither an intact archive nor a git checkout.

    Without an intact archive there is no commit, and the warning says why: such an image cannot be verified later.
    """
    archive = read_source_archive(repository)
    if archive is not None and archive.is_intact:
        return Checkout(archive.commit, {path: file for path, file in archive.files.items() if is_in(path, folders)})
    if archive is not None:
        reason = f"the files are not those of commit {archive.commit[:12]}, of which this archive was made"
        remedy = "extract the archive again, with its modes; or git clone"
    elif (repository / ".git").exists():
        reason, remedy = "git cannot read this checkout", "install git, and try: git status"
    else:
        reason, remedy = "neither a git checkout nor an archive made by git archive", "git clone"
    warning = f"warning: no commit: {repository}: {reason}\n{CONSEQUENCE}\nnext: {remedy}"
    return Checkout(None, dict(read_plain_files(folders, repository)), warning=warning)


def read_plain_files(folders: tuple[str, ...], repository: Path) -> Iterator[tuple[str, SourceFile]]:
    """Read every file and link at or below `folders`, except bytecode."""
    for folder in folders:
        top = repository / folder
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            is_bytecode = path.suffix == ".pyc" or "__pycache__" in path.parts
            if not is_bytecode and (path.is_symlink() or path.is_file()):
                yield path.relative_to(repository).as_posix(), read_file(path)


def is_in(path: str, folders: tuple[str, ...]) -> bool:
    """Return whether a path is one of `folders`, which may name files too, or below one; without any, every path is."""
    return not folders or path.startswith(tuple(f"{folder}/" for folder in folders)) or path in folders


def query_git(repository: Path, *words: str) -> str | None:
    """Return what git prints; None if it fails or is not installed."""
    try:
        return run_git(repository, *words).decode("utf-8", "surrogateescape")
    except SourceProblem:
        return None


def run_git(repository: Path, *words: str, data: str = "", variables: Mapping[str, str] | None = None) -> bytes:
    """Return what git prints for the standard input `data`; SourceProblem if it fails or is not installed.

    The caller's GIT_ variables and settings that change what git reads are switched off; `variables` are set after
    that.
    """
    settings = ("safe.directory=*", "core.quotepath=off", "core.fsmonitor=false", "core.safecrlf=false")
    options = ["--no-optional-locks", "--no-replace-objects", *(word for one in settings for word in ("-c", one))]
    command = ["git", *options, "-C", str(repository), *words]
    environment = create_git_environment() | dict(variables or {})
    try:
        done = subprocess.run(command, input=data.encode(), capture_output=True, check=False, env=environment)
    except OSError as problem:
        raise SourceProblem(f"git: {problem.strerror}\nnext: install git") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"
        raise SourceProblem(f"{repository}: git {words[0]}: {reason}\nnext: git status, git fsck")
    return done.stdout


def create_git_environment() -> dict[str, str]:
    """Return the environment without the variables by which a hook or an editor names another repository or index."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in KEPT_OF_GIT}
