"""Which Debian packages a root is made of: those that a `.in` names and all that they depend on, less the excluded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pins import Deb, InputProblem

RELEASE = re.compile(r"release ([a-z]+)")
NAME = re.compile(r"-?[a-z0-9][a-z0-9+.-]+")
WORD = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True)
class Wanted:
    """A `.in` of Debian packages: the release, the packages named, and those that are left out though needed."""

    release: str
    names: tuple[str, ...]
    left_out: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """A package as a release has it now. `needs`: alternatives of names; `provides`: other names that it answers to."""

    deb: Deb
    source: str
    needs: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]


def wanted(path: Path) -> Wanted:
    """Read a `.in`; InputProblem names each line that cannot be read."""
    release, names, left_out, broken = "", [], set(), []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if found := RELEASE.fullmatch(text):
            release = found[1]
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


def candidates(stanzas: str) -> dict[str, Candidate]:
    """Package records, as apt prints them, by name."""
    found = {}
    for stanza in stanzas.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.M))
        if {"Package", "Version", "Size", "SHA256", "Filename"} <= fields.keys():
            found[fields["Package"]] = candidate(fields)
    return found


def candidate(fields: Mapping[str, str]) -> Candidate:
    """One record."""
    name, version = fields["Package"], fields["Version"]
    deb = Deb(name, version, int(fields["Size"]), fields["SHA256"], fields["Filename"].removeprefix("./"))
    clauses = [one for kind in ("Pre-Depends", "Depends") for one in fields.get(kind, "").split(",") if one.strip()]
    needs = tuple(tuple(first_words(clause.split("|"))) for clause in clauses)
    return Candidate(deb, fields.get("Source", name), needs, tuple(first_words(fields.get("Provides", "").split(","))))


def first_words(texts: Iterable[str]) -> list[str]:
    """The package name that each relation begins with: versions and architectures are the release's to keep right."""
    return [found[0] for text in texts if (found := WORD.match(text.strip()))]


def closure(want: Wanted, known: Mapping[str, Candidate]) -> tuple[Candidate, ...]:
    """All packages of a root, by name as bytes. InputProblem names every package that the release does not have.

    Of alternatives the first that is chosen anyway is taken, else the first that the release has; the names in the
    `.in` come first, then what they need in the order of names, so that the result depends on nothing else.
    """
    chosen: dict[str, Candidate] = {}
    left_out = want.left_out | answers({name: known[name] for name in want.left_out if name in known})
    absent: dict[str, str] = {}
    waiting = {name: f"{name} (named in the .in)" for name in want.names}
    while waiting:
        found = {name: known[name] for name in waiting if name in known}
        absent |= {name: why for name, why in waiting.items() if name not in known}
        chosen |= found
        waiting = {}
        for name in sorted(found):
            for clause in found[name].needs:
                answered = left_out | answers(chosen) | waiting.keys() | absent.keys()
                if not answered.intersection(clause):
                    pick = next((one for one in clause if one in known), None) or provider(clause, known)
                    waiting[pick or clause[0]] = f"{clause[0]}, which {name} needs{hint(clause[0], known)}"
    if absent:
        raise InputProblem(
            f"{want.release} does not have {len(absent)} of the packages:"
            + "".join(f"\n  {why}" for _, why in sorted(absent.items()))
            + "\nnext: name other packages in the .in, or leave one out with a minus before its name"
        )
    return tuple(chosen[name] for name in sorted(chosen, key=str.encode))


def answers(chosen: Mapping[str, Candidate]) -> set[str]:
    """Every name that the chosen packages answer to."""
    return set(chosen) | {name for one in chosen.values() for name in one.provides}


def provider(clause: Sequence[str], known: Mapping[str, Candidate]) -> str | None:
    """The only package that answers to a name of this clause which is no package's own, if there is only one."""
    for name in clause:
        providers = [one.deb.name for one in known.values() if name in one.provides]
        if len(providers) == 1:
            return providers[0]
    return None


def hint(name: str, known: Mapping[str, Candidate]) -> str:
    """Which packages could be named in place of one that is only a name."""
    providers = sorted(one.deb.name for one in known.values() if name in one.provides)
    return f" (name one of {', '.join(providers[:5])})" if providers else ""
