"""Words from outside as they may be shown: one line, not long, and nothing that looks like a secret."""

from __future__ import annotations

import re

LONGEST = 255
_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # access keys of AWS
    r"|\bsk-[\w-]{16,}"  # keys of model providers
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}[\w.-]*"  # JSON web tokens
    r"|(?i:\bbearer\s+\S{8,})"
    r"|(?i:(?<=password=)|(?<=secret=)|(?<=token=)|(?<=api_key=))[^\s&;,]+"
)


def shown(text: object) -> str:
    """Return the text fit for the page."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    line = _SECRETS.sub("[secret]", line)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
