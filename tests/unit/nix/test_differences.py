"""Differences between two images."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nix.assembly import differences
from nix.oci.config import create_labels
from nix.oci.contents import Contents, File, InMemory, Link
from nix.oci.layer import write_layer
from nix.oci.layout import write_layout


def image(target: Path, change: Callable[[Contents], object] = lambda _: None, revision: str = "one") -> Path:
    """Return a layout of two layers, the second of them changed."""
    first, second = Contents(), Contents()
    first.add("usr/base", File(InMemory(b"base")), "test")
    change(second)
    for path, entry in (
        ("opt/text", File(InMemory(b"0123456789"))),
        ("opt/program", File(InMemory(b"#!"), True)),
        ("opt/link", Link("text")),
    ):
        if path not in second:
            second.add(path, entry, "test")
    write_layer("base", first, target / "base")
    write_layer("app", second, target / "app")
    write_layout(target / "layout", [target / "base", target / "app"], create_labels(revision, None, None))
    return target / "layout"


def output(tmp_path: Path, change: Callable[[Contents], object]) -> list[str]:
    """Return the differences of a sound image from a changed one, as texts."""
    result = differences.compare_images(image(tmp_path / "ours"), image(tmp_path / "theirs", change))
    return [str(one) for one in result]


def test_equal_images_have_no_difference(tmp_path: Path) -> None:
    """Equal layers and config give no difference."""
    assert output(tmp_path, lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda layer: layer.add("opt/text", File(InMemory(b"0123x56789")), "test"),
            "app: opt/text: content: expected 10 bytes, 34 35 36 37 38 39 at byte 4, "
            "got 10 bytes, 78 35 36 37 38 39 at byte 4",
        ),
        (
            lambda layer: layer.add("opt/text", File(InMemory(b"01234")), "test"),
            "app: opt/text: content: expected 10 bytes, 35 36 37 38 39 at byte 5, got 5 bytes, end of file at byte 5",
        ),
        (
            lambda layer: layer.add("opt/program", File(InMemory(b"#!")), "test"),
            "app: opt/program: mode: expected 0755, got 0644",
        ),
        (lambda layer: layer.add("opt/link", Link("other"), "test"), "app: opt/link: link: expected text, got other"),
        (
            lambda layer: layer.add("opt/link", File(InMemory(b"text")), "test"),
            "app: opt/link: type: expected link, got file",
        ),
        (
            lambda layer: layer.add("opt/more", File(InMemory(b"")), "test"),
            "app: opt/more: extra: expected absent, got present",
        ),
    ],
    ids=["content", "shorter", "mode", "link", "type", "extra"],
)
def test_a_difference_names_layer_file_and_kind(
    change: Callable[[Contents], object], expected: str, tmp_path: Path
) -> None:
    """Each kind of change is reported with its layer, its file and both values."""
    assert output(tmp_path, change) == [expected]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that only the expected image has is reported as missing."""
    more, less = image(tmp_path / "more", lambda layer: layer.add("opt/more", Link("x"), "t")), image(tmp_path / "less")
    assert [str(one) for one in differences.compare_images(more, less)] == [
        "app: opt/more: missing: expected present, got absent"
    ]


def test_labels_are_compared(tmp_path: Path) -> None:
    """A difference in the config is reported by its key."""
    result = differences.compare_images(image(tmp_path / "ours"), image(tmp_path / "theirs", revision="two"))
    label = "config.Labels.org.opencontainers.image.revision"
    assert {(one.layer, one.path, one.kind) for one in result} == {
        ("config", label, "config"),
        ("config", "config.Env", "config"),
    }
    assert [(one.expected, one.got) for one in result if one.path == label] == [('"one"', '"two"')]


def test_the_same_files_packed_otherwise_are_told(tmp_path: Path) -> None:
    """Blobs that differ though they unpack to the same tar differ in their compression."""
    import gzip

    blob = image(tmp_path / "ours").parent / "app" / "blob"
    other = tmp_path / "other"
    other.write_bytes(gzip.compress(gzip.decompress(blob.read_bytes()), 1, mtime=0))
    assert [one.kind for one in differences.compare_layers("app", blob, other)] == ["compression"]
