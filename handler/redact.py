"""Removes item texts and secrets from what is logged or stored about an error."""

import re
from collections.abc import Iterable, Mapping

MAXIMUM_LENGTH = 255  # characters of a job's errorMessage
_RUN = 16  # characters in a row that also occur in the text count as a quotation; all of a shorter text do
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATE")
_SHORTEST_SECRET = 8  # characters, also of a text
_WHITE_SPACE = re.compile(r"\s+")


def find_secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the environment variables whose names suggest a secret.

    PLEXUS_ACCOUNT_KEY is not a secret: it names an account. Values below 8 characters are ignored, since removing
    them would garble ordinary words.
    """
    return tuple(
        value
        for name, value in environ.items()
        if name != "PLEXUS_ACCOUNT_KEY"
        and len(value) >= _SHORTEST_SECRET
        and any(word in name.upper() for word in _SECRET_NAMES)
    )


def describe_error(error: BaseException, quotable: bool, secrets: Iterable[str] = (), text: str = "") -> str:
    """Describe an error in one printable line of at most 255 characters, without secrets and quotations of `text`.

    If the error is `quotable` (one of our own packages), the line has its class and message, else only its class: the
    message of a library's error may quote its input.
    """
    name = type(error).__name__
    line = f"{name}: {_one_line(str(error))}" if quotable and str(error) else name
    for secret in secrets:
        in_one_line = _one_line(secret)  # as it would be in `line`; a secret of blanks only would be empty
        line = line.replace(in_one_line if len(in_one_line) >= _SHORTEST_SECRET else secret, "[secret]")
    return shorten(_without_quotations(escape_controls(line[: 4 * MAXIMUM_LENGTH]), escape_controls(_one_line(text))))


def escape_controls(line: str) -> str:
    """Replace control characters and lone surrogates."""
    if line.isprintable():
        return line
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def shorten(line: str) -> str:
    """Truncate the line to the length of `errorMessage`."""
    return line if len(line) <= MAXIMUM_LENGTH else line[: MAXIMUM_LENGTH - 1] + "…"


def find_quoted(line: str, text: str, run: int = _RUN) -> set[str]:
    """Return the runs of `run` characters of the line that also occur in the text.

    Linear in both: a run of the text contains one of the blocks of half its length into which the text is cut, and
    only around blocks that occur in the line is every run looked up.
    """
    block = run // 2
    runs = {line[at : at + run] for at in range(len(line) - run + 1)}
    blocks = {line[at : at + block] for at in range(len(line) - block + 1)}
    quoted: set[str] = set()
    for at in range(0, len(text) - block + 1, block):
        if text[at : at + block] in blocks:
            around = range(max(0, at + block - run), min(at, len(text) - run) + 1)
            quoted |= runs.intersection(text[start : start + run] for start in around)
            if len(quoted) == len(runs):
                break
    return quoted


def _without_quotations(line: str, text: str) -> str:
    """Replace every run of characters that also occurs in the text."""
    run = min(_RUN, len(text))
    quoted = find_quoted(line, text, run) if run >= _SHORTEST_SECRET else set()
    kept, at, end = [], 0, 0  # the quotation under way ends at `end`
    while at < len(line):
        if line[at : at + run] in quoted:
            if at >= end:
                kept.append(" [text]" if line[at] == " " else "[text]")
            end = at + run
        if at >= end:
            kept.append(line[at])
        at += 1
    return "".join(kept)


def _one_line(text: str) -> str:
    return _WHITE_SPACE.sub(" ", text).strip()
