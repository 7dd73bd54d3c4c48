"""Checkouts whose `git status` is clean although their files are not those of the commit."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from nix.revision import create_git_environment

Change = Callable[[Path], object]
# A person's own settings sign commits, which needs a key, and run hooks.
SETTINGS = {
    "user.name": "a",
    "user.email": "a@example.com",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": "/dev/null",
    "protocol.file.allow": "always",
}
GIT = ("git", *(word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")))


def git(folder: Path, *words: str) -> str:
    """Run git, and return what it prints."""
    command = [*GIT, "-C", str(folder), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=create_git_environment())
    return done.stdout.strip()


def checked_out_with(attributes: str, *settings: str) -> Change:
    """Check all files out again under attributes and settings of this clone."""

    def change(folder: Path) -> None:
        for setting in settings:
            git(folder, "config", *setting.split("=", 1))
        (folder / ".git/info").mkdir(exist_ok=True)
        (folder / ".git/info/attributes").write_text(attributes)
        for path in git(folder, "ls-files").splitlines():
            (folder / path).unlink()
        git(folder, "checkout", "--", ".")

    return change


def modes_ignored(folder: Path) -> None:
    """Set all modes to 0755, as on file systems without modes."""
    git(folder, "config", "core.fileMode", "false")
    for path in folder.rglob("*"):
        if ".git" not in path.parts and not path.is_symlink():
            path.chmod(0o755)


def sparse(folder: Path) -> None:
    """Leave a folder out of the work tree."""
    git(folder, "sparse-checkout", "set", "--no-cone", "/*", "!/plexus/learning/")
    assert not (folder / "plexus/learning").exists()


def hidden(flag: str, change: Change) -> Change:
    """Hide a change of a file from `git status`."""

    def work(folder: Path) -> None:
        git(folder, "update-index", flag, "handler/app.py")
        change(folder / "handler/app.py")

    return work


def replace_object(folder: Path) -> None:
    """Replace an object by another one in git's answers."""
    (folder / "other").write_text("other\n")
    git(folder, "replace", git(folder, "rev-parse", "HEAD:handler/app.py"), git(folder, "hash-object", "-w", "other"))
    (folder / "other").unlink()


ROWS: dict[str, Change] = {
    "as cloned": lambda _: None,
    "core.fileMode=false": modes_ignored,
    "sparse": sparse,
    "assume-unchanged": hidden("--assume-unchanged", lambda path: path.write_text("edited\n")),
    "skip-worktree, edited": hidden("--skip-worktree", lambda path: path.write_text("edited\n")),
    "skip-worktree, absent": hidden("--skip-worktree", Path.unlink),
    "line ends": checked_out_with("handler/*.py text eol=crlf\n", "core.autocrlf=true"),
    "smudge filter": checked_out_with(
        "*.py filter=f\n", "filter.f.smudge=sed '$a# smudged'", "filter.f.clean=sed '/^# smudged$/d'"
    ),
    "keywords": checked_out_with("*.py ident\n"),
    "another encoding": checked_out_with("handler/app.py text working-tree-encoding=UTF-16\n"),
    "no links": checked_out_with("", "core.symlinks=false"),
    "split index": lambda folder: git(folder, "update-index", "--split-index"),
    "times not trusted": checked_out_with("", "core.checkStat=minimal", "core.trustctime=false"),
    "replaced object": replace_object,
    "untracked": lambda folder: (folder / "handler/new.py").touch(),
    "packed": lambda folder: git(folder, "gc", "-q"),
}
