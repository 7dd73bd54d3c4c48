"""The digest by which templates are compared with the stage file that they were synthesized from."""

from pathlib import Path

import pytest

import stages
from scripts.aws.resources import is_outdated


def test_comments_and_order_do_not_change_the_digest(tmp_path: Path) -> None:
    """Only what a file sets counts."""
    (tmp_path / "one.toml").write_text('# a comment\nregion = "x"\n[function]\nmemory_mb = 1\ntimeout_s = 2\n')
    (tmp_path / "two.toml").write_text('function = {timeout_s = 2, memory_mb = 1}\nregion = "x"\n')
    (tmp_path / "three.toml").write_text('function = {timeout_s = 2, memory_mb = 3}\nregion = "x"\n')
    entry, two, three = (stages.hash_stage(name, tmp_path) for name in ("one", "two", "three"))
    assert entry == two != three


@pytest.mark.parametrize("stage", stages.list_stages())
def test_the_committed_templates_are_of_the_committed_stage_files(stage: str, tmp_path: Path) -> None:
    """After an edit of a stage file, `make infra` has to be run; without any templates it has to be run, too."""
    assert not is_outdated(stage), "next: make infra"
    assert is_outdated(stage, tmp_path)
