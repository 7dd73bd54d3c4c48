"""Resolves environment variables that reference a secret by its ARN. Runs once, when an environment starts.

`OPENAI_API_KEY=arn:aws:secretsmanager:…:secret:name-AbCdEf` is replaced with the secret, in this process only. With a
key after it (`…:secret:name-AbCdEf:key`), it is replaced with that member of a secret that is a JSON object.
`arn:aws:ssm:…:parameter/name` references a parameter, which is decrypted.
"""

import json
import re
from collections.abc import Callable, MutableMapping
from typing import Any

from handler import aws
from handler.exceptions import Misconfigured

_PREFIX = re.compile(r"arn:aws[a-z-]*:(?:secretsmanager|ssm):")
_REFERENCE = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):\d{12}:"
    r"(?:secret:|parameter/)[^:]+)(?::(?P<key>[^:]+))?:*"
)


def resolve(environ: MutableMapping[str, str], client: Callable[[str, str], Any]) -> tuple[str, ...]:
    """Replace each ARN in `environ` with its secret; returns the secrets, which must not be logged.

    `client(service, region)` returns a boto3 client. Raises `Unavailable`, or `Misconfigured` naming every variable
    whose secret cannot be read; `environ` is then unchanged. No message quotes a secret.
    """
    secrets: dict[str, str] = {}
    problems = []
    for name, value in sorted(environ.items()):
        if _PREFIX.match(value):
            try:
                secrets[name] = _read(name, value, client)
            except Misconfigured as problem:
                problems.append(str(problem))
    if problems:
        raise Misconfigured("; ".join(problems))
    environ.update(secrets)
    return tuple(secrets.values())


def _read(name: str, value: str, client: Callable[[str, str], Any]) -> str:
    reference = _REFERENCE.fullmatch(value)
    if reference is None:
        raise Misconfigured(f"{name}: got {value[:200]}, expected the ARN of a secret or of a parameter")
    arn, service, region, key = reference.group("arn", "service", "region", "key")
    with aws.calling(f"read the secret of {name}"):
        if service == "ssm":
            return str(client(service, region).get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"])
        secret = client(service, region).get_secret_value(SecretId=arn).get("SecretString")
    if secret is None:
        raise Misconfigured(f"{name}: its secret is binary, expected text")
    return str(secret) if key is None else _member(name, secret, key)


def _member(name: str, secret: str, key: str) -> str:
    try:
        member = json.loads(secret)[key]
    except (ValueError, TypeError, LookupError, RecursionError):
        member = None
    if not isinstance(member, str):
        raise Misconfigured(f"{name}: its secret is not a JSON object with a string at {key!r}") from None
    return member
