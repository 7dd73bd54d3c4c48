"""`score-processor release`, in a repository of its own."""

import re
from datetime import date
from pathlib import Path

import pytest

from scripts.console.errors import Refused
from scripts.release import new_version
from tests.checkouts import SETTINGS, git

TODAY = date(2026, 1, 31)
PROJECT = '[project]\nname = "score-processor"\nversion = "0.1.9"\n\n[tool.other]\nversion = "7"\n'
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- One.\n- Two.\n\n## [0.1.9] - 2025-12-01\n\n- Old.\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean repository with a version and a changelog."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    git(tmp_path, "init", "--quiet")
    for name, value in SETTINGS.items():
        git(tmp_path, "config", name, value)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "version"), [("patch", "0.1.10"), ("minor", "0.2.0"), ("major", "1.0.0"), ("0.3.1", "0.3.1")]
)
def test_a_release_sets_version_changelog_commit_and_tag(repository: Path, wanted: str, version: str) -> None:
    """The tag names a commit whose project has the version and whose changelog dates it."""
    release = new_version.plan(wanted, TODAY, repository)
    assert (release.version, release.previous, release.entries) == (version, "0.1.9", 2)
    new_version.prepare(release, repository)
    assert f'version = "{version}"' in git(repository, "show", f"v{version}:pyproject.toml")
    assert 'version = "7"' in git(repository, "show", f"v{version}:pyproject.toml")
    notes = git(repository, "show", f"v{version}:CHANGELOG.md")
    assert f"## [Unreleased]\n\n## [{version}] - 2026-01-31\n\n### Added\n\n- One.\n- Two.\n\n## [0.1.9]" in notes
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "log", "-1", "--format=%s") == f"Release {version}"


def test_every_problem_is_reported_at_once(repository: Path) -> None:
    """A version that does not increase, an empty changelog, local changes and a used tag are one error."""
    git(repository, "tag", "v0.1.0")
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    with pytest.raises(Refused) as refused:
        new_version.plan("0.1.0", TODAY, repository)
    for problem in ("above 0.1.9", "nothing is listed", "uncommitted changes", "tag v0.1.0 exists"):
        assert re.search(problem, str(refused.value))


def test_a_refused_release_changes_nothing(repository: Path) -> None:
    """After a refusal files, commits and tags are as they were."""
    before = git(repository, "rev-parse", "HEAD")
    with pytest.raises(Refused, match=r"got next, expected MAJOR\.MINOR\.PATCH"):
        new_version.plan("next", TODAY, repository)
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "tag")) == (before, "")
    assert (repository / "pyproject.toml").read_text() == PROJECT
