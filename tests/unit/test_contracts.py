"""Docstrings of public functions are contracts: a caller learns from them what may be raised."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages")
# Exceptions that end a command: click prints the first as misuse, and the second has no other meaning.
ENDINGS = {"BadParameter": "usage error", "UsageError": "usage error", "NoSuchOption": "", "SystemExit": "exit"}
# `Raises as `build`.`: the contract is another function's.
ELSEWHERE = re.compile(r"\bas `\w+`|Raises as ")


def find_raised(node: ast.AST) -> Iterator[str]:
    """Yield the classes of the exceptions that a statement raises itself, and does not catch."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = ast.unparse(node.exc.func).rpartition(".")[2]
        if name[:1].isupper():
            yield name
    caught = node.body if isinstance(node, ast.Try) and node.handlers else []
    for part in ast.iter_child_nodes(node):
        if part not in caught:
            yield from find_raised(part)


def list_contracts(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield a module's public functions and methods with their docstrings, to which a class's belongs."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            whole = ast.get_docstring(node) or ""
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            yield from ((method, f"{ast.get_docstring(method) or ''}\n{whole}") for method in methods)


def list_unnamed(path: Path) -> list[str]:
    """List the exceptions that public functions raise and their docstrings do not name."""
    return [
        f"{path.relative_to(ROOT).as_posix()}:{function.lineno}: {function.name}: {name}"
        for function, contract in list_contracts(ast.parse(path.read_text(encoding="utf-8")))
        if not function.name.startswith("_") and not ELSEWHERE.search(contract)
        if not re.search("command|verb", " ".join(map(ast.unparse, function.decorator_list)))
        for name in {name for statement in function.body for name in find_raised(statement)}
        if name not in contract and ENDINGS.get(name, name) not in contract
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_name_what_a_function_raises(package: str) -> None:
    """The docstring of a public function names each exception that its own statements raise."""
    assert [name for path in sorted((ROOT / package).rglob("*.py")) for name in list_unnamed(path)] == []
