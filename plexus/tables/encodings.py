"""Detect how a table's text is encoded. An ambiguous encoding is refused, and its possible readings are listed."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from plexus.exceptions import InvalidData
from plexus.tables.sources import Source

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16", "utf-32": "UTF-32"}
#: What programs write on machines that do not use UTF-8, the most usual first.
_CANDIDATES: tuple[str, ...] = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257")
_CANDIDATES += ("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "koi8_r", "cp850", "mac_roman")
_CHUNK = 1 << 20

# Windows-1252 is accepted only if nothing speaks against it: letters of Western languages in words of which they are
# the smaller part, and punctuation between words. Czech or Slovenian text would show signs within words or š and ž;
# Hungarian ő and ű are õ and û in it, Turkish ı and ş ý and þ; Cyrillic and Greek are runs of accented letters.
_WESTERN = "àáâãäåæçèéêëíîïñóôöøùúûüÿßœÀÁÂÃÄÅÆÇÈÉÊËÍÎÏÑÓÔÖØÙÚÛÜŸŒìòÌÒõÕ"
_SIGNS = "\xa0¡¢£¥§©ª«¬\xad®°±²³´µ·º»¼½¾¿×÷€‚„…†‡‰‹‘’“”•–—˜™›"
_UNLIKELY = re.compile(
    rf"[^\x00-\x7f{_WESTERN}{_SIGNS}]"
    r"|[õÕ](?![eE])|[èÈ](?=[aeiouAEIOU])|[ìÌòÒùÙ](?=[^\W\d_]*[^\W\d_aeiou'’])"  # at the end of Italian and French words
    rf"|[{_WESTERN}]{{3}}"
    r"|[^\W\d_][\xa1¢£¥§©«¬±²³µ»¼½¾¿×÷‚„…†‡‰‹“”•˜›][^\W\d_]"
    rf"|[^\W\d_][‚„](?!\w)|[¢£¥§©ª¬®±²³´º¼½¾×÷][{_WESTERN}]"
)


@dataclass(frozen=True)
class Encoding:
    """An encoding as Python names it, and whether lines end in a carriage return alone, as on old Macs."""

    name: str
    is_carriage_return: bool = False

    @property
    def title(self) -> str:
        """The encoding's usual name."""
        return _NAMES.get(self.name, self.name)

    @property
    def is_usual(self) -> bool:
        """Whether it is UTF-8."""
        return self.title == "UTF-8"


def detect(source: Source, requested: str | None = None) -> Encoding:
    """Read all of the source, and return its encoding: `requested`, or the only one that it can be.

    A byte order mark decides; then UTF-8 if every byte fits, UTF-16 if every other byte is zero, and Windows-1252 if
    the text looks Western. Raises InvalidData with the first line that does not fit, and for a text that several
    encodings could be, with its readings.
    """
    head = source.read_head()
    if requested is not None:
        return _check_requested(source, requested)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    name = marked or _guess_without_mark(head)
    try:
        return _decode_all(source, name)
    except UnicodeDecodeError:
        if name != "utf-8":
            raise InvalidData(f"{source.name}: damaged {_NAMES.get(name, name)}. next: save it as UTF-8") from None
    return _detect_single_byte(source)


@contextmanager
def open_text(source: Source, encoding: Encoding, newline: str = "") -> Iterator[TextIO]:
    """Open a source as text; `newline` as in `open`.

    Line ends are kept as they are by default.
    """
    with source.open() as file:
        # Invalid bytes cannot occur: the whole source was decoded once. A file that changes meanwhile is an error.
        text = io.TextIOWrapper(file, encoding.name, newline=newline)
        try:
            yield text
        finally:
            text.detach()


def _check_requested(source: Source, name: str) -> Encoding:
    try:
        codecs.lookup(name)
        "".encode(name)
    except (LookupError, TypeError):
        raise InvalidData(
            f"unknown encoding: got {name!r}, expected one such as {', '.join(_CANDIDATES[:4])}"
        ) from None
    try:
        return _decode_all(source, "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name)
    except UnicodeDecodeError as error:
        raise InvalidData(f"{source.name}: not {name}: byte 0x{error.object[error.start]:02x}") from None


def _guess_without_mark(head: bytes) -> str:
    """Return UTF-16 if most bytes at even or at odd places are zero, as in text of Western letters; else UTF-8."""
    half = len(head) // 2
    if half and head[0::2].count(0) > half / 2 and not head[1::2].count(0):
        return "utf-16-be"
    if half and head[1::2].count(0) > half / 2 and not head[0::2].count(0):
        return "utf-16-le"
    return "utf-8"


def _decode_all(source: Source, name: str) -> Encoding:
    """Decode everything; raises UnicodeDecodeError."""
    decode = codecs.getincrementaldecoder(name)().decode
    feed = carriage = False
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            text = decode(chunk)
            feed, carriage = feed or "\n" in text, carriage or "\r" in text
        decode(b"", True)
    return Encoding(name, carriage and not feed)


def _detect_single_byte(source: Source) -> Encoding:
    """Return Windows-1252 if the text can be nothing else. Raises InvalidData with the first line that is not UTF-8."""
    if b"\0" in source.read_head():
        raise InvalidData(f"{source.name}: got a binary file, expected a table. next: save it as .csv or .xlsx")
    first: tuple[int, bytes, int] | None = None
    others = western = True
    with source.open() as file:
        for number, line in enumerate(file, start=1):
            try:
                if not line.isascii():
                    line.decode()
                    others = False  # the file is UTF-8 but for some lines
            except UnicodeDecodeError as error:
                first = first or (number, line, error.start)
                western = western and _is_western(line)
    assert first is not None
    number, line, start = first
    place = f"{source.name}:{number}: not UTF-8 at byte {start + 1} of the line"
    if not others:
        raise InvalidData(
            f"{place}, unlike other lines. next: save the file as UTF-8, or name its encoding with --encoding"
        )
    if western:
        return _decode_all(source, "cp1252")
    raise InvalidData(
        f"{place}. next: --encoding NAME, with the one that reads the line rightly:{_list_readings(line)}"
    )


def _is_western(line: bytes) -> bool:
    try:
        return not _UNLIKELY.search(line.decode("cp1252"))
    except UnicodeDecodeError:
        return False


def _list_readings(line: bytes) -> str:
    """Return what the line could be, one encoding to a line, each reading once."""
    start = max(0, next(place for place, byte in enumerate(line) if byte > 0x7F) - 20)
    current: dict[str, str] = {}
    for name in _CANDIDATES:
        try:
            reading = line.decode(name).rstrip("\r\n")
        except UnicodeDecodeError:
            continue
        part = reading[start : start + 60]
        if part.isprintable():
            current.setdefault(part, name)
    return "".join(f"\n  {name:<10} {reading}" for reading, name in current.items())
