"""Prepare a release of this repository: version, changelog, commit and tag. Nothing is pushed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..checkout import ROOT, git
from ..console.errors import Refused

PARTS = ("major", "minor", "patch")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
DECLARED = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
UNRELEASED = "## [Unreleased]\n"


@dataclass(frozen=True)
class Release:
    """A release, prepared or planned. `released_on` is an ISO date; `entries` counts the changelog's items."""

    version: str
    previous: str
    released_on: str
    tag: str
    entries: int


def plan(wanted: str, today: date, folder: Path = ROOT) -> Release:
    """Return the release that `wanted` asks for: a version such as 1.2.3, or the part to increase.

    Raises Refused with every problem at once: uncommitted changes, an empty changelog, a version that does not
    increase, a tag that exists.
    """
    previous = read_current_version(folder)
    version = increase(previous, wanted) if wanted in PARTS else wanted
    notes = find_unreleased_notes((folder / "CHANGELOG.md").read_text(encoding="utf-8"))
    entries = len(re.findall(r"^- ", notes, re.MULTILINE))
    release = Release(version, previous, today.isoformat(), f"v{version}", entries)
    if problems := list(_problems(release, folder)):
        raise Refused(f"cannot release {version}: " + "; ".join(problems), "correct this, then run it again")
    return release


def _problems(release: Release, folder: Path) -> Iterator[str]:
    if not VERSION.fullmatch(release.version):
        yield f"version: got {release.version}, expected MAJOR.MINOR.PATCH, or one of {', '.join(PARTS)}"
    elif parse_numbers(release.version) <= parse_numbers(release.previous):
        yield f"version: got {release.version}, expected one above {release.previous}"
    if not release.entries:
        yield "CHANGELOG.md: nothing is listed under [Unreleased]"
    if git.is_dirty(folder):
        yield "the work tree has uncommitted changes"
    if git.has_tag(release.tag, folder):
        yield f"the tag {release.tag} exists"


def prepare(release: Release, folder: Path = ROOT) -> None:
    """Write version and changelog, commit them, and tag the commit. Nothing is pushed.

    Changes nothing else in the work tree, and commits these two files only. If git refuses the commit or the tag, the
    edited files stay.
    """
    project, changelog = folder / "pyproject.toml", folder / "CHANGELOG.md"
    declared = project.read_text(encoding="utf-8")
    project.write_text(DECLARED.sub(f'version = "{release.version}"', declared, count=1), encoding="utf-8")
    heading = f"{UNRELEASED}\n## [{release.version}] - {release.released_on}\n"
    notes = changelog.read_text(encoding="utf-8")
    changelog.write_text(notes.replace(UNRELEASED, heading, 1), encoding="utf-8")
    git.commit_files(f"Release {release.version}", [project, changelog], folder)
    git.add_tag(release.tag, f"Score Processor {release.version}", folder)


def read_current_version(folder: Path = ROOT) -> str:
    """Return the version that pyproject.toml declares."""
    declared = DECLARED.search((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert declared is not None, "pyproject.toml declares a version"
    return declared[1]


def increase(version: str, part: str) -> str:
    """Increase one part of a version; the parts after it become 0."""
    position = PARTS.index(part)
    kept = parse_numbers(version)
    return ".".join(map(str, (*kept[:position], kept[position] + 1, *(0,) * (2 - position))))


def parse_numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version, for comparison."""
    return tuple(map(int, version.split(".")))


def find_unreleased_notes(changelog: str) -> str:
    """Return the changelog's text between [Unreleased] and the release before."""
    return changelog.partition(UNRELEASED)[2].partition("\n## [")[0]
