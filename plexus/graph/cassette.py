"""Recorded replies of a language model, in a JSON file that people can read.

Each entry holds the whole request beside the reply. Its key is the digest of the request: computed when the file is
read, so an entry that was edited by hand can never answer another question than the one it shows.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.text import digest
from plexus.values import Usage

FILE_NAME = "cassette.json"
FORMAT = 1


@dataclass(frozen=True)
class Question:
    """What a model is asked: `messages` are (role, content) pairs with the roles system, human and ai."""

    model: str
    parameters: Mapping[str, Any]
    messages: Sequence[tuple[str, str]]

    def as_dict(self) -> dict[str, Any]:
        """The request as the cassette shows it."""
        return {
            "model": self.model,
            "parameters": dict(self.parameters),
            "messages": [{"role": role, "content": content} for role, content in self.messages],
        }

    @property
    def key(self) -> str:
        """SHA-256 in hex of the request."""
        return digest(self.as_dict())


@dataclass(frozen=True)
class Reply:
    """What the model answered, and the tokens that it counted."""

    content: str
    usage: Usage


class Cassette:
    """Replies by the key of their question; `name` is what messages call the file."""

    def __init__(self, name: str, replies: Mapping[str, Reply]) -> None:
        self.name = name
        self._replies = dict(replies)

    @classmethod
    def read(cls, path: Path) -> Cassette:
        """Raises InvalidArtifact when the file is not a cassette."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise InvalidArtifact(f"{path}: the cassette has the format {content['format']}, expected {FORMAT}")
            replies = dict(map(_entry, content["entries"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidArtifact(f"{path}: not a cassette: {type(error).__name__}: {error}") from None
        return cls(str(path), replies)

    def find(self, question: Question) -> Reply | None:
        """The reply that was recorded for exactly this question."""
        return self._replies.get(question.key)

    def __len__(self) -> int:
        return len(self._replies)


class Recorder:
    """Adds replies to a cassette file, which is whole after every addition; several may write the same file.

    Raises InvalidArtifact when there is a file that is no cassette.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Any] = {}
        self._known: tuple[int, ...] | None = None
        self._read()

    def add(self, question: Question, reply: Reply) -> None:
        """Keeps one reply; a later one to the same question replaces it."""
        usage = {"input_tokens": reply.usage.input_tokens, "output_tokens": reply.usage.output_tokens}
        entry = {"request": question.as_dict(), "reply": {"content": reply.content, **usage}}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.path.parent):
            self._read()
            self._entries[question.key] = entry
            self._write()
            self._known = _version(self.path)

    def _read(self) -> None:
        """Anew only where somebody else has written meanwhile."""
        now = _version(self.path)
        if now == self._known:
            return
        self._known, self._entries = now, {}
        if now is not None:
            Cassette.read(self.path)
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self._entries = {_entry(each)[0]: each for each in content["entries"]}

    def _write(self) -> None:
        content = {"format": FORMAT, "entries": list(self._entries.values())}
        # Half of a character, which a reply may hold and no file can, stands escaped.
        encoded = f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode(errors="backslashreplace")
        with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=".half-", delete=False) as file:
            half = Path(file.name)
            try:
                file.write(encoded)
                file.flush()
                half.chmod(0o644)
                half.replace(self.path)
            except BaseException:
                half.unlink(missing_ok=True)
                raise


def _version(path: Path) -> tuple[int, ...] | None:
    """What tells one writing of a file from another; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other thread or process records into the folder meanwhile: each would overwrite what the other added."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _entry(value: dict[str, Any]) -> tuple[str, Reply]:
    request, reply = value["request"], value["reply"]
    messages = [(message["role"], message["content"]) for message in request["messages"]]
    question = Question(request["model"], request["parameters"], messages)
    usage = Usage(1, reply.get("input_tokens", 0), reply.get("output_tokens", 0))
    return question.key, Reply(reply["content"], usage)
