"""A build's own house: what it replaces, what it sweeps, and which commit it says it is of."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nix import build
from nix.assembly import output as outputs
from nix.assembly.assembler import BuildProblem
from nix.assembly.layers import LayerPlan, link_cached, seal_layer
from nix.cache import input_cache, sealed
from nix.oci.digest import sha256


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an image, with a cache of the test's own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "image"


def test_a_folder_of_other_things_is_not_replaced(output: Path) -> None:
    """A folder, a file and a .json that no build wrote are refused by name; none of them is touched."""
    output.mkdir()
    outputs.refuse_foreign(output)
    (output / "thesis.tex").touch()
    with pytest.raises(BuildProblem, match=f"{output}: expected nothing, or the output"):
        outputs.refuse_foreign(output)
    with pytest.raises(BuildProblem, match=r"thesis\.tex: expected nothing"):
        outputs.refuse_foreign(output / "thesis.tex")
    output.with_name("package.json").write_text("{}")
    with pytest.raises(BuildProblem, match=r"package\.json: expected nothing"):
        outputs.refuse_foreign(output.with_name("package"))


def test_what_a_build_wrote_is_replaced(output: Path) -> None:
    """A layout and its record are taken for what they are."""
    output.mkdir()
    (output / "oci-layout").touch()
    output.with_name("image.json").write_text('{\n "config_digest": "sha256:0"\n}\n')
    outputs.refuse_foreign(output)


def test_only_killed_builds_of_this_image_are_swept(output: Path) -> None:
    """Beside a working folder stay another image's, and whatever else has a name that begins alike."""
    kept = [".image-settings", ".image.other.building-abcdefgh", ".image.building-"]
    for name in [*kept, ".image.building-abcdefgh"]:
        (output.parent / name).mkdir()
    with outputs.working_folder(output) as work:
        there = {path.name for path in output.parent.iterdir()}
        assert there == {*kept, work.name}
    assert {path.name for path in output.parent.iterdir()} == set(kept)


def test_a_full_disk_is_told_with_what_to_do(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The assembler's message on a full disk is followed by two remedies, other messages are not."""
    for message, ways in (("layer small: /cache/x: No space left on device", 1), ("layer small: altered", 0)):

        def refuse(*_: object, message: str = message) -> None:
            raise BuildProblem(message)

        monkeypatch.setattr(build, "build", refuse)
        assert build.main(["--output", str(output)]) == 1
        assert capsys.readouterr().err.count("make cache-prune") == ways


@pytest.mark.parametrize("end", [BuildProblem("broken"), KeyboardInterrupt(), SystemExit(143)])
def test_a_build_that_ends_early_marks_the_image_before(
    end: BaseException, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed, interrupted or terminated build leaves a mark beside the earlier image, which stays as it was."""

    def stop() -> None:
        raise end

    output.mkdir()
    (output / "oci-layout").touch()
    monkeypatch.setattr(build, "read_source", stop)
    with pytest.raises(type(end)):
        build.build(output)
    assert outputs.locate_unfinished_mark(output).exists()
    assert [path.name for path in output.iterdir()] == ["oci-layout"]


@pytest.fixture
def plan(output: Path) -> LayerPlan:
    """A layer in the cache, as the assembler leaves it."""
    plan = LayerPlan("handler", "0" * 64, (), 0)
    plan.folder.mkdir(parents=True)
    (plan.folder / "blob").write_bytes(b"blob")
    for name in ("layer.json", "scan.json"):
        (plan.folder / name).write_text(json.dumps({"digest": sha256(b"blob"), "name": name}))
    seal_layer(plan, plan.folder)
    return plan


def test_a_sealed_layer_is_linked(plan: LayerPlan, tmp_path: Path) -> None:
    """An unaltered layer is taken with its own bytes, and its stamp is that of the blob when the links are gone."""
    layer = link_cached(plan, tmp_path / "work")
    assert layer is not None
    assert (layer.folder / "blob").read_bytes() == b"blob"
    assert (layer.folder / "blob").samefile(plan.folder / "blob")
    layer.drop_links()
    assert (plan.folder / "stamp").read_text() == input_cache.stamp(plan.folder / "blob")


CHANGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
    "removed": Path.unlink,
    "replaced": lambda path: path.with_name("new").write_bytes(b"blob") and path.with_name("new").rename(path),
}


def flip_unseen(path: Path) -> None:
    """Change a bit, and restore the times that a program can set."""
    before = path.stat()
    CHANGES["flipped"](path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["layer.json", "scan.json", "seal", "blob"])
@pytest.mark.parametrize("change", [*CHANGES.values(), flip_unseen], ids=[*CHANGES, "flipped, times restored"])
def test_an_altered_layer_is_not_taken(
    plan: LayerPlan, change: Callable[[Path], object], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever file of a cached layer is altered in whichever way, the layer is removed, in one line."""
    before = (plan.folder / name).read_bytes()
    change(plan.folder / name)
    same = name == "blob" and (plan.folder / name).exists() and (plan.folder / name).read_bytes() == before
    assert (link_cached(plan, tmp_path / "work") is not None) == same
    assert plan.folder.exists() == same
    line = "cache: layers/handler: altered since it was made; making it again\n"
    assert capsys.readouterr().err == ("" if same else line)


def test_a_lost_stamp_costs_a_hash_only(plan: LayerPlan, tmp_path: Path) -> None:
    """A layer whose stamp was altered is verified by its content, and taken."""
    (plan.folder / "stamp").write_text("x")
    assert link_cached(plan, tmp_path / "work") is not None


def test_the_layer_of_another_key_is_not_taken(plan: LayerPlan, tmp_path: Path) -> None:
    """A whole layer in the place of another one is altered, too."""
    other = replace(plan, key="1" * 64)
    plan.folder.rename(other.folder)
    assert link_cached(other, tmp_path / "work") is None


def test_a_blob_that_changed_while_it_was_scanned_is_not_sealed(plan: LayerPlan) -> None:
    """A layer whose scan read another blob than the one that was written is refused."""
    (plan.folder / "scan.json").write_text(json.dumps({"digest": sha256(b"other")}))
    with pytest.raises(sealed.Altered, match="layer handler: its blob was altered while it was made"):
        seal_layer(plan, plan.folder)


def test_a_layer_without_its_bytes_is_not_made(plan: LayerPlan) -> None:
    """Files of no bytes under their final names, as a power cut leaves them, do not count as made."""
    assert plan.is_made
    for name in ("layer.json", "scan.json", "seal"):
        (plan.folder / name).write_text("")
    assert not plan.is_made
