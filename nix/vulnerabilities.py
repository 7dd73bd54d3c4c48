"""Which of the image's locked packages have a known vulnerability, by the advisories in nix/locks/advisories.json.

    vulnerabilities.py [--json] [--update EXPORT]

Same locks and same file: same report. What the file does not hold is not known here: a report without findings says no
more than that. EXPORT is a folder or a zip of advisories in OSV's format, one JSON file each; --update takes from it
those about locked packages, with today's date. It needs the development environment. Status 1 where one is affected.
"""

import argparse
import datetime
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pins
import unread
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ADVISORIES = pins.LOCKS / "advisories.json"
ECOSYSTEM = "PyPI"
STALE_DAYS = 60
Advisory = Mapping[str, Any]
"""An advisory as OSV writes it; `id`, `summary`, `withdrawn` and `affected` are read."""


@dataclass(frozen=True)
class Finding:
    """A locked package in an affected version; `fixed` is the first version that is not, where there is one."""

    package: str
    version: str
    advisory: str
    fixed: str | None
    summary: str


def findings(advisories: Sequence[Advisory], locked: Mapping[str, str]) -> list[Finding]:
    """Every affected package of `locked` (version by name), by package and advisory."""
    found = []
    for advisory in advisories:
        for affected in () if advisory.get("withdrawn") else about(advisory, locked):
            name = canonicalize_name(affected["package"]["name"])
            hit, fixed = is_affected(affected, locked[name])
            if hit:
                found.append(Finding(name, locked[name], advisory["id"], fixed, advisory.get("summary", "")))
    return sorted(set(found), key=lambda one: (one.package, one.advisory))


def about(advisory: Advisory, locked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """What an advisory says of locked packages."""
    for affected in advisory.get("affected", ()):
        package = affected.get("package", {})
        if package.get("ecosystem") == ECOSYSTEM and canonicalize_name(package["name"]) in locked:
            yield affected


def is_affected(affected: Mapping[str, Any], version: str) -> tuple[bool, str | None]:
    """Whether a version is listed or in a range, and the version that ends that range."""
    for span in affected.get("ranges", ()):
        if span.get("type") == "ECOSYSTEM":
            inside, fixed = in_range(span["events"], Version(version))
            if inside:
                return True, fixed
    return version in affected.get("versions", ()), None


def in_range(events: Sequence[Mapping[str, str]], version: Version) -> tuple[bool, str | None]:
    """Whether a version lies between the events of a range, as OSV defines it: each one takes effect in its order."""
    inside, fixed = False, None
    for event in sorted(events, key=lambda one: parsed(next(iter(one.values())))):
        (kind, text), *_ = event.items()
        if kind == "introduced" and version >= parsed(text):
            inside, fixed = True, None
        elif kind in ("fixed", "limit") and inside:
            if version >= parsed(text):
                inside = False
            elif fixed is None:
                fixed = text
        elif kind == "last_affected" and version > parsed(text):
            inside = False
    return inside, fixed


def parsed(text: str) -> Version:
    """A version in an event; `0` is before all others, and so is what nobody can read."""
    try:
        return Version("0.dev0" if text == "0" else text)
    except InvalidVersion:
        return Version("0.dev0")


def report(document: Mapping[str, Any], locked: Mapping[str, str], debs: int) -> str:
    """The findings, and what was looked at and what not."""
    advisories = document["advisories"]
    known = {canonicalize_name(one["package"]["name"]) for each in advisories for one in about(each, locked)}
    lines = [
        f"{one.package} {one.version}: {one.advisory}: {one.summary} (fixed in {one.fixed or 'no version yet'})"
        for one in findings(advisories, locked)
    ]
    return "\n".join(
        (
            *(lines or ["no locked package is affected by an advisory in the file"]),
            f"advisories of {document['date']}: {len(advisories)}, about {len(known)} of {len(locked)} wheels",
            f"source: {document['source']}",
            f"not covered: {debs} Debian packages (ask Debian's own tracker), and whatever the file does not hold",
        )
    )


def exported(path: Path) -> Iterator[Advisory]:
    """The advisories of an export, a folder or a zip."""
    if path.is_dir():
        yield from (json.loads(one.read_bytes()) for one in sorted(path.rglob("*.json")))
        return
    with zipfile.ZipFile(path) as archive:
        yield from (json.loads(archive.read(name)) for name in sorted(archive.namelist()) if name.endswith(".json"))


def chosen(advisories: Iterator[Advisory], locked: Mapping[str, str]) -> list[dict[str, Any]]:
    """What of an export is about locked packages, shortened to what is read here."""
    found = []
    for advisory in advisories:
        kept = [
            {name: one[name] for name in ("package", "ranges", "versions") if name in one}
            for one in about(advisory, locked)
        ]
        if kept and not advisory.get("withdrawn"):
            found.append({"id": advisory["id"], "summary": advisory.get("summary", ""), "affected": kept})
    return sorted(found, key=lambda one: str(one["id"]))


def update(path: Path, locked: Mapping[str, str], today: datetime.date) -> None:
    """Write the file anew from an export."""
    document = {
        "date": today.isoformat(),
        "source": f"export {path.name}",
        "advisories": chosen(exported(path), locked),
    }
    part = ADVISORIES.with_name(f".{ADVISORIES.name}")
    part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    part.replace(ADVISORIES)


def main(words: Sequence[str] | None = None) -> int:
    """Command line: 0 none affected, 1 some are, or the export cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    parser.add_argument("--update", type=Path, metavar="EXPORT", help="write the file of advisories anew first")
    options = parser.parse_args(words)
    locked: dict[str, str] = {canonicalize_name(wheel.name): wheel.version for wheel in pins.wheel_lock()}
    today = datetime.datetime.now(datetime.UTC).date()
    if options.update:
        try:
            update(options.update, locked, today)
        except OSError as problem:
            print(f"vulnerabilities: cannot read {options.update}: {problem.strerror}", file=sys.stderr)
            print("next: name an export in OSV's format, a zip or a folder: ADVISORIES=all.zip", file=sys.stderr)
            return 1
        except (ValueError, LookupError, zipfile.BadZipFile) as problem:
            print(f"vulnerabilities: {options.update} is no export in OSV's format: {problem}", file=sys.stderr)
            return 1
    document = json.loads(ADVISORIES.read_bytes())
    found = findings(document["advisories"], locked)
    debs = len(pins.deb_lock("image").debs)
    print(json.dumps([asdict(one) for one in found], indent=1) if options.json else report(document, locked, debs))
    age = (today - datetime.date.fromisoformat(document["date"])).days
    if age > STALE_DAYS:
        print(
            f"vulnerabilities: the advisories are {age} days old; take newer ones: ADVISORIES=EXPORT", file=sys.stderr
        )
    return 1 if found else 0


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
