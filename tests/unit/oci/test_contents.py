"""Entries of a layer, before it is written."""

import pytest

from oci.contents import Contents, File, Folder, Held
from oci.exceptions import PathConflict, UnsafePath

FILE = File(Held(b""))


def test_parents_come_before_what_is_in_them() -> None:
    """Every parent folder is an entry, before its children."""
    contents = Contents()
    contents.add("a/b/c", FILE, "one")
    assert [path for path, _ in contents.with_parents()] == ["a", "a/b", "a/b/c"]


def test_entries_are_sorted_as_bytes() -> None:
    """No locale decides the order, and folders do not gather what is below them."""
    contents = Contents()
    for path in ("é", "a-b", "a/b", "Z"):
        contents.add(path, FILE, "one")
    assert [path for path, _ in contents.with_parents()] == ["Z", "a", "a-b", "a/b", "é"]


def test_two_inputs_with_one_path_are_refused() -> None:
    """The error names both inputs and the path."""
    contents = Contents()
    contents.add("a/b", FILE, "first")
    with pytest.raises(PathConflict, match=r"two inputs write /a/b\n  first\n  second"):
        contents.add("a/b", FILE, "second")


def test_two_inputs_may_share_a_folder() -> None:
    """Folders of one path are one folder."""
    contents = Contents()
    contents.add("a", Folder(), "first")
    contents.add("a", Folder(), "second")
    assert contents.paths() == ["a"]


def test_a_file_is_no_folder_for_others() -> None:
    """A path below another input's file is refused."""
    contents = Contents()
    contents.add("a", FILE, "first")
    contents.add("a/b", FILE, "second")
    with pytest.raises(PathConflict, match=r"/a/b \(second\) lies below /a"):
        list(contents.with_parents())


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/../b", "./a", "a/", "a\0b", "a/.wh.b"])
def test_paths_that_could_leave_the_image_are_refused(path: str) -> None:
    """Absolute, empty, dotted and deleting paths are refused with the input's name."""
    with pytest.raises(UnsafePath, match="evil"):
        Contents().add(path, FILE, "evil")
