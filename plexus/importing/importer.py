"""Turn files in the original's form into scorecards of this library, and report what became of each part."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from plexus import document, lint, pages
from plexus.document import Document
from plexus.exceptions import InvalidScorecard
from plexus.original.cards import DIALECT, create_key, is_original, translate
from plexus.original.notes import Note
from plexus.problems import Problem, format_path
from plexus.text import hash_value

Verdict = Literal["loads as it is", "translated", "needs a hand"]
VERDICTS: tuple[Verdict, ...] = ("loads as it is", "translated", "needs a hand")
#: In the order of the report: what has to be done comes first.
_MEANINGS: dict[Verdict, str] = {
    "needs a hand": "Edit the file at each error, and import it again; nothing was written for it.",
    "translated": "A scorecard of this library was written. Read each change of meaning.",
    "loads as it is": "The file is a scorecard of this library already.",
}
TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Remark:
    """A note with the line in the file that it is about, from 1."""

    line: int
    kind: str
    place: str
    message: str


@dataclass(frozen=True)
class ImportedCard:
    """One file: what became of it, the remarks about it in the order of the file, and the scorecard's YAML.

    `text` is None for a file that needs a hand, and `key`, the scorecard's own, for one that is no scorecard.
    """

    file: str
    verdict: Verdict
    remarks: tuple[Remark, ...]
    text: str | None
    key: str | None = None


def import_cards(
    listed: Sequence[tuple[Path, Path]],
    earlier: Mapping[str, str] | None = None,
    taken: Mapping[str, str] | None = None,
) -> list[ImportedCard]:
    """Import files, each given with its place in the output; no two of the cards get the same key.

    `earlier` maps places to the keys that an earlier import gave to cards, which stay. `taken` maps the keys of other
    cards to their places. A key that is made of a name is replaced by one made of the place if several cards would
    have it, whether they are translated or need a hand. A key that the file itself states is an error in that case.
    """
    first = [import_card(file) for file, _ in listed]
    places = [place.as_posix() for _, place in listed]
    kept = [
        _keep_key(file, card, (earlier or {}).get(place.as_posix()))
        for (file, place), card in zip(listed, first, strict=True)
    ]
    keys = [key if key is not None else card.key for key, card in zip(kept, first, strict=True)]
    counts, of_earlier = Counter([*filter(None, keys), *(taken or {})]), Counter(kept)
    imported = []
    for (file, place), card, key, own in zip(listed, first, keys, kept, strict=True):
        if key is None or counts[key] == 1 or (key == own and of_earlier[key] == 1 and key not in (taken or {})):
            imported.append(card if key == card.key else import_card(file, _Key(str(key))))
            continue
        # Relative paths: the same files have the same keys on every machine.
        relative = place.with_suffix("").as_posix()
        unique = create_key(relative)
        unique = f"{unique}-{hash_value(relative)[:8]}" if unique in counts else unique
        counts[unique] += 1
        others = [at for at, other in zip(places, first, strict=True) if other.key == card.key and at != str(place)]
        others += [at for other, at in (taken or {}).items() if other == card.key]
        imported.append(import_card(file, _Key(unique, ", ".join(others))))
    return imported


def _keep_key(file: Path, card: ImportedCard, earlier: str | None) -> str | None:
    """Return the key of an earlier import, unless the file has a key of its own, or is no scorecard."""
    if earlier is None or card.key is None or earlier == card.key:
        return card.key if earlier is not None else None
    value = document.parse(file.read_text(encoding="utf-8"), str(file)).value
    return None if isinstance(value, dict) and "scores" in value and "key" in value else earlier


@dataclass(frozen=True)
class _Key:
    """A key to use instead of the one that the files `others` have too; without others, that of an earlier import."""

    key: str
    others: str = ""


def import_card(path: Path, key: _Key | None = None) -> ImportedCard:
    """Read one file, translate it and check the result. Raises nothing: each failure is a remark about the file."""
    try:
        return _import_card(path, key)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}. next: check its permissions"
        return ImportedCard(str(path), "needs a hand", (Remark(1, "error", "", message),), None)
    except Exception as error:
        # A file that the translation fails on is no reason to leave out the other files.
        message = f"the translation failed: got {type(error).__name__}: {error}. next: report it as a defect"
        return ImportedCard(str(path), "needs a hand", (Remark(1, "error", "", message),), None)


def _import_card(path: Path, key: _Key | None) -> ImportedCard:
    try:
        text = path.read_text(encoding="utf-8")
        parsed = document.parse(text, str(path))
    except UnicodeDecodeError:
        return ImportedCard(str(path), "needs a hand", (Remark(1, "error", "", "the file is not UTF-8 text"),), None)
    except InvalidScorecard:
        errors = [problem for problem in lint.lint(text, name=str(path)) if problem.severity == "error"]
        return ImportedCard(str(path), "needs a hand", _list_remarks(errors), None)
    notes: Sequence[Note] = ()
    translated = parsed
    if is_original(parsed.value):
        translation = translate(parsed)
        notes, translated = translation.notes, translation.document
    remarks = [Remark(note.locate(parsed).line, *_describe_note(note)) for note in notes]
    problems = lint.lint(text, name=str(path))
    errors = [problem for problem in problems if problem.severity == "error"]
    remarks += _list_remarks(errors)
    if errors and translated is parsed and _is_undeclared(text, errors):
        message = f"names of the original are in this file. next: add the line `dialect: {DIALECT}` at its beginning"
        remarks.append(Remark(min(problem.position.line for problem in errors), "error", "", message))
    if translated is not parsed:
        unset = [problem for problem in problems if _is_empty_there(problem)]
        remarks += [replace(remark, kind="changed") for remark in _list_remarks(unset)]
    own = _get_key(translated)
    if key is not None and own is not None:
        remarks.append(_separate(key, parsed, translated))
        own = _get_key(translated)
    ordered = tuple(sorted(dict.fromkeys(_drop_repeats(remarks)), key=lambda remark: remark.line))
    if any(remark.kind == "error" for remark in remarks):
        return ImportedCard(str(path), "needs a hand", ordered, None, own)
    if translated is parsed:
        return ImportedCard(str(path), "loads as it is", ordered, text, own)
    return ImportedCard(str(path), "translated", ordered, _write(translated, ordered), own)


def _get_key(translated: Document) -> str | None:
    key = translated.value.get("key") if isinstance(translated.value, dict) else None
    return key if isinstance(key, str) else None


def _separate(key: _Key, parsed: Document, translated: Document) -> Remark:
    """Give a translated card the key that no other has; a key that the file itself has stays, and is an error."""
    assert isinstance(translated.value, dict)
    assert isinstance(parsed.value, dict)
    old, line = translated.value["key"], parsed.find_position(("key",)).line
    if "scores" in parsed.value and "key" in parsed.value:
        message = f"the key {old!r} is also that of {key.others}. next: change it in all but one of the files"
        return Remark(line, "error", "key", message)
    translated.value["key"] = key.key
    message = f"the key is {key.key!r}, from the file's path: {old!r}, from the name, is also that of {key.others}"
    if not key.others:
        message = f"the key is {key.key!r}, as in an earlier import; from the name, it would be {old!r}"
    return Remark(parsed.find_position(("name",)).line, "changed", "key", message)


def _is_undeclared(text: str, errors: Sequence[Problem]) -> bool:
    """Return whether a scorecard with these errors loads in the original's dialect, or has errors about names of it."""
    declared = f"dialect: {DIALECT}\n{text}"
    try:
        parsed = document.parse(declared, "")
    except InvalidScorecard:
        return False
    if not isinstance(parsed.value, dict) or "scores" not in parsed.value:
        return False
    notes = translate(parsed).notes
    known = {note.path for note in notes if note.kind not in ("unknown", "unsupported")}
    classes = {(*problem.path, "class") for problem in errors if problem.message.startswith("unknown class")}
    keys = {problem.path for problem in errors if problem.message.startswith("unknown key")}
    named = any(path in classes or any(path[: len(key)] == key for key in keys) for path in known)
    if named or any(note.kind == "unknown" for note in notes):
        return named
    return all(problem.severity != "error" for problem in lint.lint(declared, name=""))


def _is_empty_there(problem: Problem) -> bool:
    """Return whether a warning is about what fails or is left out here, and is an empty text in the original."""
    if problem.rule != "absent-metadata":
        return problem.rule in ("empty-message", "sometimes-undefined", "absent-result")
    # Code that reads an absent key fails in the original, too, and a condition is false in both.
    return str(problem.path[-1]).endswith("_message") and "fails here" in problem.message


def _describe_note(note: Note) -> tuple[str, str, str]:
    kinds = {"unsupported": "error", "unknown": "changed"}
    return kinds.get(note.kind, note.kind), format_path(note.path), note.message


def _list_remarks(problems: Sequence[Problem]) -> tuple[Remark, ...]:
    return tuple(
        Remark(problem.position.line, "error", format_path(problem.path), problem.message) for problem in problems
    )


def _drop_repeats(remarks: Sequence[Remark]) -> Iterator[Remark]:
    """Yield each message of a line once: an unsupported part is a note and a problem."""
    known = set()
    for remark in remarks:
        if (remark.line, remark.message) not in known:
            known.add((remark.line, remark.message))
            yield remark


def _write(translated: Document, remarks: Sequence[Remark]) -> str:
    """Return the scorecard as YAML, below comments that say what means something else than in the original."""
    assert isinstance(translated.value, dict)
    content = CommentedMap(translated.value)
    # Not the key's remark, which names other files: the text depends on its own source and key alone.
    changed = [remark for remark in remarks if remark.kind == "changed" and remark.place != "key"]
    if changed:
        lines = [f"- {remark.place}: {remark.message}" for remark in changed]
        content.yaml_set_start_comment("\n".join(["Changed from the original:", *lines]) + "\n")
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    buffer = io.StringIO()
    writer.dump(content, buffer)
    return buffer.getvalue()


def render(imported: Sequence[ImportedCard]) -> str:
    """Return the report as one HTML page without scripts and addresses; files that need a hand come first."""
    groups = {verdict: [card for card in imported if card.verdict == verdict] for verdict in _MEANINGS}
    template = pages.create_environment(TEMPLATES).get_template("report.html.j2")
    return template.render(groups=groups, meanings=_MEANINGS)
