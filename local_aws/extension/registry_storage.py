"""The registry's storage on disk: the source of truth for tags, manifests and blobs."""

import os
import shutil
import threading
from pathlib import Path

FOLDER = Path(os.environ.get("LOCAL_AWS_INSTANCE", ".")) / "registry"
LAYOUT = "docker/registry/v2"
TAGGING = threading.Lock()  # held from the check of a tag until the registry has stored it


def read_tags(repository: str) -> dict[str, str]:
    """Map tags to digests."""
    links = {path.name: _link(path / "current/link") for path in _manifests(repository).glob("tags/*")}
    return {tag: digest for tag, digest in links.items() if digest}


def list_digests(repository: str) -> list[str]:
    """List the digests of all manifests, oldest push first."""
    links = [path for path in _manifests(repository).glob("revisions/sha256/*/link") if _link(path)]
    return [f"sha256:{path.parent.name}" for path in sorted(links, key=lambda path: path.stat().st_mtime)]


def read_push_time(repository: str, digest: str) -> float:
    """Return when a manifest was pushed, as Unix time in seconds."""
    return (_manifests(repository) / "revisions/sha256" / _hex(digest) / "link").stat().st_mtime


def locate_blob(digest: str) -> Path:
    """Return the file of a blob or manifest."""
    return FOLDER / LAYOUT / "blobs/sha256" / _hex(digest)[:2] / _hex(digest) / "data"


def keep(repository: str, wanted: dict[str, list[str]]) -> None:
    """Remove every tag and manifest that is not in `wanted`, a mapping of digests to tags.

    Blobs stay: other images may share them.
    """
    for tag, digest in read_tags(repository).items():
        if tag not in wanted.get(digest, ()):
            shutil.rmtree(_manifests(repository) / "tags" / tag)
    for digest in list_digests(repository):
        if digest not in wanted:
            shutil.rmtree(_manifests(repository) / "revisions/sha256" / _hex(digest))


def drop(repository: str) -> None:
    """Remove a repository with its manifests and blob links."""
    shutil.rmtree(_manifests(repository).parent, ignore_errors=True)


def _manifests(repository: str) -> Path:
    return FOLDER / LAYOUT / "repositories" / repository / "_manifests"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _link(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
