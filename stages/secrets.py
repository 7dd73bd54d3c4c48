"""Secrets in stage files: a variable may have the ARN of a secret as its value, but never the secret itself."""

import re

SECRET_NAME = re.compile(r"(?i)(secret|token|passw|credential|private|api_?key|access_?key)")
SECRET_VALUE = re.compile(
    r"(sk|rk|pk)-[A-Za-z0-9_-]{16,}|(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-"
)
# No * or ?: the role is allowed to read exactly the ARNs that match.
REFERENCE = re.compile(
    r"arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+(:[^:*?]+:*)?"
    r"|ssm:[a-z0-9-]+:\d{12}:parameter/[\w/.-]+)"
)


def contains_secret(name: str, value: str) -> bool:
    """Return whether a variable's name or value suggests a secret, and the value is not a reference to one."""
    secret = SECRET_VALUE.search(value) or (SECRET_NAME.search(name) and value)
    return bool(secret) and not REFERENCE.fullmatch(value)


def find_secret_arn(value: str) -> str | None:
    """Return the ARN of the secret or parameter that a value references, without the key of a member, or None."""
    if not REFERENCE.fullmatch(value):
        return None
    parts = value.split(":")
    return ":".join(parts[: 7 if parts[2] == "secretsmanager" else 6])
