"""Secrets that the environment names by the ARN of where they are kept: read once, when an environment starts.

`OPENAI_API_KEY=arn:aws:secretsmanager:…:secret:name-AbCdEf` becomes the secret itself under the same name, in this
process only. A key behind it, `…:secret:name-AbCdEf:key`, is that member of a secret that is a JSON object;
`arn:aws:ssm:…:parameter/name` is a parameter, decrypted.
"""

import json
import re
from collections.abc import Callable, MutableMapping
from typing import Any

from handler import aws
from handler.exceptions import Misconfigured

_NAMED = re.compile(r"arn:aws[a-z-]*:(?:secretsmanager|ssm):")
_REFERENCE = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):\d{12}:"
    r"(?:secret:|parameter/)[^:]+)(?::(?P<key>[^:]+))?:*"
)


def resolve(environ: MutableMapping[str, str], client: Callable[[str, str], Any]) -> tuple[str, ...]:
    """Put each secret in the place of its ARN; the secrets, which have to be kept out of what is told.

    `client(service, region)` is boto3's. Raises `Unavailable`, or `Misconfigured` with every variable whose secret
    cannot be had; neither quotes a secret.
    """
    found: dict[str, str] = {}
    problems = []
    for name, value in sorted(environ.items()):
        if _NAMED.match(value):
            try:
                found[name] = _read(name, value, client)
            except Misconfigured as problem:
                problems.append(str(problem))
    if problems:
        raise Misconfigured("; ".join(problems))
    environ.update(found)
    return tuple(found.values())


def _read(name: str, value: str, client: Callable[[str, str], Any]) -> str:
    reference = _REFERENCE.fullmatch(value)
    if reference is None:
        raise Misconfigured(f"{name} is no ARN of a secret or a parameter: {value[:200]}")
    arn, service, region, key = reference.group("arn", "service", "region", "key")
    with aws.calling(f"read the secret of {name}"):
        if service == "ssm":
            return str(client(service, region).get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"])
        secret = client(service, region).get_secret_value(SecretId=arn).get("SecretString")
    if secret is None:
        raise Misconfigured(f"the secret of {name} is binary, expected a text")
    return str(secret) if key is None else _member(name, secret, key)


def _member(name: str, secret: str, key: str) -> str:
    try:
        member = json.loads(secret)[key]
    except (ValueError, TypeError, LookupError, RecursionError):
        member = None
    if not isinstance(member, str):
        raise Misconfigured(f"the secret of {name} is no JSON object with a text at {key!r}") from None
    return member
