"""The command `score-processor`: its verbs and its sections."""

import ast
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from plexus.commands import group
from scripts.command.root import PROGRAMS, SCRIPTS, SECTIONS, root
from tests.golden import commands

LISTED = set(root.list_commands(click.Context(root)))


def modules() -> list[Path]:
    """Return the file of each verb."""
    return [*SCRIPTS.glob("[a-z]*.py"), *SCRIPTS.glob("*/command.py")]


def name_of(path: Path) -> str:
    """Return the verb that a file implements."""
    return (path.parent.name if path.name == "command.py" else path.stem).replace("_", "-")


def test_every_file_of_a_verb_is_listed() -> None:
    """A verb's file is listed in a section, and every listed verb has a file or a program."""
    assert {name_of(path) for path in modules()} | PROGRAMS.keys() == LISTED


def test_a_verb_is_in_one_section() -> None:
    """No verb is listed twice."""
    assert sum(map(len, SECTIONS.values())) == len(LISTED)


@pytest.mark.parametrize("module", [module for module, _ in PROGRAMS.values()])
def test_a_program_exists(module: str) -> None:
    """A verb that hands its words to another module names one that exists."""
    assert find_spec(module)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_verb_imports_no_other_verb(path: Path) -> None:
    """A verb imports shared packages only; what two verbs need belongs into one of these."""
    verbs = {one.stem for one in SCRIPTS.glob("[a-z]*.py")} | {"demo", "doctor", "drift", "dashboard"}
    own = path.parent.name if path.name == "command.py" else path.stem
    level = 2 if path.name == "command.py" else 1
    imported = {
        (node.module or alias.name).partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level == level
        for alias in node.names
    }
    assert not imported & (verbs - {own})


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_verb_returns_no_bare_number(path: Path) -> None:
    """A verb's result has its exit code as the attribute `exit_code`: a returned number would be lost."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    verbs = [one for one in functions if any(ast.unparse(mark).startswith("verb(") for mark in one.decorator_list)]
    assert not [one.name for one in verbs if one.returns and ast.unparse(one.returns) in ("int", "bool", "str")]


@pytest.mark.parametrize(("group", "name"), [(root, "score-processor"), (group, "plexus")])
def test_the_version_is_that_of_the_project_file(group: click.Command, name: str) -> None:
    """`--version` prints the program's name and the version in pyproject.toml."""
    version = tomllib.loads((SCRIPTS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert CliRunner().invoke(group, ["--version"], prog_name=name).stdout == f"{name} {version}\n"


def test_an_unknown_verb_is_misuse() -> None:
    """A verb that does not exist ends with exit code 2 and its name."""
    done = commands.run("deplyo")
    assert done.exit_code == 2
    assert "No such command 'deplyo'" in done.stderr
