"""What guarded stages ask before they are changed."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import _function, _guard, configure
from scripts._command import Shell
from scripts._errors import Refused
from scripts._stage import load_stage


def git(folder: Path, *words: str) -> str:
    """Run git there."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit on main."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=one")
    return tmp_path


def test_a_clean_commit_of_main_is_taken(clone: Path) -> None:
    """Production has nothing against it."""
    assert _guard.commit_problems(git(clone, "rev-parse", "HEAD"), clone) == []


def test_a_commit_of_another_branch_is_refused(clone: Path) -> None:
    """What main does not hold nobody else can build again."""
    git(clone, "checkout", "--quiet", "-b", "feature")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=two")
    (problem,) = _guard.commit_problems(revision := git(clone, "rev-parse", "HEAD"), clone)
    assert problem == f"the commit {revision[:12]} is not on main, here or at the origin"


def test_a_hook_does_not_change_what_is_looked_at(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables with which git tells its hooks another repository are not heeded: the folder's own is looked at."""
    head = git(clone, "rev-parse", "HEAD")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(clone / "elsewhere"))
    assert _guard.commit_problems(head, clone) == []


def test_every_reason_is_told_at_once(clone: Path) -> None:
    """An image of a dirty tree, and a tree that is dirty now, are two problems of one refusal."""
    (clone / "file").write_text("two")
    assert _guard.commit_problems("0" * 40 + "-dirty", clone) == [
        f"the image was built from a work tree with changes that no commit holds ({'0' * 40}-dirty)",
        "the work tree differs from its commit",
    ]


def test_an_image_without_a_commit_is_refused(clone: Path) -> None:
    """Other builders' images name none."""
    assert _guard.commit_problems("unknown", clone) == ["the image names no commit"]


def test_a_commit_that_git_does_not_know_is_refused(clone: Path) -> None:
    """A commit of a clone that was never pushed is not on main."""
    assert "is not on main" in _guard.commit_problems("1" * 40, clone)[0]


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_guarded_stage_does_not_change_without_a_yes(stage: str) -> None:
    """Where nobody can be asked the act is refused and names --yes; a dry run asks nothing."""
    shell = Shell(stage)
    with pytest.raises(Refused, match=f"stage {stage} changes only with a yes") as caught:
        shell.confirm("Deploys it.")
    assert "--yes" in caught.value.remedy
    replace(shell, dry_run=True).confirm("Deploys it.")


def test_the_local_stage_asks_nothing() -> None:
    """It is this machine's own."""
    assert not load_stage("local").is_guarded
    Shell("local").confirm("Deploys it.")


@pytest.mark.parametrize("setting", ["OPENAI_API_KEY=sk-0123456789abcdef0123", "DATABASE_PASSWORD=hunter2"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(setting: str) -> None:
    """The error names the variable, says where secrets belong, and does not show the value."""
    name, _, value = setting.partition("=")
    with pytest.raises(Refused, match=f"{name} would put a secret on a command line") as caught:
        configure.parse_settings((setting,))
    assert value not in str(caught.value)
    assert "Secrets Manager or SSM" in caught.value.remedy


def test_a_setting_that_is_none_is_refused() -> None:
    """It must be NAME=VALUE."""
    with pytest.raises(Refused, match="'LEVEL' is not NAME=VALUE"):
        configure.parse_settings(("LEVEL",))


def test_a_secret_that_was_set_by_hand_is_on_nobodys_screen() -> None:
    """A difference names the variable, and shows a mark in place of what seems to be a secret."""
    stage = load_stage("local")
    reference = "arn:aws:secretsmanager:us-west-2:000000000000:secret:key"
    found = _function.facts({"Environment": {"Variables": {"PROVIDER_API_KEY": "0123456789", "LOG_LEVEL": "DEBUG"}}})
    told = "\n".join(map(str, configure.differences(found, stage, {"PROVIDER_API_KEY": reference})))
    assert f"- PROVIDER_API_KEY = [secret]\n+ PROVIDER_API_KEY = {reference}" in told
    assert "- LOG_LEVEL = DEBUG\n+ LOG_LEVEL = INFO" in told
    assert "0123456789" not in told
