"""Who may import whom; the rules of the layout, read from the imports themselves."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "handler",
    "plexus",
    "scripts",
    "local_aws",
    "infrastructure",
    "stages",
    "inputs",
    "environments",
    "oci",
    "build",
    "cache",
}
STANDARD = sys.stdlib_module_names | {"__future__"}
WITH_BOTO3 = (
    "handler/app.py",
    "handler/aws.py",
    "handler/cut_answers.py",
    "handler/store.py",
    "handler/queues.py",
    "plexus/artifacts/",
    "scripts/",
)


def sources(folder: str) -> list[Path]:
    """The Python files below a folder of the repository."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder}/ has no Python files"
    return found


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("handler", {"handler", "plexus"}),
        ("plexus", {"plexus"}),
        ("scripts", OURS - {"infrastructure"}),
        ("infrastructure", {"infrastructure", "stages"}),
        ("stages", {"stages"}),
    ],
)
def test_a_package_imports_only_what_it_may_know(folder: str, allowed: set[str]) -> None:
    """Of our own packages, each imports only those that the layout lets it know."""
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(folder)
        for name in imported(path)
        if name in OURS - allowed
    }
    assert not wrong


@pytest.mark.parametrize("folder", ["nix/oci"])
def test_the_assembler_imports_the_standard_library_only(folder: str) -> None:
    """The assembler runs on a bare interpreter: it imports the standard library and itself."""
    names = {path.stem for path in sources(folder)} | {"oci"}
    wrong = {
        f"{path.name}: {name}" for path in sources(folder) for name in imported(path) if name not in STANDARD | names
    }
    assert not wrong


@pytest.mark.parametrize("name", ["inputs.py", "environments.py", "build.py", "cache.py"])
def test_what_runs_before_any_environment_needs_no_library(name: str) -> None:
    """The first commands of a fresh machine import the standard library and their neighbours only."""
    ours = OURS | {path.stem for path in (ROOT / "nix").glob("*.py")}
    assert set(imported(ROOT / "nix" / name)) <= STANDARD | ours


def test_boto3_appears_at_the_edges_only() -> None:
    """boto3 and botocore are imported by the modules that talk to AWS, and by no other."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("handler", "plexus", "scripts", "nix")
        for path in sources(folder)
        if {"boto3", "botocore"} & set(imported(path))
    }
    assert {path for path in found if not path.startswith(WITH_BOTO3)} == set()
