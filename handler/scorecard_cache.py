"""Compiled scorecards by version id, in memory; their YAML is also kept in a folder, for the next cold start."""

import hashlib
import os
import stat
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from plexus.scorecard import Scorecard

_MAXIMUM_ENTRIES = 32  # compiled scorecards in memory


class ScorecardCache:
    """Least-recently-used cache. Entries never expire, since a scorecard version never changes. Thread-safe.

    `load(text, name)` compiles a scorecard's YAML; `folder` is created when needed.
    """

    def __init__(self, folder: Path, load: Callable[[str, str], "Scorecard"]):
        self._folder, self._load = folder, load
        self._compiled: OrderedDict[str, Scorecard] = OrderedDict()
        self._lock = Lock()
        self._loading: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def get(self, version_id: str, read: Callable[[], str]) -> "Scorecard":
        """Return the compiled scorecard of a version; `read` fetches its YAML if it is in neither cache.

        Only threads that need the same version wait for each other. Raises what `read` and `load` raise, and caches no
        error.
        """
        with self._lock:
            loading = self._loading.setdefault(version_id, Lock())
        with loading:
            compiled = self._compiled.get(version_id)
            if compiled is None:
                compiled = self._load_version(version_id, read)
            with self._lock:
                self._compiled[version_id] = compiled
                self._compiled.move_to_end(version_id)
                while len(self._compiled) > _MAXIMUM_ENTRIES:
                    self._compiled.popitem(last=False)
        return compiled

    def _load_version(self, version_id: str, read: Callable[[], str]) -> "Scorecard":
        path = self._folder / f"{hashlib.sha256(version_id.encode()).hexdigest()}.yaml"
        text = _read(path)
        if text is None:
            text = read()
            _write(path, text)
        return self._load(text, f"{version_id}.yaml")


def _read(path: Path) -> str | None:
    """Return a cached text; None if there is none, or if a user other than this process's may have written it."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
            state = os.fstat(file.fileno())
            own = state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            return file.read() if own else None
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    """Write a text atomically. Errors are ignored: without the file, the next cold start is only slower."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # unpredictable, and readable by this user only
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        return
