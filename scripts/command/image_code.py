"""Errors of importing the image's code, which a verb that needs it reports in one message.

Verbs that diagnose a stage or roll it back import none of it (`pyproject.toml`), since an edit of it may be why they
are needed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..checkout import ROOT
from ..console.errors import OperationFailed

PACKAGES = ("handler", "plexus")
REMEDY = "git stash push handler plexus (or check out a commit that works), then run it again"


@contextmanager
def explain_imports(root: Path = ROOT) -> Iterator[None]:
    """Raise OperationFailed, with file and line, if the block fails while it imports a module of the image.

    A module may end the process, too: `sys.exit()` at its top level would otherwise be an exit without a message.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        where = _find_place(error, root)
        if where is None:
            raise
        reason = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        problem = f"import of this checkout's image code: {where}: got {reason}, expected a module that loads"
        raise OperationFailed(problem, REMEDY) from error


def _find_place(error: BaseException, root: Path) -> str | None:
    """Return where a module of the image failed to load, as `handler/message.py:12`; None if none did."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames if frame.name == "<module>"]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in PACKAGES:
        places.append((error.path or str(root / str(error.name).replace(".", "/")), None))
    for file, line in reversed(places):
        path = Path(file)
        if any(path.is_relative_to(root / package) for package in PACKAGES):
            return f"{path.relative_to(root)}:{line}" if line else str(path.relative_to(root))
    return None
