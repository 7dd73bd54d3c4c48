"""The tar file of all pinned inputs that the forge of this clone publishes as a release.

The release's name follows from the pinned inputs alone: a clone finds the file of its own locks, whatever was released
since.
"""

import http.client
import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from nix.clients.http_download import READ_S, Failure, Kind, classify_failure
from nix.input_archive import artifact
from nix.input_archive.local import take_from_tar
from nix.pins import Input, InputProblem
from nix.revision import REPOSITORY, query_git

ORIGIN = re.compile(r"(?:(?P<scheme>https?|ssh|git)://)?(?:[^@/]+@)?(?P<host>[^/:]+)(?P<port>:\d+)?[:/](?P<path>.+)")
LOCAL = ("/", ".", "file:")


def name() -> str:
    """Name the release of these locks' inputs; the file in it is NAME.tar."""
    return artifact.tag_of(artifact.encode_manifest(artifact.list_all_inputs()))


def derive_address(origin: str | None = None) -> str | None:
    """Return where the forge of `origin` publishes the inputs of these locks; None if it is not a forge's address.

    Default: the remote `origin` of this clone. Credentials in it are left out.
    """
    origin = (query_git(REPOSITORY, "remote", "get-url", "origin") or "").strip() if origin is None else origin
    match = None if origin.startswith(LOCAL) else ORIGIN.fullmatch(origin)
    if not match:
        return None
    web = match["scheme"] in ("http", "https")  # ssh's port is not the web server's
    base = f"{match['scheme'] if web else 'https'}://{match['host']}{match['port'] or '' if web else ''}"
    path = match["path"].strip("/").removesuffix(".git")
    return f"{base}/{path}/releases/download/{name()}/{name()}.tar"


def take(client: urllib.request.OpenerDirector, url: str, wanted: Sequence[Input], work: Path) -> Failure | None:
    """Store the wanted inputs out of a published tar file, read only as far as needed; None if it could be read.

    What arrived before a failure is kept.
    """
    try:
        with client.open(url, timeout=READ_S) as answer:
            take_from_tar(cast(BinaryIO, answer), wanted, work)
    except InputProblem:
        return Failure(Kind.UNCLEAR, "the answer was truncated, or is not a tar file")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return classify_failure(error)
    return None
