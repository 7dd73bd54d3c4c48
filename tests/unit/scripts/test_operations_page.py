"""docs/operations.md against the code that it describes."""

import re
from pathlib import Path

import pytest
from botocore import exceptions

from scripts import _aws, _errors
from scripts._errors import OperationFailed
from scripts._stage import load_stage

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def table(mark: str) -> list[list[str]]:
    """The rows of the table under a mark, cell by cell, without its head."""
    lines = PAGE.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_kind_of_error_stands_in_the_table() -> None:
    """The page names each class of errors that commands raise, and no other."""
    kinds = {name for name, one in vars(_errors).items() if isinstance(one, type) and issubclass(one, OperationFailed)}
    assert {row[0].strip("`") for row in table("errors")} == kinds


@pytest.mark.parametrize("row", table("codes"), ids=lambda row: row[0].split("`")[1])
def test_the_next_step_of_a_code_is_the_one_that_the_page_tells(row: list[str]) -> None:
    """For each of AWS's codes a command says what the page says."""
    stage = load_stage("local")
    for code in re.findall(r"`([\w.]+)`", row[0]):
        if code in ("ResourceConflictException", "PreconditionFailedException"):
            assert "make status history" in row[1]  # told by scripts/_function.py; tested on a real conflict
            continue
        said = _aws._remedy(code, stage)
        words = re.split(r"[:;?]", row[1].replace("`", ""))
        assert any(part.strip() and part.strip() in said for part in words), (code, said)
        assert said != _aws._remedy("Unknown", stage), code


def test_no_code_with_a_step_of_its_own_is_missing() -> None:
    """Every code that the commands know stands on the page."""
    known = {*_aws._EXPIRED, *_aws._BAD_KEYS, *_aws._DENIED, *_aws._BUSY, *_aws._ABSENT}
    assert known <= set(re.findall(r"`([\w.]+)`", "\n".join(row[0] for row in table("codes"))))


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NoCredentialsError(),
        exceptions.UnauthorizedSSOTokenError(),
        exceptions.TokenRetrievalError(provider="x", error_msg="y"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_who_is_not_signed_in_is_told_to(error: Exception) -> None:
    """Without credentials, and with a session of single sign-on that has ended, the next step is to sign in."""
    told = _aws.explain(error, load_stage("local"))
    assert told is not None
    assert told.remedy.startswith("sign in as your account asks (aws sso login")


def test_every_target_on_the_page_exists() -> None:
    """A make target that the page names is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    named = {word for words in re.findall(r"`make ([a-z][a-z -]*)", PAGE) for word in words.split()}
    assert named
    assert named <= targets


def test_every_command_is_on_the_page() -> None:
    """Each script that is a command is named, by its target or by itself."""
    recipes = re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    named = set(re.findall(r"scripts\.([a-z_]+)", PAGE))
    targets = {word for words in re.findall(r"`make ([a-z][a-z -]*)", PAGE) for word in words.split()}
    for target, recipe in recipes:
        if target in targets:
            named |= set(re.findall(r"(?:\$\(RUN\)|scripts)[./]([a-z_]+)", recipe))
    commands = {path.stem for path in (ROOT / "scripts").glob("[a-z]*.py")} | {"dashboard"}
    assert commands <= named
