"""The registry's own storage, read and trimmed on disk: the truth about tags, manifests and blobs."""

import shutil
from pathlib import Path

from local_aws.extension import registry

LAYOUT = "docker/registry/v2"


def tags(repository: str) -> dict[str, str]:
    """Tag → digest."""
    links = {path.name: _link(path / "current/link") for path in _manifests(repository).glob("tags/*")}
    return {tag: digest for tag, digest in links.items() if digest}


def digests(repository: str) -> list[str]:
    """The digests of all manifests, oldest push first."""
    found = [path for path in _manifests(repository).glob("revisions/sha256/*/link") if _link(path)]
    return [f"sha256:{path.parent.name}" for path in sorted(found, key=lambda path: path.stat().st_mtime)]


def pushed_at(repository: str, digest: str) -> float:
    """When a manifest was pushed, in seconds of Unix time."""
    return (_manifests(repository) / "revisions/sha256" / _hex(digest) / "link").stat().st_mtime


def blob(digest: str) -> Path:
    """The file of a blob or a manifest."""
    return registry.FOLDER / LAYOUT / "blobs/sha256" / _hex(digest)[:2] / _hex(digest) / "data"


def keep(repository: str, wanted: dict[str, list[str]]) -> None:
    """Remove every tag and manifest that is not in `wanted` (digest → tags)."""
    for tag, digest in tags(repository).items():
        if tag not in wanted.get(digest, ()):
            shutil.rmtree(_manifests(repository) / "tags" / tag)
    for digest in digests(repository):
        if digest not in wanted:
            shutil.rmtree(_manifests(repository) / "revisions/sha256" / _hex(digest))


def drop(repository: str) -> None:
    """Remove a repository with all its manifests and links to blobs."""
    shutil.rmtree(_manifests(repository).parent, ignore_errors=True)


def _manifests(repository: str) -> Path:
    return registry.FOLDER / LAYOUT / "repositories" / repository / "_manifests"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _link(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
