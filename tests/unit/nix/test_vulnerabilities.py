"""The report of known vulnerabilities."""

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import pins
import pytest
import vulnerabilities
from vulnerabilities import Finding, findings


def advisory(*events: dict[str, str], name: str = "Jinja2", **more: Any) -> dict[str, Any]:
    """An advisory about one package."""
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": [*events]}]}
    return {"id": "CVE-1", "summary": "why", "affected": [affected], **more}


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
    found = findings([advisory(*RANGE)], {"jinja2": version})
    expected = Finding("jinja2", version, "CVE-1", None if fixed == "none" else fixed, "why")
    assert found == ([] if fixed is None else [expected])


def test_what_is_not_about_us_is_left_out() -> None:
    """Withdrawn advisories, other packages and other ecosystems affect nothing."""
    other = advisory({"introduced": "0"})
    other["affected"][0]["package"]["ecosystem"] = "npm"
    given = [advisory({"introduced": "0"}, withdrawn="2026-01-01"), advisory({"introduced": "0"}, name="x"), other]
    assert findings(given, {"jinja2": "1"}) == []


def test_the_committed_file_finds_old_pins(capsys: pytest.CaptureFixture[str]) -> None:
    """With the versions of two years ago in the lock, the committed advisories are found; with today's, none is."""
    document = json.loads(vulnerabilities.ADVISORIES.read_bytes())
    old = {"jinja2": "3.1.2", "urllib3": "2.2.1", "langgraph-checkpoint": "2.1.2"}
    assert {one.package for one in findings(document["advisories"], old)} == set(old)
    assert vulnerabilities.main([]) == 0
    said = capsys.readouterr().out
    assert document["date"] in said
    assert f"not covered: {len(pins.deb_lock('image').debs)} Debian packages" in said


def test_an_update_keeps_what_is_about_locked_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an export, only advisories about locked packages are taken, sorted, with the day's date."""
    monkeypatch.setattr(vulnerabilities, "ADVISORIES", tmp_path / "advisories.json")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, one in {"b": advisory(*RANGE), "a": advisory(*RANGE, name="x"), "c": advisory(id="A-1")}.items():
            archive.writestr(f"{name}.json", json.dumps({**one, "details": "long"}))
    vulnerabilities.update(tmp_path / "all.zip", {"jinja2": "3"}, datetime.date(2026, 1, 2))
    written = json.loads((tmp_path / "advisories.json").read_bytes())
    assert (written["date"], [one["id"] for one in written["advisories"]]) == ("2026-01-02", ["A-1", "CVE-1"])
    assert "details" not in written["advisories"][1]


def test_no_export_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no export, or not there, ends in 1 with its name, and the committed file stays."""
    (tmp_path / "x.zip").write_text("no zip")
    before = vulnerabilities.ADVISORIES.read_bytes()
    assert vulnerabilities.main(["--update", str(tmp_path / "x.zip")]) == 1
    assert "x.zip is no export" in capsys.readouterr().err
    assert vulnerabilities.main(["--update", str(tmp_path / "absent.zip")]) == 1
    assert "absent.zip: No such file or directory\nnext: name an export" in capsys.readouterr().err
    assert vulnerabilities.ADVISORIES.read_bytes() == before
