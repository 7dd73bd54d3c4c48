"""What is told of two images that differ."""

from collections.abc import Callable
from pathlib import Path

import differences
import pytest

from oci.config import labels
from oci.contents import Contents, File, Held, Link
from oci.layer import write_layer
from oci.layout import write_layout


def image(target: Path, change: Callable[[Contents], object] = lambda _: None, revision: str = "one") -> Path:
    """A layout of two layers, the second of them changed."""
    first, second = Contents(), Contents()
    first.add("usr/base", File(Held(b"base")), "test")
    change(second)
    for path, entry in (
        ("opt/text", File(Held(b"0123456789"))),
        ("opt/program", File(Held(b"#!"), True)),
        ("opt/link", Link("text")),
    ):
        if path not in second:
            second.add(path, entry, "test")
    write_layer("base", first, target / "base")
    write_layer("app", second, target / "app")
    write_layout(target / "layout", [target / "base", target / "app"], labels(revision, None, None))
    return target / "layout"


def told(tmp_path: Path, change: Callable[[Contents], object]) -> list[str]:
    """The differences of a sound image from a changed one, as texts."""
    found = differences.image_differences(image(tmp_path / "ours"), image(tmp_path / "theirs", change))
    return [str(one) for one in found]


def test_equal_images_have_no_difference(tmp_path: Path) -> None:
    """The same layers and config: nothing is told."""
    assert told(tmp_path, lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda layer: layer.add("opt/text", File(Held(b"0123x56789")), "test"),
            "app: opt/text: content: expected 10 bytes, 34 35 36 37 38 39 at byte 4, "
            "got 10 bytes, 78 35 36 37 38 39 at byte 4",
        ),
        (
            lambda layer: layer.add("opt/text", File(Held(b"01234")), "test"),
            "app: opt/text: content: expected 10 bytes, 35 36 37 38 39 at byte 5, got 5 bytes, the end at byte 5",
        ),
        (
            lambda layer: layer.add("opt/program", File(Held(b"#!")), "test"),
            "app: opt/program: mode: expected 0755, got 0644",
        ),
        (lambda layer: layer.add("opt/link", Link("other"), "test"), "app: opt/link: link: expected text, got other"),
        (
            lambda layer: layer.add("opt/link", File(Held(b"text")), "test"),
            "app: opt/link: type: expected link, got file",
        ),
        (
            lambda layer: layer.add("opt/more", File(Held(b"")), "test"),
            "app: opt/more: extra: expected absent, got there",
        ),
    ],
    ids=["content", "shorter", "mode", "link", "type", "extra"],
)
def test_a_difference_names_layer_file_and_kind(
    change: Callable[[Contents], object], expected: str, tmp_path: Path
) -> None:
    """Each kind of change is told with its layer, its file and both sides."""
    assert told(tmp_path, change) == [expected]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """What only the expected image holds is missing in the other."""
    more, less = image(tmp_path / "more", lambda layer: layer.add("opt/more", Link("x"), "t")), image(tmp_path / "less")
    assert [str(one) for one in differences.image_differences(more, less)] == [
        "app: opt/more: missing: expected there, got absent"
    ]


def test_labels_are_compared(tmp_path: Path) -> None:
    """A config that says something else is told by its key."""
    found = differences.image_differences(image(tmp_path / "ours"), image(tmp_path / "theirs", revision="two"))
    label = "config.Labels.org.opencontainers.image.revision"
    assert {(one.layer, one.path, one.kind) for one in found} == {
        ("config", label, "config"),
        ("config", "config.Env", "config"),
    }
    assert [(one.expected, one.got) for one in found if one.path == label] == [('"one"', '"two"')]


def test_the_same_files_packed_otherwise_are_told(tmp_path: Path) -> None:
    """Blobs that differ though they unpack to the same tar differ in their compression."""
    import gzip

    blob = image(tmp_path / "ours").parent / "app" / "blob"
    other = tmp_path / "other"
    other.write_bytes(gzip.compress(gzip.decompress(blob.read_bytes()), 1, mtime=0))
    assert [one.kind for one in differences.layer_differences("app", blob, other)] == ["compression"]
