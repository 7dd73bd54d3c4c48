"""A repeated `plexus import --output` of a part: a file or a subfolder leaves the other cards, and all keys, alone."""

import json
import os
from pathlib import Path

import pytest

import plexus
from plexus.importing import output_folder
from tests.unit.plexus.test_import_output import Import, list_written, run, write

__all__ = ["run"]
PLACES = ["a.yaml", "sales/a.yaml", "sales/west/b.yaml", "support/c.yaml"]


def read_all(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Return text and key of each card of the output folder."""
    texts = {name: (tmp_path / "new" / name).read_text() for name in list_written(tmp_path)}
    return {name: (text, plexus.load(text).key) for name, text in texts.items()}


@pytest.mark.parametrize("part", [*PLACES, "sales", "sales/west", "support", "."])
def test_a_part_is_written_where_the_whole_was(part: str, run: Import, tmp_path: Path) -> None:
    """After an import of a folder, one of a file or a subfolder changes no other card, no place and no key."""
    for place in PLACES:
        write(tmp_path / "old", place, "Greeting")
    run()
    before = read_all(tmp_path)
    assert sorted(before) == PLACES
    result = run(paths=(tmp_path / "old" / part,))
    assert (result.return_value, read_all(tmp_path)) == (0, before)
    assert "removed" not in result.stderr
    changed = write(tmp_path / "old", part if part.endswith("yaml") else f"{part}/new.yaml", "Greeting", "money")
    run(paths=(tmp_path / "old" / part,))
    after = read_all(tmp_path)
    place = changed.resolve().relative_to((tmp_path / "old").resolve()).as_posix()
    assert "money" in after[place][0]
    assert {name: card for name, card in after.items() if name != place} == {
        name: card for name, card in before.items() if name != place
    }
    assert len({key for _, key in after.values()}) == len(after)
    run()
    assert read_all(tmp_path) == after


@pytest.mark.parametrize("first", ["sales", "sales/a.yaml"])
def test_the_whole_leaves_a_part_where_it_was(first: str, run: Import, tmp_path: Path) -> None:
    """After an import of a part, one of the whole folder neither moves its cards nor writes them twice."""
    for place in PLACES:
        write(tmp_path / "old", place)
    run(paths=(tmp_path / "old" / first,))
    before = read_all(tmp_path)
    part = {"sales": ["a.yaml", "west/b.yaml"], "sales/a.yaml": ["a.yaml"]}[first]
    assert sorted(before) == part
    with_others = [tmp_path / "old" / place for place in ("support", "sales")]
    run(paths=tuple(with_others))
    after = read_all(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


@pytest.mark.parametrize(
    ("edit", "reason"),
    [("name: S\nclass: TactusScore\n", "its source needs a hand"), (None, "its source does not exist any more")],
)
def test_a_card_is_removed_with_the_reason_of_its_own_source(
    edit: str | None, reason: str, run: Import, tmp_path: Path
) -> None:
    """Only cards of the imported part are removed."""
    for place in PLACES:
        write(tmp_path / "old", place)
    run()
    for place in ("sales/west/b.yaml", "support/c.yaml"):
        source = tmp_path / "old" / place
        source.unlink() if edit is None else source.write_text(edit)
    result = run(paths=(tmp_path / "old" / "sales",))
    assert f"{tmp_path}/new/sales/west/b.yaml: removed: {reason}" in result.stderr
    assert list_written(tmp_path) == ["a.yaml", "sales/a.yaml", "support/c.yaml"]


def test_a_card_of_another_source_is_not_replaced(run: Import, tmp_path: Path) -> None:
    """Two folders with a file of one name do not write over each other's card without `--force`."""
    write(tmp_path / "old", "a.yaml")
    write(tmp_path / "more", "a.yaml", "Other")
    run()
    before = read_all(tmp_path)
    result = run(paths=(tmp_path / "more",))
    assert (result.return_value, read_all(tmp_path)) == (1, before)
    assert f"kept: not replaced: it is the scorecard of {tmp_path}/old/a.yaml. next: " in result.stderr
    assert run("--force", paths=(tmp_path / "more",)).return_value == 0
    assert read_all(tmp_path)["a.yaml"][1] == "other"


def test_a_folder_that_was_moved_replaces_its_cards(run: Import, tmp_path: Path) -> None:
    """The cards of a folder that has another place now are replaced, and keep their keys."""
    for place in PLACES:
        write(tmp_path / "old", place, "Greeting")
    run()
    before = read_all(tmp_path)
    (tmp_path / "old").rename(tmp_path / "moved")
    assert run(paths=(tmp_path / "moved",)).return_value == 0
    assert read_all(tmp_path) == before


def test_a_manifest_of_an_earlier_version_is_read(run: Import, tmp_path: Path) -> None:
    """Format 1 has no roots and no keys: a part of the same folder changes no other card."""
    for place in PLACES:
        write(tmp_path / "old", place)
    run()
    before = read_all(tmp_path)
    path = tmp_path / "new" / output_folder.FILE_NAME
    files = json.loads(path.read_text())["files"]
    old = {name: {"source": f"../old/{name}", "sha256": entry["sha256"]} for name, entry in files.items()}
    path.write_text(json.dumps({"format": 1, "files": old}))
    assert run(paths=(tmp_path / "old" / "sales",)).return_value == 0
    assert read_all(tmp_path) == before


@pytest.mark.parametrize("broken", PLACES)
def test_a_file_that_needs_a_hand_has_its_name_too(broken: str, run: Import, tmp_path: Path) -> None:
    """Keys do not change when a file of the same name is corrected, whether the first import had an error or not."""
    for place in PLACES:
        write(tmp_path / "old", place, "Greeting")
    source = tmp_path / "old" / broken
    whole = source.read_text()
    source.write_text(whole.replace("[refund]", "[]"))
    assert run().return_value == 1
    before = read_all(tmp_path)
    assert sorted(before) == sorted({*PLACES} - {broken})
    source.write_text(whole)
    assert run().return_value == 0
    after = read_all(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len({key for _, key in after.values()}) == len(PLACES)


def test_a_card_keeps_its_key_when_its_name_changes(run: Import, tmp_path: Path) -> None:
    """A key identifies stored results, so the next import keeps it; a key that the file itself has is used."""
    source = write(tmp_path / "old", "a.yaml", "Greeting")
    run()
    source.write_text(source.read_text().replace("name: Greeting", "name: Farewell"))
    result = run("--json")
    assert read_all(tmp_path)["a.yaml"][1] == "greeting"
    assert "the key is 'greeting', as in an earlier import; from the name, it would be 'farewell'" in result.stdout
    source.write_text("name: A\nkey: own\nscores: [{name: S, class: KeywordClassifier, keywords: [x]}]\n")
    run()
    assert read_all(tmp_path)["a.yaml"][1] == "own"


def test_what_looks_like_a_scorecard_and_is_no_file_is_named(run: Import, tmp_path: Path) -> None:
    """A link to nothing, a pipe and a folder named like a scorecard are skipped; cards in that folder are not."""
    old = tmp_path / "old"
    write(old, "folder.yaml/a.yaml")
    (old / "link.yaml").symlink_to(old / "absent")
    os.mkfifo(old / "pipe.yaml")
    result = run()
    assert list_written(tmp_path) == ["folder.yaml", "folder.yaml/a.yaml"]
    assert f"skipped 3 files without a scorecard: {old}/folder.yaml, {old}/link.yaml, {old}/pipe.yaml" in result.stderr
