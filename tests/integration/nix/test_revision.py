"""The revision of a git checkout."""

from pathlib import Path

import pytest

from nix import revision
from tests.checkouts import git


def test_a_hooks_variables_do_not_name_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If git's variables name another repository, as in a hook, the revision is still this repository's."""
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
        for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", name]):
            git(tmp_path / name, *words)
    own_ = revision.read_checkout(("plexus",), tmp_path / "ours")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert revision.read_checkout(("plexus",), tmp_path / "ours") == own_
    assert len(own_.commit or "") == 40
