"""The image that a push or a deploy would ship: of the last build, and not one that was rolled back from."""

from pathlib import Path

import pytest

from nix.assembly import output as outputs
from nix.build import NOT_VERIFIABLE
from scripts.aws.ledger import Entry
from scripts.checkout.layout import read_local_image, require_finished
from scripts.console.errors import Refused
from scripts.release.candidate import find_return, list_remarks
from scripts.release.rollback import list_others
from tests.layouts import Layer, write_layout

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def change(action: str, digest: str, version: str, previous: str = "", before: str = "") -> Entry:
    """Return a change of the alias to a version of this image, from the version `before` of the image `previous`."""
    at = "2026-11-30T12:00:00.000000Z"
    return Entry(at, action, version, digest, before, previous, "1" * 40, "c", "l", "somebody")


def test_an_earlier_build_is_no_candidate_after_a_failed_one(tmp_path: Path) -> None:
    """A layout whose last build failed is refused with the image that it has; the next successful build ends that."""
    layout = tmp_path / "image"
    digest = write_layout(layout, [Layer({"a": b"1"})])
    assert read_local_image(layout).digest == digest
    with pytest.raises(KeyError), outputs.mark_unfinished(layout):
        raise KeyError
    for read in (read_local_image, require_finished):
        with pytest.raises(Refused, match="expected the last build's, which failed or has not ended") as caught:
            read(layout)
        assert digest[7:19] in caught.value.problem
        assert f"make deploy DIGEST={digest}" in caught.value.remedy
    with outputs.mark_unfinished(layout):
        pass
    assert read_local_image(layout).digest == digest


DEPLOYED = change("deploy", NEW, "2", OLD, "1")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], ""),
        ([DEPLOYED], ""),
        ([change("rollback", OLD, "1", NEW, "2"), DEPLOYED], "was rolled back from at 2026-11-30 12:00:00 UTC"),
        ([change("deploy", NEW, "3", OLD, "1"), change("rollback", OLD, "1", NEW, "2"), DEPLOYED], ""),
        ([change("config", OLD, "3", OLD, "1"), change("rollback", OLD, "1", NEW, "2")], "was rolled back from"),
        ([change("canary-back", NEW, "2", OLD, "1")], "failed its canary at 2026-11-30 12:00:00 UTC, as version 2"),
        ([change("rollback", NEW, "2", NEW, "3")], ""),
    ],
    ids=["new", "served", "rolled back", "served again", "settings since", "canary", "settings only"],
)
def test_an_image_that_was_left_is_reported(known: list[Entry], expected: str) -> None:
    """The last change with the image decides whether it was rolled back from or failed its canary."""
    remark = find_return(known, NEW)
    assert expected in remark
    assert bool(expected) == bool(remark)


@pytest.mark.parametrize(("commit", "expected"), [("1" * 40, []), ("uncommitted-0123456789abcdef", [NOT_VERIFIABLE])])
def test_an_image_of_no_commit_is_reported_as_not_verifiable(commit: str, expected: list[str]) -> None:
    """An image of uncommitted changes is deployed with the remark that it cannot be verified."""
    assert list(list_remarks([DEPLOYED], NEW, commit, None)) == expected


def test_a_rollback_without_a_target_lists_the_other_images() -> None:
    """Each version with another image is listed once, newest first."""
    known = [change("rollback", OLD, "1", NEW, "3"), change("deploy", NEW, "3"), DEPLOYED, change("deploy", OLD, "1")]
    assert list_others(known, OLD) == f"; later ones: version 3 (image {NEW[7:19]}), version 2 (image {NEW[7:19]})"
    assert list_others(known[-1:], OLD) == ""
