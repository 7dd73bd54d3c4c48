"""Report the pinned packages with known vulnerabilities, from the advisories in nix/locks/advisories.json.

    python3 -m nix.vulnerabilities [--lock USE]... [--format FORMAT] [--update EXPORT]...

The same locks and the same file give the same report. It begins with how many packages were looked up; the others are
`not checked`. EXPORT is a complete export of an ecosystem in OSV's format, one JSON file for each advisory: a folder, a
zip, or the address of a zip; --update copies the advisories about pinned packages, with today's date. Accepted ones are
in nix/locks/exceptions.toml, each with a reason and the last day on which it counts. Needs the development environment.

The exit status is 0 if every package was looked up and none is affected, 1 if one is, else 3.
"""

import argparse
import datetime
import json
import sys
import tomllib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from nix import pins
from nix.cache.workspace import workspace
from nix.clients import http_download
from nix.command import DONE, FAILED, command
from nix.inventory.advisories import NotAnExport, Vulnerability, extract, list_affected
from nix.inventory.locked_packages import USES, Package, list_locked_packages
from nix.pins import InputProblem

ADVISORIES = pins.LOCKS / "advisories.json"
EXCEPTIONS = pins.LOCKS / "exceptions.toml"
NOT_CHECKED = 3
STALE_DAYS, LISTED = 60, 5
FIELDS = {"advisory": str, "package": str, "until": datetime.date, "reason": str}


@dataclass(frozen=True)
class Result:
    """The assessment: affected and accepted vulnerabilities, and the packages that were not looked up."""

    packages: Sequence[Package]
    affected: Sequence[Vulnerability]
    accepted: Sequence[tuple[Vulnerability, str]]
    unknown: Sequence[Package]
    notes: Sequence[str] = ()
    exports: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The exit status."""
        return FAILED if self.affected else NOT_CHECKED if self.unknown else DONE


def assess(
    document: Mapping[str, Any],
    exceptions: Sequence[Mapping[str, Any]],
    packages: Sequence[Package],
    today: datetime.date,
) -> Result:
    """Look packages up in an extract of advisories; accepted ones are listed apart until they expire.

    Pure: `today` decides about exceptions, which are valid to the end of `until`, and about the age of exports. A
    package is unknown if no export was searched for it, which is not the same as unaffected.
    """
    exports = document.get("exports", {})
    unknown = [entry for entry in packages if entry.name not in exports.get(entry.ecosystem, {}).get("packages", ())]
    affected, accepted, used = [], [], set()
    for item in list_affected(document.get("advisories", ()), packages):
        rule = next((entry for entry in exceptions if is_excepted(item, entry)), None)
        used.add(id(rule))
        if rule and rule["until"] >= today:
            accepted.append((item, f"accepted until {rule['until']}: {rule['reason']}"))
        else:
            affected.append(item)
    notes = []
    for entry in exceptions:
        if id(entry) not in used or entry["until"] < today:
            why = f"expired on {entry['until']}" if id(entry) in used else "unused"
            notes.append(f"exception {entry['advisory']} for {entry['package']}: {why}")
    notes += [
        f"the advisories of {ecosystem} are {age} days old"
        for ecosystem, export in sorted(exports.items())
        if (age := (today - datetime.date.fromisoformat(export["date"])).days) > STALE_DAYS
    ]
    return Result(packages, affected, accepted, unknown, notes, exports)


def is_excepted(vulnerability: Vulnerability, rule: Mapping[str, Any]) -> bool:
    """Return whether an exception names this advisory, by any of its names, and package."""
    name = rule["package"]
    same = (
        name in (vulnerability.package.name, vulnerability.package.binary)
        or canonicalize_name(name) == vulnerability.package.name
    )
    return same and rule["advisory"] in (vulnerability.advisory, *vulnerability.aliases)


def read_exceptions(path: Path) -> list[dict[str, Any]]:
    """Read the accepted advisories; InputProblem lists every missing or invalid field.

    [] without the file. `until` is a date.
    """
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("exception", [])
    except ValueError as problem:
        raise InputProblem(f"{path.name}: {problem}") from None
    wrong = [
        f"\n  entry {number}: {name}: got {entry.get(name)!r}, expected a {kind.__name__}"
        for number, entry in enumerate(entries, 1)
        for name, kind in FIELDS.items()
        if not isinstance(entry.get(name), kind) or not entry[name]
    ]
    if wrong:
        raise InputProblem(f"{path.name}: entries are [[exception]] with {', '.join(FIELDS)}{''.join(wrong)}")
    return list(entries)


def as_text(result: Result) -> str:
    """Render the report as text: first the counts of what was looked up."""
    lines = []
    for use in USES:
        counts = []
        for kind, is_debian in (("Python", False), ("Debian", True)):
            of_kind = [one for one in result.packages if one.use == use and one.is_debian == is_debian]
            unknown = sum(one.use == use and one.is_debian == is_debian for one in result.unknown)
            counts += [f"{len(of_kind) - unknown} of {len(of_kind)} {kind}"] if of_kind else []
        lines += [f"looked up for {use}: {', '.join(counts)}"] if counts else []
    exports = [f"{name} of {export['date']} ({export['source']})" for name, export in sorted(result.exports.items())]
    lines.append(f"advisories: {', '.join(exports) or 'no complete export'}")
    for item in result.affected:
        lines.append(f"affected: {describe(item)}")
    lines += [f"accepted: {describe(item)}; {reason}" for item, reason in result.accepted]
    if result.unknown:
        names = list(dict.fromkeys(one.binary or one.name for one in result.unknown))
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        lines.append(f"not checked: {', '.join(names[:LISTED])}{more}")
        lines.append(
            "next: make vulnerabilities ADVISORIES='PyPI.zip Debian.zip'   # OSV's exports, or their addresses"
        )
    elif not result.affected:
        lines.append("no pinned package is affected")
    return "\n".join((*lines, *result.notes))


def describe(vulnerability: Vulnerability) -> str:
    """Describe one vulnerability in a line."""
    package = vulnerability.package
    name = f"{package.binary} (of {package.name})" if package.binary else package.name
    fixed = f"fixed in {vulnerability.fixed}" if vulnerability.fixed else "no fixed version yet"
    summary = f"{vulnerability.advisory}: {vulnerability.summary or 'no summary'} ({fixed})"
    return f"{name} {package.version} for {package.use}: {summary}"


def as_json(result: Result) -> str:
    """Render affected and unknown packages as JSON."""
    document = {
        "affected": [asdict(one) for one in result.affected],
        "accepted": [{**asdict(one), "reason": reason} for one, reason in result.accepted],
        "not_checked": [asdict(one) for one in result.unknown],
    }
    return json.dumps(document, indent=1)


def as_pip_audit(result: Result) -> str:
    """Render Python packages as pip-audit's JSON does; one that was not looked up is skipped, with the reason."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for package in (one for one in result.packages if not one.is_debian):
        row = rows.setdefault((package.name, package.version), {"name": package.name, "version": package.version})
        if package in result.unknown:
            row["skip_reason"] = "not looked up in a complete export of advisories"
            continue
        row["vulns"] = [
            {
                "id": found.advisory,
                "fix_versions": [found.fixed] if found.fixed else [],
                "aliases": list(found.aliases),
                "description": found.summary,
            }
            for found in result.affected
            if found.package == package
        ]
    return json.dumps({"dependencies": list(rows.values()), "fixes": []}, indent=1)


def as_debsecan(result: Result) -> str:
    """Render Debian packages as debsecan's summary does: advisory, package, and whether a fix is available."""
    lines = [
        f"{found.advisory} {found.package.binary}{' (fixed)' if found.fixed else ''}"
        for found in result.affected
        if found.package.is_debian
    ]
    return "\n".join(dict.fromkeys(lines))


FORMATS: dict[str, Callable[[Result], str]] = {
    "text": as_text,
    "json": as_json,
    "pip-audit": as_pip_audit,
    "debsecan": as_debsecan,
}


def update(export: str, packages: Sequence[Package], today: datetime.date) -> None:
    """Replace the ecosystems of an export in the extract.

    Raises NotAnExport, OSError, or the errors of json and zipfile for a damaged file.
    """
    before = read_document()
    if export.startswith(("https://", "http://")):
        with workspace() as work:
            path = work / "export.zip"
            if problem := http_download.download(http_download.create_opener(), export, path):
                raise NotAnExport(f"{problem.reason}, expected a zip")
            document = extract(path, export.rpartition("/")[2], packages, before, today)
    else:
        document = extract(Path(export), Path(export).name, packages, before, today)
    part = ADVISORIES.with_name(f".{ADVISORIES.name}")
    part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    part.replace(ADVISORIES)


def read_document() -> dict[str, Any]:
    """Read the extract; empty if there is none."""
    document: dict[str, Any] = json.loads(ADVISORIES.read_bytes()) if ADVISORIES.exists() else {}
    return document


@command("vulnerabilities", InputProblem)
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 none affected, 1 some are or an export cannot be read, 3 not all were looked up."""
    parser = argparse.ArgumentParser(
        prog="score-processor vulnerabilities",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lock", choices=USES, action="append", default=[], help="only packages of this use")
    parser.add_argument("--format", choices=FORMATS, default="text", help="the report's format (default: text)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--update", metavar="EXPORT", action="append", default=[], help="update the advisories first")
    options = parser.parse_args(words)
    today = datetime.datetime.now(datetime.UTC).date()
    for export in options.update:
        try:
            update(export, list_locked_packages(), today)
        except OSError as problem:
            print(f"vulnerabilities: cannot read {export}: {problem.strerror}", file=sys.stderr)
            print("next: ADVISORIES=<zip, folder or address of a zip, in OSV's format>", file=sys.stderr)
            return FAILED
        except (ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile) as problem:
            print(f"vulnerabilities: not an export in OSV's format: {export}: {problem}", file=sys.stderr)
            return FAILED
    packages = list_locked_packages(options.lock or tuple(USES))
    result = assess(read_document(), read_exceptions(EXCEPTIONS), packages, today)
    if text := FORMATS[options.format](result):
        print(text)
    return result.status


if __name__ == "__main__":
    sys.exit(main())
