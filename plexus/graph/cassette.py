"""Cassettes: recorded replies of language models, in a JSON file that people can read.

Each entry holds the whole request beside the reply. Its key is the digest of the request and is computed when the
file is read, so an entry that was edited by hand can only answer the request that it shows.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.graph.reply import Reply
from plexus.text import hash_value
from plexus.usage import Usage
from plexus.whole_file import whole_file

FILE_NAME = "cassette.json"
FORMAT = 1


@dataclass(frozen=True)
class Question:
    """A request to a model (`provider:name`); `messages` are (role, content) pairs: system, human and ai."""

    model: str
    parameters: Mapping[str, object]
    messages: Sequence[tuple[str, str]]

    def as_dict(self) -> dict[str, object]:
        """Return the request as the cassette's file spells it."""
        return {
            "model": self.model,
            "parameters": dict(self.parameters),
            "messages": [{"role": role, "content": content} for role, content in self.messages],
        }

    @property
    def key(self) -> str:
        """The SHA-256 of the request, in hex."""
        return hash_value(self.as_dict())


class Cassette:
    """Recorded replies by the key of their request; `name` is what messages call the file."""

    def __init__(self, name: str, replies: Mapping[str, Reply]) -> None:
        self.name = name
        self._replies = dict(replies)

    @classmethod
    def read(cls, path: Path) -> Cassette:
        """Read a cassette. Raises InvalidArtifact if the file is unreadable or not a cassette."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise InvalidArtifact(
                    f"{path}: unsupported cassette format: got {content['format']}, expected {FORMAT}"
                )
            replies = dict(map(_parse_entry, content["entries"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidArtifact(f"{path}: not a cassette: {type(error).__name__}: {error}") from None
        return cls(str(path), replies)

    def find(self, question: Question) -> Reply | None:
        """Return the reply that was recorded for exactly this request, None if there is none."""
        return self._replies.get(question.key)

    def __len__(self) -> int:
        return len(self._replies)


class Recorder:
    """Adds replies to a cassette file, which is complete after every addition.

    Several threads and processes may record into the same file. Raises InvalidArtifact if the file exists and is not
    a cassette.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, dict[str, Any]] = {}
        self._known_version: tuple[int, ...] | None = None
        self._read()

    def find(self, question: Question, paid: str) -> Reply | None:
        """Return the usable reply that `paid` (`provider:name`) gave to this request before; None if there is none."""
        entry = self._entries.get(question.key)
        if entry is None or entry.get("answered_by", question.model) != paid:
            return None
        return _parse_entry(entry)[1]

    def add(self, question: Question, reply: Reply, paid: str = "") -> None:
        """Add a reply, of the model `paid` if the request names another; it replaces an earlier one to the request."""
        entry: dict[str, Any] = {"request": question.as_dict(), "reply": _format_reply(reply)}
        if paid not in ("", question.model):
            entry["answered_by"] = paid
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(self.path.parent):
            # Again under the lock: another process may have added replies since the last read.
            self._read()
            self._entries[question.key] = entry
            self._write()
            self._known_version = _read_version(self.path)

    def _read(self) -> None:
        """Read the file again if another process has written it."""
        version = _read_version(self.path)
        if version == self._known_version:
            return
        entries = {}
        if version is not None:
            Cassette.read(self.path)
            content = json.loads(self.path.read_text(encoding="utf-8"))
            entries = {_parse_entry(entry)[0]: entry for entry in content["entries"]}
        # Whole, as other threads search it meanwhile.
        self._known_version, self._entries = version, entries

    def _write(self) -> None:
        content = {"format": FORMAT, "entries": list(self._entries.values())}
        # A reply may contain a lone surrogate, which UTF-8 cannot encode: it is written as an escape.
        encoded = f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode(errors="backslashreplace")
        with whole_file(self.path) as half:
            half.write_bytes(encoded)


def _read_version(path: Path) -> tuple[int, ...] | None:
    """Return the inode, the size in bytes and the time of the last change (ns) of a file; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the folder's exclusive lock: concurrent recorders would overwrite each other's additions."""
    # The folder, not the file: the file is replaced, and a lock on the old one would protect nothing.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _format_reply(reply: Reply) -> dict[str, object]:
    """Return the reply as the cassette's file spells it; what a provider did not report is left out."""
    usage = reply.usage
    reported = {
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "written_tokens": usage.written_tokens,
        "hour_tokens": usage.hour_tokens,
        "stop_reason": reply.stop_reason,
        "refusal": reply.refusal,
        "reasoning": reply.thoughts,
        "service_tier": reply.service_tier,
    }
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {
        "content": reply.content,
        **({} if usage.unmetered else counts),
        **{key: value for key, value in reported.items() if value},
    }


def _parse_entry(entry: dict[str, Any]) -> tuple[str, Reply]:
    request, reply = entry["request"], entry["reply"]
    messages = [(message["role"], message["content"]) for message in request["messages"]]
    question = Question(request["model"], request["parameters"], messages)
    kinds = ("input", "output", "cached", "reasoning", "written", "hour")
    counts = {f"{kind}_tokens": reply.get(f"{kind}_tokens", 0) for kind in kinds}
    details = [reply.get(name, "") for name in ("stop_reason", "refusal", "reasoning", "service_tier")]
    usage = Usage(1, **counts) if counts["input_tokens"] else Usage(1, unmetered=1)
    return question.key, Reply(reply["content"], usage, *details)
