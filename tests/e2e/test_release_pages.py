"""The pages that ship and operate, followed to the letter in a clone: first-release.md, then quickstart-operate.md."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import pages
from tests.e2e.conftest import ROOT

# What differs from run to run: digests, commits, ids, times, sizes, users; and the columns that they widen.
STEPS = re.compile(r"(, \w+ [\d.]+ s)+$", re.M)  # of a deploy; those under 5 ms are not printed
VARIES = re.compile(r"(sha256:)?\b[0-9a-f]{7,}(-[0-9a-f]{4,}){0,4}\b|\S+@\S+|\d[\d.,:-]*|[ \t]{2,}|\t")


@dataclass(frozen=True)
class Clone:
    """A clone of this checkout with a local AWS of its own."""

    folder: Path
    name: str

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a page in a shell, and return what it printed."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**pages.environment(), "PYTHONPATH": "", "LOCAL_AWS_NAME": self.name, "STAGE": "local"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone in which the demo was run."""
    cloned = Clone(tmp_path_factory.mktemp("clone") / "checkout", f"test-{os.getpid()}-pages")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(cloned.folder)], check=True, timeout=600)
    for key, value in (("user.name", "Reader"), ("user.email", "reader@example.com")):
        subprocess.run(["git", "config", key, value], cwd=cloned.folder, check=True, timeout=60)
    # make creates the environment again where the locks are not those that it was made of: for us too, while we use it.
    shutil.copytree(ROOT / "nix/locks", cloned.folder / "nix/locks", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", cloned.folder)
    (cloned.folder / ".venv").symlink_to(Path(sys.prefix))
    try:
        demo = cloned.run("make demo")
        assert demo.returncode == 0, demo.stdout
        yield cloned
    finally:
        cloned.run("make stop")  # the clone has a folder of instances of its own


def mask(text: str) -> str:
    """Replace what varies, so that two runs print the same."""
    return VARIES.sub(lambda part: " " if part[0].isspace() else "#", STEPS.sub(", steps", text))


@pytest.mark.parametrize("page", ["first-release", "quickstart-operate"])
def test_every_command_of_the_page_works_and_prints_what_it_shows(page: str, clone: Clone) -> None:
    """Every command succeeds, and prints the lines that the page shows, apart from digests, times and sizes."""
    steps = pages.steps((pages.TUTORIALS / f"{page}.md").read_text(encoding="utf-8"))
    assert len(steps) >= 7
    if page == "quickstart-operate":  # there was a release, which its reader rolls back
        assert clone.run("make deploy").returncode == 0
    differing = []
    for step in steps:
        done = clone.run(step.name)
        if done.returncode or (step.text and not pages.same(mask(step.text), mask(done.stdout))):
            differing.append(f"{step.name}: exit code {done.returncode}\n{done.stdout}")
    assert not differing, "\n".join(differing)
