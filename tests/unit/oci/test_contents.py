"""Entries of a layer, before it is written."""

import pytest

from nix.oci.contents import Contents, File, Folder, InMemory
from nix.oci.exceptions import PathConflict, UnsafePath

FILE = File(InMemory(b""))


def test_parents_come_before_their_children() -> None:
    """Every parent directory is an entry, before its children."""
    contents = Contents()
    contents.add("a/b/c", FILE, "one")
    assert [path for path, _ in contents.with_parents()] == ["a", "a/b", "a/b/c"]


def test_bytecode_of_the_project_follows_its_source() -> None:
    """Bytecode stands behind its source below /var/task, where the folder comes first, and elsewhere in byte order."""
    names = ["m.py", "Z.py", "__init__.py", "__pycache__/m.cpython-311.pyc", "__pycache__/Z.cpython-311.pyc"]
    contents = Contents()
    for name in names:
        contents.add(f"var/task/plexus/{name}", FILE, "one")
        contents.add(f"opt/package/{name}", FILE, "one")
    paths = [path for path, _ in contents.with_parents()]
    assert [path.rpartition("plexus/")[2] for path in paths if "/plexus/" in path] == [
        "__pycache__", "Z.py", "__pycache__/Z.cpython-311.pyc", "__init__.py", "m.py", "__pycache__/m.cpython-311.pyc",
    ]  # fmt: skip
    assert [path for path in paths if path.startswith("opt")] == sorted(path for path in paths if "opt" in path)


def test_entries_are_sorted_as_bytes() -> None:
    """Entries are sorted by the bytes of their paths, whatever the locale."""
    contents = Contents()
    for path in ("é", "a-b", "a/b", "Z"):
        contents.add(path, FILE, "one")
    assert [path for path, _ in contents.with_parents()] == ["Z", "a", "a-b", "a/b", "é"]


def test_two_inputs_with_one_path_are_refused() -> None:
    """Two inputs with one path raise an error with both inputs and the path."""
    contents = Contents()
    contents.add("a/b", FILE, "first")
    with pytest.raises(PathConflict, match=r"two inputs write /a/b:\n  first\n  second"):
        contents.add("a/b", FILE, "second")


def test_two_inputs_may_share_a_folder() -> None:
    """Two inputs may have the same directory."""
    contents = Contents()
    contents.add("a", Folder(), "first")
    contents.add("a", Folder(), "second")
    assert contents.list_paths() == ["a"]


def test_a_file_cannot_be_a_parent() -> None:
    """A path below another input's file raises PathConflict."""
    contents = Contents()
    contents.add("a", FILE, "first")
    contents.add("a/b", FILE, "second")
    with pytest.raises(PathConflict, match=r"/a/b \(second\): its parent /a is not"):
        list(contents.with_parents())


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/../b", "./a", "a/", "a\0b", "a/.wh.b"])
def test_paths_that_could_leave_the_image_are_refused(path: str) -> None:
    """Absolute paths, empty and dot parts, and whiteouts raise UnsafePath with the input's name."""
    with pytest.raises(UnsafePath, match="evil"):
        Contents().add(path, FILE, "evil")
