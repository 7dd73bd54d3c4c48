"""Configuration of this host's package clients: all that a machine gets of it, besides the network."""

import configparser
import io
import os
import re
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nix.clients.package_clients import create_client_environment, find_pip

VARIABLES = re.compile(r"(PIP|UV)_\w+|\w+_(PROXY|proxy)|SSL_CERT_\w+|REQUESTS_CA_BUNDLE")
SETTING = re.compile(r"^([\w:.-]+)\.([\w-]+)='(.*)'$", re.M)
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
MOZILLA = "usr/share/ca-certificates/mozilla"


@dataclass(frozen=True)
class Clients:
    """Configuration of pip and apt: variables, files by absolute path, and the folders that they name."""

    variables: dict[str, str]
    files: dict[str, bytes]
    folders: tuple[Path, ...]


def clients() -> Clients:
    """Read this host's configuration of pip, and its certificates."""
    listed = subprocess.run(
        [*map(str, find_pip()), "config", "list"], env=create_client_environment(), capture_output=True, text=True
    )
    settings = [found.groups() for found in SETTING.finditer(listed.stdout)]
    kept = [(section, name, value) for section, name, value in settings if not section.startswith(":")]
    variables = {name: value for name, value in os.environ.items() if VARIABLES.fullmatch(name)}
    paths = dict.fromkeys(local_paths([*(value for _, _, value in kept), *variables.values()]))
    files = {str(path).lstrip("/"): path.read_bytes() for path in paths if path.is_file()}
    if bundle := certificates():
        files[BUNDLE] = bundle
    folders = tuple(path for path in paths if path.is_dir() and path.parts[1] != "etc")
    return Clients(variables, {**files, "etc/pip.conf": pip_conf(kept).encode()}, folders)


def pip_conf(settings: Iterable[tuple[str, str, str]]) -> str:
    """Return settings of pip (section, name, value as `pip config list` prints it) as a file."""
    parser = configparser.RawConfigParser()
    for section, name, value in settings:
        if not parser.has_section(section):
            parser.add_section(section)
        parser.set(section, name, value.replace("\\n", "\n"))
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def local_paths(values: Iterable[str]) -> Iterator[Path]:
    """The existing paths among the words of settings; of an index, the folder above it, where its files may lie."""
    for word in (word for value in values for word in value.replace("\\n", " ").split()):
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            yield path.parent if word.startswith("file://") and path.is_dir() else path


def certificates() -> bytes | None:
    """Return the authorities that this host's Python trusts, as one file; None if it knows none as a file."""
    default = ssl.get_default_verify_paths()
    named = [default.cafile, default.openssl_cafile, f"/{BUNDLE}"]
    return next((Path(name).read_bytes() for name in named if name and Path(name).is_file()), None)
