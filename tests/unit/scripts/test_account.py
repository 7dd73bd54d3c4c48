"""Verbs that plan by what a stage has refuse credentials of another account before they read any of it."""

from typing import Any

import pytest
from click.testing import CliRunner

from scripts.aws.clients import Aws
from scripts.command import shell
from scripts.command.root import root


class Identity:
    """The credentials of another account."""

    def get_caller_identity(self) -> dict[str, str]:
        """Return the account."""
        return {"Account": "999999999999"}


class Elsewhere(Aws):
    """The clients of another account: only the one that names the account may be asked for."""

    def client(self, service: Any, **_: Any) -> Any:
        """Return the client of STS."""
        assert service == "sts", f"{service} was read before the account was checked"
        return Identity()


@pytest.mark.parametrize("options", [["--yes"], ["--dry-run"]], ids=" ".join)
@pytest.mark.parametrize(
    "words",
    [["rollback"], ["configure"], ["unlock"], ["dlq", "redrive"], ["dlq", "delete", "--all"], ["infra", "deploy"]],
    ids=" ".join,
)
def test_another_account_is_refused_before_the_plan(
    words: list[str], options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are alike in every account, so that a plan made with the wrong credentials would look right."""
    monkeypatch.setattr(shell, "create_clients", lambda stage, endpoint: Elsewhere(stage, endpoint))
    monkeypatch.setenv("STAGE", "staging")
    done = CliRunner().invoke(root, [*words, *options])
    assert done.exit_code == 1, done.output
    assert "credentials belong to account 999999999999, but stage staging expects account" in done.output
