"""Debian packages and all that they depend on, and how a record or a `.in` is read."""

from pathlib import Path

import pytest

from nix.debian.closure import Wanted, compute_closure, parse_candidates, read_wanted
from nix.pins import DebLock, InputProblem
from nix.resolution import lock_texts

SHA256 = "0" * 64


def stanza(name: str, depends: str = "", more: str = "", version: str = "1") -> str:
    """Return a package record, as apt prints it."""
    record = f"Package: {name}\nVersion: {version}\nSize: 10\nSHA256: {SHA256}\nFilename: ./pool/main/{name}.deb\n"
    return record + (f"Depends: {depends}\n" if depends else "") + (f"{more}\n" if more else "") + "\n"


def names(want: Wanted, *stanzas: str) -> list[str]:
    """Return what a closure holds."""
    return [one.deb.name for one in compute_closure(want, parse_candidates("".join(stanzas)))]


def want(*roots: str, without: tuple[str, ...] = ()) -> Wanted:
    """Return a `.in` of a release called sid."""
    return Wanted("sid", roots, frozenset(without))


def test_what_a_package_needs_comes_with_it() -> None:
    """Depends and Pre-Depends are followed to their end, also in circles."""
    stanzas = [
        stanza("app", "lib (>= 1), tool:any", "Pre-Depends: early"),
        stanza("lib", "app"),
        *map(stanza, ("tool", "early", "other")),
    ]
    assert names(want("app"), *stanzas) == ["app", "early", "lib", "tool"]


def test_an_alternative_that_is_there_anyway_is_enough() -> None:
    """An alternative that is already chosen satisfies a dependency, else the first that the release has."""
    stanzas = [stanza("app", "gone | first | second"), *map(stanza, ("first", "second"))]
    assert names(want("app"), *stanzas) == ["app", "first"]
    assert names(want("app", "second"), *stanzas) == ["app", "second"]


def test_what_is_left_out_is_needed_by_nobody() -> None:
    """A name with a minus, and what it provides, answers to a need without coming along."""
    stanzas = [stanza("app", "awk, deb"), stanza("mawk", "more", "Provides: awk"), stanza("deb"), stanza("more")]
    assert names(want("app", without=("mawk", "deb")), *stanzas) == ["app"]


def test_a_name_that_one_package_provides_is_that_package() -> None:
    """A need that is no package's own name is met by its only provider."""
    assert names(want("app"), stanza("app", "api-1"), stanza("impl", "", "Provides: api-1 (= 1)")) == ["app", "impl"]


def test_all_that_a_release_lacks_is_said_at_once() -> None:
    """A missing root, a missing need and a need of several providers are all named, with what to do."""
    stanzas = [
        stanza("app", "nowhere, choice"),
        *(stanza(name, "", "Provides: choice") for name in ("left", "right")),
    ]
    with pytest.raises(InputProblem) as caught:
        names(want("app", "absent"), *stanzas)
    message = str(caught.value)
    assert message.startswith("sid does not have 3 of the packages:")
    assert "absent (named in the .in)" in message
    assert "nowhere, which app needs" in message
    assert "choice, which app needs (name one of left, right)" in message


def test_a_line_that_is_no_package_is_refused(tmp_path: Path) -> None:
    """Every line of a `.in` that cannot be read is said with its number."""
    (tmp_path / "x.in").write_text("release sid\nApp\nlib >= 2  # why\n-gone\n")
    with pytest.raises(InputProblem, match=r"(?s)line 2: 'App'.*line 3: 'lib >= 2'"):
        read_wanted(tmp_path / "x.in")


def test_one_package_moves_with_those_of_its_source() -> None:
    """Packages of one source keep to one version; all others stay where they are pinned; what is new comes."""
    old = {one.deb.name: one.deb for one in parse_candidates("".join(map(stanza, ("app", "lib", "tool")))).values()}
    now = parse_candidates(
        stanza("app", version="2")
        + stanza("lib", "", "Source: app (2)", version="2")
        + stanza("tool", version="2")
        + stanza("new", version="2")
    )
    moved = lock_texts.choose_versions(list(now.values()), DebLock(tuple(old.values()), SHA256), frozenset({"lib"}))
    assert {deb.name: deb.version for deb in moved} == {"app": "2", "lib": "2", "tool": "1", "new": "2"}
