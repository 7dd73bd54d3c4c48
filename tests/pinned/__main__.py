"""Run every check of this folder beside the pinned LocalStack and print JSON: name → null, or what does not hold.

The pinned root's Python runs it, with an instance's environment; nothing is started.
"""

import importlib
import inspect
import json
import logging
import sys
import traceback
from pathlib import Path

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("of_*.py"))


def verdict(check) -> str | None:
    """None when a check holds, else its last lines."""
    try:
        check()
    except Exception:
        return "\n".join(traceback.format_exc().splitlines()[-6:])
    return None


def main() -> None:
    """Each check once, in the order of the files; one that cannot be loaded at all fails by its file's name."""
    logging.disable(logging.CRITICAL)
    verdicts = {}
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except Exception:
            verdicts[name] = traceback.format_exc()
            continue
        for key, check in inspect.getmembers(module, inspect.isfunction):
            if check.__module__ == name and not key.startswith("_"):
                verdicts[key] = verdict(check)
    json.dump(verdicts, sys.stdout)


main()
