"""Rules of imports that concern libraries; import-linter checks those between our packages (pyproject.toml)."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("handler", "local_aws", "nix", "plexus", "scripts", "stages")
STANDARD = sys.stdlib_module_names | {"__future__"}
WITH_BOTO3 = (
    "handler/app.py",
    "handler/aws.py",
    "handler/truncated_responses.py",
    "handler/store.py",
    "handler/queues.py",
    "plexus/artifacts/",
    "scripts/",
)


def sources(folder: str) -> list[Path]:
    """Return the Python files below a folder of the repository."""
    result = sorted((ROOT / folder).rglob("*.py"))
    assert result, f"{folder}/ has no Python files"
    return result


def list_imports(path: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("folder", ["nix/oci"])
def test_the_assembler_imports_the_standard_library_only(folder: str) -> None:
    """The assembler runs on a bare interpreter: it imports the standard library and itself."""
    command = ROOT / folder / "lint/__main__.py"  # of the linter; it never runs on the image's Python
    names = {path.stem for path in sources(folder)} | {"oci"}
    wrong = {
        f"{path.name}: {name}"
        for path in sources(folder)
        if path != command
        for name in list_imports(path)
        if name not in STANDARD | names
    }
    assert not wrong


def test_the_linter_needs_nothing_of_the_assembler() -> None:
    """The linter imports the standard library, itself, four small modules of nix/oci, and the wrapper of commands."""
    wrong = set()
    for path in sources("nix/oci/lint"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.ImportFrom)
                and node.level > 1
                and node.module not in ("digest", "exceptions", "media_types", "paths")
            ):
                wrong.add(f"{path.name}: {node.module}")
        wrong |= {f"{path.name}: {name}" for name in list_imports(path) if name not in STANDARD | {"nix"}}
        if "nix" in list_imports(path) and path.name != "__main__.py":
            wrong.add(f"{path.name}: nix")
    assert not wrong


@pytest.mark.parametrize("name", ["inputs.py", "environments.py", "build.py", "cache/folder.py"])
def test_what_runs_before_any_environment_needs_no_library(name: str) -> None:
    """The first commands of a fresh machine import the standard library and their neighbours only."""
    assert set(list_imports(ROOT / "nix" / name)) <= STANDARD | {"nix"}


def test_boto3_appears_at_the_edges_only() -> None:
    """boto3 and botocore are imported by the modules that talk to AWS, and by no other."""
    by_name = {
        str(path.relative_to(ROOT))
        for folder in ("handler", "plexus", "scripts", "nix")
        for path in sources(folder)
        if {"boto3", "botocore"} & set(list_imports(path))
    }
    assert {path for path in by_name if not path.startswith(WITH_BOTO3)} == set()


def test_nothing_is_used_that_the_images_python_lacks() -> None:
    """Python 3.11.2 misreads the possessive quantifier of a group, and its tarfile has no `filter`."""
    possessive = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
    wrong = []
    for path in (path for folder in PACKAGES for path in sources(folder)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and possessive.search(node.value):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("extractall", ".extract")):
                wrong += [f"{path.relative_to(ROOT)}:{node.lineno}" for word in node.keywords if word.arg == "filter"]
    assert wrong == []


def test_tables_are_read_and_written_in_one_package() -> None:
    """Libraries of tables are imported in `plexus/tables` alone; `make results` prints CSV without the image's code."""
    libraries = {"csv", "openpyxl", "pandas", "polars", "pyarrow", "python_calamine"}
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("handler", "plexus", "scripts")
        for path in sources(folder)
        if not libraries.isdisjoint(list_imports(path))
    }
    assert {path for path in users if not path.startswith("plexus/tables/")} == {"scripts/results.py"}


def test_replies_are_read_in_one_module() -> None:
    """Only `plexus/graph/replies.py` looks for a class or a number in the text of a reply."""
    readers = ("parse_label", "match_label", "parse_number")
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("handler", "plexus", "scripts")
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any(name.name in readers for name in node.names)
    }
    assert users == {"plexus/graph/replies.py"}
