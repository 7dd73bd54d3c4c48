"""The assembler as a process."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("options", "status"), [((), 1), (("-X", "no_debug_ranges"), 0)])
def test_layers_are_made_without_columns_in_bytecode(tmp_path: Path, options: tuple[str, ...], status: int) -> None:
    """The assembler refuses an interpreter that writes column tables, which would change the bytes."""
    package = tmp_path / "handler"
    package.mkdir()
    (package / "app.py").write_text("")
    oci = Path(__file__).resolve().parents[3] / "nix/oci"
    words = ("layer", "app", "--output", tmp_path / "out", package)
    command: list[str | Path] = [sys.executable, "-B", *options, oci, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("no_debug_ranges" in done.stderr) == bool(status)
