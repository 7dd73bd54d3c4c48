"""Which change a version has been served since."""

import pytest

from scripts.aws.ledger import Entry, find_beginning


def change(at: int, action: str, previous: str, version: str) -> Entry:
    """Return an entry of the minute `at`."""
    return Entry(f"2026-11-29T17:{at:02}:00Z", action, version, f"sha256:{version}", previous, "", "", "", "", "")


DEPLOYED = change(1, "deploy", "3", "4")
ENDED_CANARY = change(3, "rollback", "4", "4")


@pytest.mark.parametrize(
    ("entries", "began"),
    [
        ([], None),
        ([DEPLOYED], DEPLOYED),
        ([ENDED_CANARY, change(2, "canary-back", "4", "5"), DEPLOYED], DEPLOYED),
        ([change(4, "rollback", "4", "4"), ENDED_CANARY, DEPLOYED, change(0, "deploy", "2", "3")], DEPLOYED),
        ([change(5, "config", "4", "5"), ENDED_CANARY, DEPLOYED], change(5, "config", "4", "5")),
        ([ENDED_CANARY], ENDED_CANARY),
        ([ENDED_CANARY, change(0, "deploy", "2", "3")], ENDED_CANARY),
    ],
    ids=["none", "a deploy", "an ended canary", "two ended canaries", "new settings", "alone", "a gap"],
)
def test_a_version_is_served_since_its_alias_moved_to_it(entries: list[Entry], began: Entry | None) -> None:
    """A change that leaves the version where it was does not begin its time again."""
    assert find_beginning(entries) == began
