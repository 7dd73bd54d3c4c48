"""Resolve the Debian packages of a root: those that a `.in` names and all dependencies, except the excluded ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nix import pins
from nix.pins import Deb, InputProblem

RELEASE = re.compile(r"release ([a-z]+)")
NAME = re.compile(r"-?[a-z0-9][a-z0-9+.-]+")
WORD = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True)
class Wanted:
    """A parsed `.in` of Debian packages: the release, the packages, and the dependencies to leave out."""

    release: str
    names: tuple[str, ...]
    left_out: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """A package in a release. `needs`: its dependencies, each a tuple of alternatives; `provides`: virtual packages."""

    deb: Deb
    source: str
    needs: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]


def read_wanted(path: Path) -> Wanted:
    """Parse a `.in`; InputProblem lists each line that cannot be parsed."""
    release, names, left_out, broken = "", [], set(), []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if match := RELEASE.fullmatch(text):
            release = match[1]
        elif text.startswith("-") and NAME.fullmatch(text):
            left_out.add(text[1:])
        elif NAME.fullmatch(text):
            names.append(text)
        elif text:
            broken.append(f"\n  line {number}: {text!r}")
    if broken or not release:
        what = "".join(broken) or "\n  no line names the release"
        raise InputProblem(f"nix/locks/{path.name}: expected 'release NAME', NAME or -NAME on each line{what}")
    return Wanted(release, tuple(names), frozenset(left_out))


def list_releases() -> list[str]:
    """List the Debian releases that the roots are made of, each once."""
    files = [pins.LOCKS / f"{pins.DEBS[group]}.in" for group in pins.GROUPS]
    return list(dict.fromkeys(read_wanted(path).release for path in files if path.exists()))


def parse_candidates(stanzas: str) -> dict[str, Candidate]:
    """Parse package records, as apt prints them, by name."""
    by_name = {}
    for stanza in stanzas.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.M))
        if {"Package", "Version", "Size", "SHA256", "Filename"} <= fields.keys():
            by_name[fields["Package"]] = parse_candidate(fields)
    return by_name


def parse_candidate(fields: Mapping[str, str]) -> Candidate:
    """Build a candidate from the fields of a record.

    Versions in dependencies are ignored: a release is consistent in itself. KeyError if a required field is missing.
    """
    name, version = fields["Package"], fields["Version"]
    deb = Deb(name, version, int(fields["Size"]), fields["SHA256"], fields["Filename"].removeprefix("./"))
    clauses = [one for kind in ("Pre-Depends", "Depends") for one in fields.get(kind, "").split(",") if one.strip()]
    needs = tuple(tuple(list_package_names(clause.split("|"))) for clause in clauses)
    return Candidate(
        deb, fields.get("Source", name), needs, tuple(list_package_names(fields.get("Provides", "").split(",")))
    )


def list_package_names(texts: Iterable[str]) -> list[str]:
    """Return the package name of each relation; versions and architectures are consistent within a release."""
    return [found[0] for text in texts if (found := WORD.match(text.strip()))]


def compute_closure(want: Wanted, known: Mapping[str, Candidate]) -> tuple[Candidate, ...]:
    """Return all packages of a root, sorted by name as bytes.

    InputProblem lists every package that is not in the release.

    Of alternatives, one that is chosen already wins, else the first in the release. Names in the `.in` are resolved
    first, then their dependencies sorted by name: the result depends on nothing else.
    """
    chosen: dict[str, Candidate] = {}
    left_out = want.left_out | list_provided_names({name: known[name] for name in want.left_out if name in known})
    absent: dict[str, str] = {}
    waiting = {name: f"{name} (named in the .in)" for name in want.names}
    while waiting:
        resolved = {name: known[name] for name in waiting if name in known}
        absent |= {name: why for name, why in waiting.items() if name not in known}
        chosen |= resolved
        waiting = {}
        for name in sorted(resolved):
            for clause in resolved[name].needs:
                satisfied = left_out | list_provided_names(chosen) | waiting.keys() | absent.keys()
                if not satisfied.intersection(clause):
                    pick = next((one for one in clause if one in known), None) or find_provider(clause, known)
                    waiting[pick or clause[0]] = (
                        f"{clause[0]}, which {name} needs{describe_providers(clause[0], known)}"
                    )
    if absent:
        raise InputProblem(
            f"{want.release} does not have {len(absent)} of the packages:"
            + "".join(f"\n  {why}" for _, why in sorted(absent.items()))
            + "\nnext: name other packages in the .in, or leave one out with a minus before its name"
        )
    return tuple(chosen[name] for name in sorted(chosen, key=str.encode))


def list_provided_names(chosen: Mapping[str, Candidate]) -> set[str]:
    """Return all names of the chosen packages, virtual ones included."""
    return set(chosen) | {name for one in chosen.values() for name in one.provides}


def find_provider(clause: Sequence[str], known: Mapping[str, Candidate]) -> str | None:
    """Return the only package that provides a virtual name of this clause; None if there are several or none."""
    for name in clause:
        providers = [one.deb.name for one in known.values() if name in one.provides]
        if len(providers) == 1:
            return providers[0]
    return None


def describe_providers(name: str, known: Mapping[str, Candidate]) -> str:
    """Describe which packages provide a virtual one; empty if none does."""
    providers = sorted(one.deb.name for one in known.values() if name in one.provides)
    return f" (name one of {', '.join(providers[:5])})" if providers else ""
