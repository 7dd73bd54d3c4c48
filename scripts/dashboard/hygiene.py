"""Sanitize untrusted text for the page: one line, truncated, with secrets redacted."""

from __future__ import annotations

import re

LONGEST = 255
_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|\bsk-[\w-]{16,}"  # model providers' keys
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}[\w.-]*"  # JSON web tokens
    r"|(?i:\bbearer\s+\S{8,})"
    r"|(?i:(?<=password=)|(?<=secret=)|(?<=token=)|(?<=api_key=))[^\s&;,]+"
)


def sanitize(text: object) -> str:
    """Return the sanitized text."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    line = _SECRETS.sub("[secret]", line)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
