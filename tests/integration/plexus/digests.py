"""Models of a few texts, trained natively or on an emulated processor, as the digests of their files.

`python -m tests.integration.plexus.digests FOLDER` trains one of each class in this process and prints their digests:
what `train_in_process` starts, with the imports paid once, because an emulator takes half a minute for them.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nix import inputs
from nix.pins import InputProblem
from plexus.artifacts.manifest import Manifest
from plexus.learning.training_process import pin_environment, train_here

ROOT = Path(__file__).resolve().parents[3]
CLASSES = ("SVMClassifier", "ExplainableClassifier")
TEXTS = 40


def data() -> tuple[list[str], list[str]]:
    """Return a few of the example's labelled texts: (texts, labels)."""
    with (ROOT / "examples/items/train.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:TEXTS]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def emulator() -> list[str]:
    """Return the command of the pinned emulator of x86-64 processors; skips the test where it cannot be fetched."""
    try:
        root = inputs.find_root("emulator")
    except InputProblem as problem:
        pytest.skip(f"the emulator of x86-64 processors cannot be fetched: {str(problem).splitlines()[0]}")
    libraries = ":".join(str(root / folder) for folder in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"))
    loader = root / "lib64/ld-linux-x86-64.so.2"
    return [str(loader), "--library-path", libraries, str(root / "usr/bin/qemu-x86_64")]


def start(folder: Path, launcher: Sequence[str]) -> subprocess.Popen[str]:
    """Start the training of each class in the environment that `train_in_process` gives it."""
    folder.mkdir(exist_ok=True)
    command = [*launcher, sys.executable, "-P", "-m", __name__, str(folder)]
    return subprocess.Popen(command, env=pin_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the digest of each class's model."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    document: dict[str, str] = json.loads(printed)
    return document


def main(folder: Path) -> None:
    """Train each class in this process and print the digests as JSON."""
    by_name = {}
    for name in CLASSES:
        (folder / name).mkdir()
        train_here(name, *data(), folder / name, lambda *_: None)
        by_name[name] = Manifest.of(folder / name).digest
    print(json.dumps(by_name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
