"""The order of Debian versions, compared with dpkg's own."""

import itertools
import shutil
import subprocess

import pytest

from nix.debian.versions import compare, order

VERSIONS = (
    *("0", "1", "1.0", "1.0-1", "1:0", "1.0~rc1", "1.0~~", "1.0a", "1.0z", "1.0.", "1.0+b1", "1.0-0", "1.0-9"),
    *("1.0-10", "1.0-1+deb12u1", "1.0-1~deb12u1", "1.0.1", "2:1.0", "1.2.3a", "1.2.3~", "1.2.3+", "12", "0~~"),
    *("0~~-1", "3.0.22-1~deb12u2", "3.0.9-1", "2.36-9+deb12u14", "2.36-9+deb12u9", "1:1.2.13.dfsg-1"),
)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not on this host")
def test_versions_are_sorted_as_dpkg_sorts_them() -> None:
    """Epochs, revisions, tildes, letters and long numbers sort as dpkg sorts them: each pair of neighbours agrees."""
    for first, second in itertools.pairwise(sorted(VERSIONS, key=order)):
        relation = "lt" if compare(first, second) else "eq"
        done = subprocess.run(["dpkg", "--compare-versions", first, relation, second], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), (first, relation, second)
