"""docs/reference/operations.md agrees with the code."""

import re
from pathlib import Path

import pytest
from botocore import exceptions

from scripts.aws import clients
from scripts.aws.stage import load_stage
from scripts.console import errors
from scripts.console.errors import OperationFailed
from tests.golden import commands

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "operations.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def table(mark: str) -> list[list[str]]:
    """Return the cells of the table under a mark, without its head."""
    lines = PAGE.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_kind_of_error_stands_in_the_table() -> None:
    """The page lists exactly the error classes that commands raise."""
    kinds = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, OperationFailed)}
    assert {row[0].strip("`") for row in table("errors")} == kinds


@pytest.mark.parametrize("row", table("codes"), ids=lambda row: row[0].split("`")[1])
def test_the_next_step_of_a_code_is_the_one_that_the_page_tells(row: list[str]) -> None:
    """The page's remedy for each AWS error code is the command's."""
    stage = load_stage("local")
    for code in re.findall(r"`([\w.]+)`", row[0]):
        if code in ("ResourceConflictException", "PreconditionFailedException"):
            assert (
                "make status history" in row[1]
            )  # raised by scripts/aws/lambda_function.py; tested on a real conflict
            continue
        output = clients.choose_remedy(code, stage)
        words = re.split(r"[:;?]", row[1].replace("`", ""))
        assert any(part.strip() and part.strip() in output for part in words), (code, output)
        assert output != clients.choose_remedy("Unknown", stage), code


def test_no_code_with_a_step_of_its_own_is_missing() -> None:
    """The page lists every error code that has a remedy of its own."""
    known = {code for codes in clients.REMEDIES for code in codes}
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
    """Without credentials, or with an expired SSO session, the remedy is to sign in."""
    output = clients.explain(error, load_stage("local"))
    assert output is not None
    assert output.remedy.startswith("sign in (aws sso login")


def test_every_target_on_the_page_exists() -> None:
    """Every make target on the page exists."""
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    named = {word for words in re.findall(r"`make ([a-z][a-z -]*)", PAGE) for word in words.split()}
    assert named
    assert named <= targets


def test_every_verb_is_on_the_page() -> None:
    """The page names each verb, by its make target or as `score-processor VERB`."""
    recipes = re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    mentioned = set(re.findall(r"score-processor ([a-z-]+)", PAGE))
    targets = {word for words in re.findall(r"`make ([a-z][a-z -]*)", PAGE) for word in words.split()}
    for target, recipe in recipes:
        if target in targets:
            mentioned |= set(re.findall(r"\$\(RUN\) ([a-z-]+)", recipe))
    assert set(commands.verbs()) - {"completion"} <= mentioned
