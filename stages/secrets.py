"""Secrets are named, never written: the ARN of where one is kept stands in its place."""

import re

SECRET_NAME = re.compile(r"(?i)(secret|token|passw|credential|private|api_?key|access_?key)")
SECRET_VALUE = re.compile(
    r"(sk|rk|pk)-[A-Za-z0-9_-]{16,}|(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-"
)
# Neither * nor ?: the role gets the right to read what is named, and no more.
REFERENCE = re.compile(
    r"arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+(:[^:*?]+:*)?"
    r"|ssm:[a-z0-9-]+:\d{12}:parameter/[\w/.-]+)"
)


def holds_secret(name: str, value: str) -> bool:
    """Whether a variable of this name seems to hold a secret itself, not a reference to where it is kept."""
    secret = SECRET_VALUE.search(value) or (SECRET_NAME.search(name) and value)
    return bool(secret) and not REFERENCE.fullmatch(value)


def secret_arn(value: str) -> str | None:
    """The ARN of the secret or parameter that a variable's value names, without the key of its member; else None."""
    if not REFERENCE.fullmatch(value):
        return None
    parts = value.split(":")
    return ":".join(parts[: 7 if parts[2] == "secretsmanager" else 6])
