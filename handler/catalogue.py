"""Compiled scorecards by version id: in memory, and as YAML in the cache folder for the next start."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.scorecard import Scorecard

_MOST = 32  # scorecards in memory


class Catalogue:
    """`load` compiles a scorecard's YAML. A version never changes, so neither does what is kept of it."""

    def __init__(self, folder: Path, load: Callable[[str, str], "Scorecard"]):
        self._folder, self._load = folder, load
        self._kept: OrderedDict[str, Scorecard] = OrderedDict()
        self._lock = Lock()

    def get(self, version_id: str, read: Callable[[], str]) -> "Scorecard":
        """The scorecard of a version; `read` gives its YAML where it is not kept yet. One thread compiles."""
        with self._lock:
            if version_id not in self._kept:
                path = self._folder / f"{hashlib.sha256(version_id.encode()).hexdigest()}.yaml"
                text = _read(path)
                if text is None:
                    text = read()
                    _write(path, text)
                self._kept[version_id] = self._load(text, f"{version_id}.yaml")
            self._kept.move_to_end(version_id)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return self._kept[version_id]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    """Keep a text; a full or missing disk only makes the next start slower."""
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return
