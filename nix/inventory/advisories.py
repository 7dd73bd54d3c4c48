"""Advisories in OSV's format: which versions they affect, and a dated extract about the pinned packages.

The extract is nix/locks/advisories.json. `exports` has, by ecosystem, the date and source of a complete export and the
packages that were looked up in it; `advisories` has the advisories about them, with only the fields that are used. A
package that is not listed under its ecosystem was not looked up, so its vulnerabilities are unknown.
"""

import datetime
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nix.debian import versions
from nix.inventory.locked_packages import PYPI, Package

MIN_ADVISORIES = 1000  # fewer mean a partial export: complete ones of PyPI and Debian have tens of thousands
Advisory = Mapping[str, Any]
"""An advisory in OSV's format; `id`, `summary`, `aliases`, `withdrawn` and `affected` are used."""
Order = Callable[[str], Any]
"""Returns the sort key of a version."""


class NotAnExport(ValueError):
    """Raised if a file is not a complete export; the message says what it has instead."""


@dataclass(frozen=True)
class Vulnerability:
    """A pinned package in an affected version; `fixed` is the first fixed version, None if there is none yet."""

    package: Package
    advisory: str
    fixed: str | None
    summary: str
    aliases: tuple[str, ...] = ()


def list_affected(advisories: Sequence[Advisory], packages: Sequence[Package]) -> list[Vulnerability]:
    """Return the affected packages, sorted by package and advisory.

    Withdrawn advisories are ignored. A package with several uses is listed once for each.
    """
    names = set()
    for advisory in advisories:
        for affected in () if advisory.get("withdrawn") else advisory.get("affected", ()):
            for package in packages:
                if is_about(affected, package):
                    hit, fixed = is_affected(affected, package)
                    if hit:
                        aliases = tuple(advisory.get("aliases", ()))
                        summary = str(advisory.get("summary", ""))
                        names.add(Vulnerability(package, str(advisory["id"]), fixed, summary, aliases))
    return sorted(names, key=lambda one: (one.package, one.advisory))


def is_about(affected: Mapping[str, Any], package: Package) -> bool:
    """Return whether an `affected` object is about a package."""
    named = affected.get("package", {})
    name = str(named.get("name", ""))
    same = (name if package.is_debian else canonicalize_name(name)) == package.name
    return same and named.get("ecosystem") == package.ecosystem


def is_affected(affected: Mapping[str, Any], package: Package) -> tuple[bool, str | None]:
    """Return whether a range or a list has the package's version, and the first fixed version after it, if known.

    The fixed version is None if none is known, or if only the list names the version. Ranges of git commits are
    ignored.
    """
    order: Order = parse_debian_version if package.is_debian else parse_python_version
    for span in affected.get("ranges", ()):
        if span.get("type") == "ECOSYSTEM":
            inside, fixed = in_range(span["events"], package.version, order)
            if inside:
                return True, fixed
    return package.version in affected.get("versions", ()), None


def in_range(events: Sequence[Mapping[str, str]], text: str, order: Order) -> tuple[bool, str | None]:
    """Evaluate the events of a range as OSV defines it, in version order; returns as is_affected."""
    inside, fixed, version = False, None, order(text)
    for event in sorted(events, key=lambda one: order(next(iter(one.values())))):
        (kind, at), *_ = event.items()
        if kind == "introduced" and version >= order(at):
            inside, fixed = True, None
        elif kind in ("fixed", "limit") and inside:
            if version >= order(at):
                inside = False
            elif fixed is None:
                fixed = at
        elif kind == "last_affected" and version > order(at):
            inside = False
    return inside, fixed


def parse_python_version(text: str) -> Version:
    """Return the sort key of a Python version. `0`, and anything that is not a version, sorts before all others."""
    try:
        return Version("0.dev0" if text == "0" else text)
    except InvalidVersion:
        return Version("0.dev0")


def parse_debian_version(text: str) -> Any:
    """Return the sort key of a Debian version. `0` sorts before all others."""
    return versions.order("0~~" if text == "0" else text)


def read_export(path: Path) -> Iterator[Advisory]:
    """Yield the advisories of an export, a folder or a zip file, sorted by file name."""
    if path.is_dir():
        yield from (json.loads(one.read_bytes()) for one in sorted(path.rglob("*.json")))
        return
    with zipfile.ZipFile(path) as archive:
        yield from (json.loads(archive.read(name)) for name in sorted(archive.namelist()) if name.endswith(".json"))


def extract(
    path: Path, source: str, packages: Sequence[Package], before: Mapping[str, Any], today: datetime.date
) -> dict[str, Any]:
    """Return the extract with the ecosystems of the export at `path` replaced; raises NotAnExport.

    Ecosystems that the export does not cover stay as they are in `before`; nothing of the arguments is changed.
    `today` is the export's date. Everything is sorted, so that the same export gives the same file.
    """
    counts, kept = Counter[str](), []
    by_name: dict[tuple[str, str], Package] = {(one.ecosystem, one.name): one for one in packages}
    for advisory in read_export(path):
        counts.update({str(one.get("package", {}).get("ecosystem")) for one in advisory.get("affected", ())})
        if not advisory.get("withdrawn") and (extracted := reduce_advisory(advisory, by_name)):
            kept.append(extracted)
    ours = sorted({one.ecosystem for one in packages} & counts.keys())
    small = [
        f"{ecosystem} ({counts[ecosystem]} advisories)" for ecosystem in ours if counts[ecosystem] < MIN_ADVISORIES
    ]
    if small or not ours:
        raise NotAnExport(
            f"got {', '.join(small) or 'no advisory of an ecosystem that is pinned'}, "
            f"expected a complete export of an ecosystem ({MIN_ADVISORIES} advisories or more)"
        )
    looked_up = {
        ecosystem: {
            "date": today.isoformat(),
            "source": source,
            "packages": sorted({one.name for one in packages if one.ecosystem == ecosystem}),
        }
        for ecosystem in ours
    }
    left = [one for one in before.get("advisories", ()) if not is_of(one, ours)]
    return {
        "exports": {**before.get("exports", {}), **looked_up},
        "advisories": sorted([*left, *(one for one in kept if is_of(one, ours))], key=lambda one: str(one["id"])),
    }


def is_of(advisory: Advisory, ecosystems: Sequence[str]) -> bool:
    """Return whether an advisory is about a package of one of these ecosystems."""
    return any(one["package"]["ecosystem"] in ecosystems for one in advisory["affected"])


def reduce_advisory(advisory: Advisory, by_name: Mapping[tuple[str, str], Package]) -> dict[str, Any] | None:
    """Return an advisory with only the fields that are used; None if it is about no pinned package."""
    kept = []
    for affected in advisory.get("affected", ()):
        named = affected.get("package", {})
        ecosystem, name = str(named.get("ecosystem")), str(named.get("name"))
        if (ecosystem, canonicalize_name(name) if ecosystem == PYPI else name) in by_name:
            kept.append({key: affected[key] for key in ("package", "ranges", "versions") if key in affected})
    if not kept:
        return None
    fields = {key: advisory[key] for key in ("id", "summary", "aliases") if advisory.get(key)}
    return {**fields, "affected": kept}
