"""The table of LocalStack internals in docs/reference/local-aws.md matches the code and the checks."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.pinned.rules import rules

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/reference/local-aws.md"
EXTENSION = ROOT / "local_aws/extension"
THEIRS = {"localstack", "moto", "rolo", "twisted", "plux"}


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    check: str
    reached: tuple[str, ...]
    test: str


def table() -> list[Row]:
    """Return the table's lines."""
    rows = []
    section = PAGE.read_text().partition("## Patched internals")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| `.*\|$", section, re.M):
        check, reached, _, test = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append(Row(check.strip("`"), tuple(re.findall("`([^`]+)`", reached)), test.strip("`")))
    return rows


def patches() -> list[str]:
    """Return the functions that internals.py applies."""
    tree = ast.parse((EXTENSION / "internals.py").read_text())
    applied = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("apply_")]
    calls = [node for function in applied for node in ast.walk(function) if isinstance(node, ast.Call)]
    return [call.func.id for call in calls if isinstance(call.func, ast.Name)]


def list_imports() -> Iterator[str]:
    """Yield every name that the extension imports from LocalStack, or from what LocalStack stands on."""
    for path in EXTENSION.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{name.name}" for name in node.names]
            else:
                continue
            yield from (name for name in names if name.partition(".")[0] in THEIRS)


def test_every_patch_stands_in_the_table() -> None:
    """The page has a line for each function of internals.py."""
    result = patches()
    assert len(result) > 5
    assert set(result) <= {row.check for row in table()}


def test_every_name_taken_from_localstack_stands_in_the_table() -> None:
    """A line of the page names each import from LocalStack, moto and their libraries, or a part of it."""
    output = [name for row in table() for name in row.reached]
    assert [
        name for name in sorted(set(list_imports())) if not any(f"{one}.".startswith(f"{name}.") for one in output)
    ] == []


def test_every_line_has_its_check_and_every_check_its_line() -> None:
    """Lines and checks have the same names, once each, and each check says what must hold."""
    assert sorted(row.check for row in table()) == sorted(rules())
    assert all(rules().values())


def test_every_test_that_the_table_names_is_there() -> None:
    """Each line names an end-to-end test that exists."""
    missing = []
    for row in table():
        file, _, test = row.test.partition("::")
        path = ROOT / f"tests/e2e/test_local_aws_{file}"
        if not path.is_file() or f"\ndef {test}(" not in path.read_text():
            missing.append(row.test)
    assert missing == []
