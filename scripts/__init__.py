"""The commands that operate Score Processor: `score-processor VERB`, one module or package for each verb."""

import sys
from pathlib import Path
from types import TracebackType


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line for a Ctrl-C that arrives while a verb is still being imported."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


# A program that imports this package as a library keeps its own hook.
if sys.argv[:1] == ["-m"] or Path(*sys.argv[:1]).name == "score-processor":
    sys.excepthook = _report
