"""The commands that operate Score Processor: one module for each verb, `python -m scripts.<verb>`."""

import sys
from types import TracebackType


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell a Ctrl-C that came before a verb could handle it, while it was being imported, in one line."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


if sys.argv[:1] == ["-m"]:  # a verb is being started; who imports this package keeps his own hook
    sys.excepthook = _told
