"""The report of known vulnerabilities."""

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nix import pins, vulnerabilities
from nix.inventory import advisories
from nix.inventory.advisories import NotAnExport, Vulnerability, extract, list_affected
from nix.inventory.locked_packages import PYPI, USES, Package, list_locked_packages
from nix.pins import InputProblem
from nix.vulnerabilities import Result, assess, read_exceptions

TODAY = datetime.date(2026, 1, 2)
DEBIAN = "Debian:12"


def jinja(version: str = "3") -> Package:
    """Return a locked Python package."""
    return Package(PYPI, "jinja2", version, "image")


def advisory(*events: dict[str, str], name: str = "Jinja2", ecosystem: str = PYPI, **more: Any) -> dict[str, Any]:
    """Return an advisory about one package."""
    package = {"ecosystem": ecosystem, "name": name}
    affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": [*events]}]}
    return {"id": "CVE-1", "summary": "why", "affected": [affected], **more}


ALL: dict[str, str] = {"introduced": "0"}
RANGE = ({"introduced": "2.0"}, {"fixed": "3.1"}, {"introduced": "4.0rc1"}, {"last_affected": "4.2"})


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ("1.9", None),
        ("2.0", "3.1"),
        ("3.1rc1", "3.1"),
        ("3.1", None),
        ("3.10", None),
        ("4.0", "none"),
        ("4.2", "none"),
        ("4.2.1", None),
    ],
)
def test_ranges_begin_with_introduced_and_end_before_fixed(version: str, fixed: str | None) -> None:
    """A version is affected from `introduced` on, up to `fixed` without it or `last_affected` with it."""
    result = list_affected([advisory(*RANGE)], [jinja(version)])
    expected = Vulnerability(jinja(version), "CVE-1", None if fixed == "none" else fixed, "why")
    assert result == ([] if fixed is None else [expected])


@pytest.mark.parametrize(("version", "is_hit"), [("3.0.16-1~deb12u1", True), ("3.0.17-1~deb12u2", False)])
def test_debian_packages_are_compared_by_their_source_and_order(version: str, is_hit: bool) -> None:
    """An advisory about a source package affects its binary packages of that release, in Debian's order of versions."""
    package = Package(DEBIAN, "openssl", version, "image", "libssl3")
    settings = advisory(ALL, {"fixed": "3.0.17-1~deb12u1"}, name="openssl", ecosystem=DEBIAN)
    assert bool(list_affected([settings], [package])) == is_hit
    assert not list_affected([advisory(ALL, name="openssl", ecosystem="Debian:13")], [package])


def test_what_is_not_about_us_is_left_out() -> None:
    """Withdrawn advisories, other packages and other ecosystems affect nothing."""
    settings = [advisory(ALL, withdrawn="2026-01-01"), advisory(ALL, ecosystem="npm"), advisory(ALL, name="x")]
    assert list_affected(settings, [jinja("1")]) == []


def test_every_pin_is_a_package_to_look_up() -> None:
    """All locks are read: as many Python and Debian packages as they pin, Debian's with their source."""
    image = list_locked_packages(["image"])
    assert {one.name for one in image if not one.is_debian} == {one.name for one in pins.read_wheel_lock()}
    assert {one.binary for one in image if one.is_debian} == {one.name for one in pins.read_deb_lock("image").debs}
    sources = {one.binary: (one.name, one.version) for one in image if one.is_debian}
    assert sources["libc6"][0] == "glibc"
    assert sources["libbz2-1.0"] == ("bzip2", "1.0.8-5")
    assert {one.use for one in list_locked_packages()} == set(USES)


def knows(*names: str, ecosystem: str = PYPI, **more: Any) -> dict[str, Any]:
    """Return an extract in which these packages were looked up."""
    export = {"date": TODAY.isoformat(), "source": "all.zip", "packages": [*names]}
    return {"exports": {ecosystem: export}, "advisories": [], **more}


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 3),
        (knows("another"), 3),
        (knows("jinja2", ecosystem=DEBIAN), 3),
        (knows("jinja2"), 0),
        (knows("jinja2", advisories=[advisory(ALL)]), 1),
        ({"advisories": [advisory(ALL)]}, 1),
    ],
    ids=["no file", "another package", "another ecosystem", "looked up", "affected", "affected, no export"],
)
def test_silence_is_no_answer(document: dict[str, Any], status: int) -> None:
    """Only a package that was looked up in a complete export is unaffected; without one the status is 3."""
    result = assess(document, [], [jinja()], TODAY)
    assert result.status == status
    assert ("no pinned package is affected" in vulnerabilities.as_text(result)) == (status == 0)


@pytest.mark.parametrize(
    ("until", "name", "status", "note"),
    [
        (TODAY, "CVE-1", 0, ""),
        (TODAY, "GHSA-1", 0, ""),
        (TODAY - datetime.timedelta(days=1), "CVE-1", 1, "expired on 2026-01-01"),
        (TODAY, "CVE-2", 1, "unused"),
    ],
    ids=["accepted", "by another name", "expired", "of another advisory"],
)
def test_an_exception_counts_until_its_day(until: datetime.date, name: str, status: int, note: str) -> None:
    """An accepted advisory, by any of its names, is listed apart until its day; an expired or unused one is noted."""
    rule = {"advisory": name, "package": "Jinja2", "until": until, "reason": "not reached"}
    result = assess(knows("jinja2", advisories=[advisory(ALL, aliases=["GHSA-1"])]), [rule], [jinja()], TODAY)
    assert (result.status, len(result.accepted)) == (status, 1 - status)
    assert note in "".join(result.notes)
    assert ("accepted until 2026-01-02: not reached" in vulnerabilities.as_text(result)) == (status == 0)


def test_every_entry_that_is_not_whole_is_listed(tmp_path: Path) -> None:
    """Exceptions without a reason or a date are an error with all of them."""
    entry = 'advisory = "CVE-1"\npackage = "x"\nuntil = "soon"\nreason = ""\n'
    (tmp_path / "exceptions.toml").write_text(f"[[exception]]\n{entry}")
    with pytest.raises(InputProblem, match=r"(?s)entry 1: until: got 'soon', expected a date.*entry 1: reason: got ''"):
        read_exceptions(tmp_path / "exceptions.toml")


def test_an_old_export_is_noted() -> None:
    """Advisories of more than sixty days ago are noted with their age."""
    result = assess(knows("jinja2"), [], [jinja()], TODAY + datetime.timedelta(days=61))
    assert result.notes == [f"the advisories of {PYPI} are 61 days old"]


def export(folder: Path, *given: dict[str, Any]) -> Path:
    """Return a zip with these advisories."""
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for number, entry in enumerate(given):
            archive.writestr(f"{number}.json", json.dumps({**entry, "details": "long"}))
    return folder / "all.zip"


def test_an_export_replaces_its_own_ecosystem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Advisories about pinned packages are copied, with the day and the packages looked up; other ecosystems stay."""
    monkeypatch.setattr(advisories, "MIN_ADVISORIES", 2)
    openssl = advisory(ALL, name="openssl", ecosystem=DEBIAN)
    before = knows("openssl", ecosystem=DEBIAN, advisories=[openssl, advisory(ALL, id="OLD")])
    path = export(tmp_path, advisory(ALL), advisory(ALL, name="x"), advisory(ALL, withdrawn="2026"))
    created = extract(path, "all.zip", [jinja()], before, TODAY)
    assert created["exports"] == {**before["exports"], **knows("jinja2")["exports"]}
    assert created["advisories"] == [openssl, advisory(ALL)]


def test_a_part_is_no_export(tmp_path: Path) -> None:
    """A file with few advisories of an ecosystem, or none, proves nothing about the others, and is refused."""
    with pytest.raises(NotAnExport, match=r"got PyPI \(1 advisories\), expected a complete export"):
        extract(export(tmp_path, advisory(ALL)), "all.zip", [jinja()], {}, TODAY)
    with pytest.raises(NotAnExport, match="got no advisory of an ecosystem that is pinned"):
        extract(export(tmp_path, advisory(ALL, ecosystem="npm")), "all.zip", [jinja()], {}, TODAY)


def both() -> Result:
    """One affected package of each kind, and one that was not looked up."""
    ssl = Package(DEBIAN, "openssl", "1", "image", "libssl3")
    settings = [
        advisory(ALL, {"fixed": "4"}),
        advisory(ALL, {"fixed": "2"}, name="openssl", ecosystem=DEBIAN, id="CVE-2"),
    ]
    return assess(knows("jinja2", advisories=settings), [], [jinja(), ssl, Package(PYPI, "six", "1", "image")], TODAY)


def test_other_tools_formats_have_what_is_known() -> None:
    """pip-audit's JSON skips what was not looked up, with the reason; debsecan's lines name binary packages."""
    rows = {one["name"]: one for one in json.loads(vulnerabilities.as_pip_audit(both()))["dependencies"]}
    assert rows["jinja2"]["vulns"] == [{"id": "CVE-1", "fix_versions": ["4"], "aliases": [], "description": "why"}]
    assert "vulns" not in rows["six"]
    assert rows["six"]["skip_reason"]
    assert vulnerabilities.as_debsecan(both()) == "CVE-2 libssl3 (fixed)"
    unknown = json.loads(vulnerabilities.as_json(both()))["not_checked"]
    assert [one["name"] for one in unknown] == ["openssl", "six"]


def test_the_committed_file_finds_old_pins() -> None:
    """With the versions of two years ago in the lock, the committed advisories are found."""
    document = json.loads(vulnerabilities.ADVISORIES.read_bytes())
    old = {"jinja2": "3.1.2", "urllib3": "2.2.1", "langgraph-checkpoint": "2.1.2"}
    packages = [Package(PYPI, name, version, "image") for name, version in old.items()]
    assert {one.package.name for one in list_affected(document["advisories"], packages)} == set(old)


def test_the_command_says_what_was_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is that of the report, whose first line is what was looked up."""
    document = json.loads(vulnerabilities.ADVISORIES.read_bytes())
    expected = assess(
        document, read_exceptions(vulnerabilities.EXCEPTIONS), list_locked_packages(["image"]), TODAY
    ).status
    assert vulnerabilities.main(["--lock", "image"]) == expected
    assert capsys.readouterr().out.startswith("looked up for image: ")


def test_no_export_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no export, or not there, ends in 1 with its name, and the committed file stays."""
    (tmp_path / "x.zip").write_text("no zip")
    before = vulnerabilities.ADVISORIES.read_bytes()
    assert vulnerabilities.main(["--update", str(tmp_path / "x.zip")]) == 1
    assert "not an export in OSV's format" in capsys.readouterr().err
    assert vulnerabilities.main(["--update", str(tmp_path / "absent.zip")]) == 1
    assert "absent.zip: No such file or directory\nnext: ADVISORIES=" in capsys.readouterr().err
    assert vulnerabilities.ADVISORIES.read_bytes() == before
