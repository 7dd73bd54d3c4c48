"""Folders shared by all parts of the local AWS."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def create_unpacked_dir() -> Path:
    """Return the cache folder of unpacked layers, created if absent; all instances and checkouts share it."""
    from nix.cache.folder import create_cache_dir

    folder = create_cache_dir() / "unpacked"
    folder.mkdir(exist_ok=True)
    return folder
