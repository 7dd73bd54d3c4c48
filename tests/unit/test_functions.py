"""Functions stay short: one is read without scrolling."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bench", "handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages", "tests")
LONGEST = 40  # lines with the signature, which has one for each option of a command; without the docstring
# A template of every resource type is a table: its parts have no names of their own.
TABLES = {"tests/e2e/test_local_aws_cloudformation.py: template"}


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines from `def` to its end, without those of its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def long_functions(path: Path) -> dict[str, int]:
    """Return a module's functions with more lines than allowed, and their lines."""
    return {
        f"{path.relative_to(ROOT).as_posix()}: {node.name}": lines
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := count_lines(node)) > LONGEST
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_have_at_most_forty_lines(package: str) -> None:
    """A function of more than 40 lines, its docstring aside, is split where its parts have names, or is a table."""
    long = {name: lines for path in (ROOT / package).rglob("*.py") for name, lines in long_functions(path).items()}
    assert {name: lines for name, lines in long.items() if name not in TABLES} == {}
    assert {name for name in TABLES if name.startswith(f"{package}/")} <= long.keys()
