"""Keeps texts and secrets out of what is logged or stored about an error."""

from collections.abc import Iterable, Mapping

MAXIMUM_LENGTH = 255  # of a job's errorMessage, in characters
_RUN = 16  # so many characters in a row that also occur in the text are a quotation
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATE")
_SHORTEST_SECRET = 8


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values in an environment whose names say that they are secret; the account's key names an account."""
    return tuple(
        value
        for name, value in environ.items()
        if name != "PLEXUS_ACCOUNT_KEY"
        and len(value) >= _SHORTEST_SECRET
        and any(word in name.upper() for word in _SECRET_NAMES)
    )


def reason(error: BaseException, quotable: bool, hidden: Iterable[str] = (), text: str = "") -> str:
    """One line on an error, of at most 255 characters.

    An error of our own packages (`quotable`) explains itself; of any other only the class is told, since a
    library's message may quote what it was given.
    """
    name = type(error).__name__
    line = f"{name}: {' '.join(str(error).split())}" if quotable and str(error) else name
    for secret in hidden:
        in_one_line = " ".join(secret.split())  # as the line has it; of a secret of blanks nothing would be left
        line = line.replace(in_one_line if len(in_one_line) >= _SHORTEST_SECRET else secret, "[secret]")
    return shorten(_without_quotations(printable(line), text))


def printable(line: str) -> str:
    """The line without control characters and lone surrogates."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def shorten(line: str) -> str:
    """The line, cut to fit `errorMessage`."""
    return line if len(line) <= MAXIMUM_LENGTH else line[: MAXIMUM_LENGTH - 1] + "…"


def _without_quotations(line: str, text: str) -> str:
    """The line with every run that also occurs in the text left out."""
    if not text:
        return line
    text = " ".join(text.split())
    line = line[: 4 * MAXIMUM_LENGTH]
    kept, at = [], 0
    while at < len(line):
        end = at + _RUN
        if end <= len(line) and not line[at].isspace() and line[at:end] in text:
            while end < len(line) and line[at : end + 1] in text:
                end += 1
            kept.append("[text]")
            at = end
        else:
            kept.append(line[at])
            at += 1
    return "".join(kept)
