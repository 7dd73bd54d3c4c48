"""Which next step the report of a failed fetch gives for which failure."""

import pytest

from nix import pins
from nix.fetching import fetch_report
from tests.integration.nix.world import World


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("certificate verify failed: certificate is not yet valid", "next: set the clock"),
        ("certificate verify failed: certificate has expired", "next: set the clock"),
        ("407 Proxy Authentication Required", "next: export http_proxy=http://USER:PASSWORD@PROXY:PORT"),
        ("certificate verify failed: unable to get local issuer certificate", "next: export SSL_CERT_FILE="),
        ("401 Unauthorized", "next: give pip or apt the credentials"),
        ("403 Forbidden", "next: give pip or apt the credentials"),
        ("429 Too Many Requests", "next: wait some minutes"),
        ("503 Service Unavailable", "next: wait some minutes"),
    ],
)
def test_each_failure_of_a_connection_has_its_own_remedy(world: World, reason: str, remedy: str) -> None:
    """A clock that is wrong, a proxy without its password and a server that refuses are no wrong mirror."""
    debs, attempts = pins.read_deb_lock("image").debs, fetch_report.Attempts()
    attempts.add("mirror", world.address, reason, debs)
    text = fetch_report.format_report(fetch_report.Missing(debs, len(debs), attempts, {}))
    assert remedy in text
    assert text.count("next: ") == 1


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("No space left on device", "next: make cache-prune"),
        ("no space left on device", "next: make cache-prune"),
        ("('Connection broken', OSError(27, 'File too large'))", "next: ulimit -f unlimited"),
    ],
)
def test_a_file_that_cannot_be_stored_is_not_superseded(world: World, problem: str, remedy: str) -> None:
    """A pool that has moved on and a disk that is full, of one archive's two pools: the remedy concerns the disk."""
    debs, attempts = pins.read_deb_lock("image").debs, fetch_report.Attempts()
    attempts.add("mirror", world.address, "404 Not Found", debs)
    attempts.add("mirror", world.address, problem, debs)
    text = fetch_report.format_report(fetch_report.Missing(debs, len(debs), attempts, {}, superseded=debs))
    assert remedy in text.splitlines()[-1]
    assert text.count("next: ") == 1
