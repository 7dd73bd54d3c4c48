"""Read the tar in a layer's blob, decompressed piece by piece, with the digests and sizes of both."""

import hashlib
import zlib
from typing import BinaryIO

from ..digest import ALGORITHM, BLOCK
from .rules import LAMBDA

UNPACKED_AT_ONCE = 8 << 20


class UnreadableLayer(Exception):
    """Raised if the rest of a blob cannot be read; `rule` is the rule that it breaks."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


class LayerReader:
    """The tar inside a blob: decompresses while it is read, and computes both digests and sizes."""

    def __init__(self, file: BinaryIO, *, packed: bool) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        self._buffer = bytearray()
        self._packed = b""  # read, not yet decompressed
        self._ended = False
        self._raw, self._plain = hashlib.sha256(), hashlib.sha256()
        self.size = self.unpacked_size = 0
        self.closed = True

    @property
    def digest(self) -> str:
        """Digest of the blob's bytes read so far."""
        return ALGORITHM + self._raw.hexdigest()

    @property
    def diff_id(self) -> str:
        """Digest of the tar's bytes decompressed so far."""
        return ALGORITHM + self._plain.hexdigest()

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes; fewer only at the end."""
        while len(self._buffer) < count and not self._ended:
            self._fill()
        data = bytes(memoryview(self._buffer)[:count])  # a library may have 25 MB: one copy
        del self._buffer[:count]
        return data

    def skip(self, count: int) -> int:
        """Skip up to `count` bytes and return how many were skipped; fewer only at the end."""
        remaining = count
        while remaining and (self._buffer or not self._ended):
            if not self._buffer:
                self._fill()
            step = min(remaining, len(self._buffer))
            del self._buffer[:step]
            remaining -= step
        return count - remaining

    def drain(self) -> None:
        """Read to the end of the blob, so that digests and sizes cover all of it."""
        while self.skip(BLOCK):
            pass
        self.drain_raw()

    def drain_raw(self) -> None:
        """Read to the end of the blob without decompressing: only `digest` and `size` change."""
        while block := self._file.read(BLOCK):
            self._take(block)

    def _take(self, block: bytes) -> None:
        self._raw.update(block)
        self.size += len(block)

    def _fill(self) -> None:
        if not self._packed:
            self._packed = self._file.read(BLOCK)
            self._take(self._packed)
        if self._unpacker is None:
            self._ended = not self._packed
            self._give(self._packed)
            self._packed = b""
        elif self._packed:
            self._inflate(self._unpacker)
        else:
            self._ended = True
            if not self._unpacker.eof:
                raise UnreadableLayer("gzip", "its gzip stream is truncated")

    def _inflate(self, unpacker: "zlib._Decompress") -> None:
        """Decompress at most UNPACKED_AT_ONCE bytes: 1 MB of gzip can expand to 1 GB of zeros."""
        if unpacker.eof:
            unpacker = self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)  # another gzip member
        try:
            self._give(unpacker.decompress(self._packed, UNPACKED_AT_ONCE))
        except zlib.error as problem:
            self._ended = True
            raise UnreadableLayer(
                "gzip", f"its gzip stream is damaged after {self.unpacked_size} bytes: {problem}"
            ) from problem
        self._packed = unpacker.unconsumed_tail or unpacker.unused_data

    def _give(self, plain: bytes) -> None:
        self._plain.update(plain)
        self.unpacked_size += len(plain)
        if self.unpacked_size > LAMBDA.unpacked:  # a decompression bomb: stop here
            self._ended = True
            raise UnreadableLayer("unpacked-size", f"this layer alone unpacks to more than {LAMBDA.unpacked} bytes")
        self._buffer += plain
