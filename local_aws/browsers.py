"""Requests that a web page made a browser send. One rule for every server of this project, all on loopback.

A page of any origin can make its reader's browser send requests to 127.0.0.1: images and links send GET, forms and
scripts POST; and after DNS rebinding a page sends anything, under a name of its own. Browsers add Origin (Fetch
standard) and Sec-Fetch-Site (Fetch Metadata), which programs do not send.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

HOST = re.compile(r"(?P<name>\[[^]]*\]|[^:]*)(:\d+)?")
# LocalStack's name resolves to 127.0.0.1, as do those below it, which name S3 buckets.
NAMES = re.compile(r"127\.\d+\.\d+\.\d+|\[::1\]|([a-z0-9_.-]+\.)?localhost(\.localstack\.cloud)?")
READING = ("GET", "HEAD")
OURS = ("same-origin", "none")  # none: the address was typed, or followed from another program


def find_refusal(method: str, target: str, headers: Iterable[tuple[str, str]], *, is_page: bool = False) -> str | None:
    """Return why a request must not be answered, or None.

    `headers` are all fields of the request, in any case. `is_page` is for servers of pages: links of other origins may
    lead to them.
    """
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value.strip().lower())
    hosts = fields.get("host", [])
    if not target.startswith("/"):  # an absolute address, whose host counts as well
        hosts += [name for name in [urlsplit(target.lower()).netloc] if name and [name] != hosts]
    if len(hosts) != 1 or not is_local(hosts[0]):
        return (
            f"Host: got {', '.join(hosts) or 'none'}, expected a name of this machine, such as localhost or 127.0.0.1"
        )
    if foreign := [origin for origin in fields.get("origin", []) if origin != f"http://{hosts[0]}"]:
        return f"Origin: got {foreign[0]}, expected none, or http://{hosts[0]}: other web pages may not use this server"
    follows_link = is_page and method == "GET" and fields.get("sec-fetch-mode") == ["navigate"]
    if not follows_link and (foreign := [site for site in fields.get("sec-fetch-site", []) if site not in OURS]):
        return f"Sec-Fetch-Site: got {foreign[0]}, expected none: other web pages may not use this server"
    if method in READING and "authorization" not in fields and acts(target):
        return f"{method} with Action: got no Authorization, which no image or link can send. next: use POST"
    return None


def is_local(host: str) -> bool:
    """Return whether a Host header, in lower case, names this machine."""
    match = HOST.fullmatch(host)
    return match is not None and NAMES.fullmatch(match["name"]) is not None


def acts(target: str) -> bool:
    """Return whether the query of a request target names an action of AWS's query protocol."""
    # Servers treat everything after the first question mark as the query; a fragment is part of it.
    return any(key == "Action" for key, _ in parse_qsl(target.partition("?")[2], keep_blank_values=True))
