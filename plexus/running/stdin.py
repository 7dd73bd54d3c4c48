"""Standard input as a file: rows are read twice, and a pipe can be read once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from plexus.exceptions import InvalidData

NAME = Path("-")


@contextmanager
def standing(path: Path, stream: BinaryIO) -> Iterator[Path]:
    """The path itself, or for `-` a copy of the stream on disk for as long as it is needed.

    JSONL begins with a brace, Parquet with its mark; all else is CSV. Errors name standard input, not the copy.
    """
    if path != NAME:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="plexus-stdin-") as folder:
        first = stream.readline()
        copy = Path(folder) / f"texts{_ending(first)}"
        with copy.open("wb") as file:
            file.write(first)
            shutil.copyfileobj(stream, file)
        try:
            yield copy
        except InvalidData as error:
            raise InvalidData(str(error).replace(str(copy), "standard input")) from None


def _ending(first: bytes) -> str:
    if first.startswith(b"PAR1"):
        return ".parquet"
    return ".jsonl" if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else ".csv"
