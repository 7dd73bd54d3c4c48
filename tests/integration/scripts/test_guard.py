"""Checks before a change of a guarded stage."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.aws import lambda_function
from scripts.aws.stage import load_stage
from scripts.command.shell import Shell
from scripts.console.errors import Refused
from scripts.release import configuration, guard
from tests.checkouts import git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository with one commit on main."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=one")
    return tmp_path


def test_a_clean_commit_of_main_is_taken(clone: Path) -> None:
    """A clean commit on main has no problems."""
    assert guard.commit_problems(git(clone, "rev-parse", "HEAD"), clone) == []


def test_a_commit_of_another_branch_is_refused(clone: Path) -> None:
    """A commit of another branch is rejected."""
    git(clone, "checkout", "--quiet", "-b", "feature")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=two")
    (problem,) = guard.commit_problems(revision := git(clone, "rev-parse", "HEAD"), clone)
    assert problem == f"commit {revision[:12]} is not on main or origin/main"


def test_a_hook_does_not_change_what_is_looked_at(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that git sets in hooks are ignored; the folder's own repository is checked."""
    head = git(clone, "rev-parse", "HEAD")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(clone / "elsewhere"))
    assert guard.commit_problems(head, clone) == []


@pytest.mark.parametrize("revision", ["uncommitted-0123456789abcdef", "0" * 40 + "-dirty"])
def test_every_reason_is_told_at_once(revision: str, clone: Path) -> None:
    """An image of no commit, by this version or an earlier one, and a changed work tree are both listed."""
    (clone / "file").write_text("two")
    assert guard.commit_problems(revision, clone) == [
        f"the image was built from a work tree with uncommitted changes ({revision})",
        "the work tree has uncommitted changes",
    ]


def test_an_image_without_a_commit_is_refused(clone: Path) -> None:
    """An image without a commit is rejected."""
    assert guard.commit_problems("unknown", clone) == ["the image names no commit"]


def test_a_commit_that_git_does_not_know_is_refused(clone: Path) -> None:
    """A commit that this clone does not have is rejected."""
    assert "is not on main" in guard.commit_problems("1" * 40, clone)[0]


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_guarded_stage_does_not_change_without_a_yes(stage: str) -> None:
    """Without a terminal the change is refused with the remedy --yes; a dry run asks nothing."""
    shell = Shell(stage)
    with pytest.raises(Refused, match=f"stage {stage} needs a confirmation") as caught:
        shell.confirm("Deploys it.")
    assert "--yes" in caught.value.remedy
    replace(shell, dry_run=True).confirm("Deploys it.")


def test_the_local_stage_asks_nothing() -> None:
    """The local stage needs no confirmation."""
    assert not load_stage("local").is_guarded
    Shell("local").confirm("Deploys it.")


@pytest.mark.parametrize("setting", ["OPENAI_API_KEY=sk-0123456789abcdef0123", "DATABASE_PASSWORD=hunter2"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(setting: str) -> None:
    """The error has the variable's name and where to store secrets, but not the value."""
    name, _, value = setting.partition("=")
    with pytest.raises(Refused, match=f"{name} would put a secret on a command line") as caught:
        configuration.parse_settings((setting,))
    assert value not in str(caught.value)
    assert "Secrets Manager or SSM" in caught.value.remedy


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("LEVEL", "NAME=VALUE"), ("A=b", "a name of two or more"), ("1A=b", "a name of two or more")],
)
def test_a_setting_that_is_none_is_refused(setting: str, expected: str) -> None:
    """A setting must have the form NAME=VALUE, and a name that Lambda accepts; the error says which it lacks."""
    with pytest.raises(Refused, match=f"got '{setting}', expected {expected}"):
        configuration.parse_settings((setting,))


def test_a_secret_that_was_set_by_hand_is_on_nobodys_screen() -> None:
    """A difference hides a value that looks like a secret."""
    stage = load_stage("local")
    reference = "arn:aws:secretsmanager:us-west-2:000000000000:secret:key"
    result = lambda_function.parse_configuration(
        {"Environment": {"Variables": {"PROVIDER_API_KEY": "0123456789", "LOG_LEVEL": "DEBUG"}}}
    )
    output = "\n".join(map(str, configuration.compare_with_stage(result, stage, {"PROVIDER_API_KEY": reference})))
    assert f"- PROVIDER_API_KEY = [secret]\n+ PROVIDER_API_KEY = {reference}" in output
    assert "- LOG_LEVEL = DEBUG\n+ LOG_LEVEL = INFO" in output
    assert "0123456789" not in output
