"""A build's own house: what it replaces, what it sweeps, and which commit it says it is of."""

import subprocess
from pathlib import Path

import pytest
import revision
from assembler import BuildProblem
from layers import FILES, Plan

import build


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an image would go, with a cache of the test's own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "image"


def test_a_folder_of_other_things_is_not_replaced(output: Path) -> None:
    """A folder, a file and a .json that no build wrote are refused by name; none of them is touched."""
    output.mkdir()
    build.refuse_foreign(output)
    (output / "thesis.tex").touch()
    with pytest.raises(BuildProblem, match=f"{output}: expected nothing or what an earlier build wrote"):
        build.refuse_foreign(output)
    with pytest.raises(BuildProblem, match=r"thesis\.tex: expected nothing"):
        build.refuse_foreign(output / "thesis.tex")
    output.with_name("package.json").write_text("{}")
    with pytest.raises(BuildProblem, match=r"package\.json: expected nothing"):
        build.refuse_foreign(output.with_name("package"))


def test_what_a_build_wrote_is_replaced(output: Path) -> None:
    """A layout and its record are taken for what they are."""
    output.mkdir()
    (output / "oci-layout").touch()
    output.with_name("image.json").write_text('{\n "config_digest": "sha256:0"\n}\n')
    build.refuse_foreign(output)


def test_only_killed_builds_of_this_image_are_swept(output: Path) -> None:
    """Beside a working folder stay another image's, and whatever else has a name that begins alike."""
    kept = [".image-settings", ".image.other.building-abcdefgh", ".image.building-"]
    for name in [*kept, ".image.building-abcdefgh"]:
        (output.parent / name).mkdir()
    with build.working_folder(output) as work:
        there = {path.name for path in output.parent.iterdir()}
        assert there == {*kept, work.name}
    assert {path.name for path in output.parent.iterdir()} == set(kept)


def test_a_full_disk_is_told_with_what_to_do(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the assembler says of a full disk is followed by the two ways on; other refusals are not."""
    for told, ways in (("layer small: /cache/x: No space left on device", 1), ("layer small: altered", 0)):

        def refuse(*_: object, told: str = told) -> None:
            raise BuildProblem(told)

        monkeypatch.setattr(build, "build", refuse)
        assert build.main(["--output", str(output)]) == 1
        assert capsys.readouterr().err.count("make cache-prune") == ways


def test_a_layer_without_its_bytes_is_made_again(output: Path) -> None:
    """What a power cut left, files of no bytes under their final names, counts as not made."""
    plan = Plan("handler", "0" * 64, (), 0)
    assert not plan.is_made
    plan.folder.mkdir(parents=True)
    for name in FILES:
        (plan.folder / name).write_text("x")
    assert plan.is_made
    for name in FILES:
        (plan.folder / name).write_text("")
        assert not plan.is_made
        (plan.folder / name).write_text("x")


def test_a_hooks_variables_do_not_name_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git's variables name another repository, as in a hook, a build is of this one all the same."""
    for name in ("ours", "other"):
        words = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path / name)]
        (tmp_path / name).mkdir()
        for more in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", name]):
            subprocess.run([*words, *more], check=True, env=revision.without_gits_own())
    mine = revision.checkout(("plexus",), tmp_path / "ours")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert revision.checkout(("plexus",), tmp_path / "ours") == mine
    assert len(mine.revision) == 40
