"""Log a container engine in to the stage's registry.

score-processor login [--engine docker|podman|buildah|skopeo]
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from .aws.clients import Aws
from .command.shell import Shell
from .command.verb import verb
from .console.errors import NotFound, OperationFailed

ENGINES = ("docker", "podman", "buildah", "skopeo")
HELPER_LIMIT_S = 30  # a helper that opens a dialog, on a machine without a screen, never returns


@dataclass(frozen=True)
class Login:
    """The result; `action` is `signed in` or `would sign in`; `way` is where the token is stored."""

    action: str
    registry: str
    way: str
    expires: str


@dataclass(frozen=True)
class Grant:
    """A registry's host, user and token. The token is never printed, logged, or put on a command line."""

    host: str
    user: str
    secret: str
    expires: str

    @classmethod
    def of(cls, aws: Aws) -> Grant:
        """Return ECR's grant, valid for twelve hours."""
        authorization = aws.client("ecr").get_authorization_token()["authorizationData"][0]
        user, _, secret = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
        expires = authorization["expiresAt"]
        text = expires.astimezone().isoformat(timespec="minutes") if isinstance(expires, datetime) else str(expires)
        return cls(urlsplit(authorization["proxyEndpoint"]).netloc, user, secret, text)

    def __repr__(self) -> str:
        return f"Grant({self.host})"


def store_login(aws: Aws, *, engine: str | None = None, dry_run: bool = False) -> Login:
    """Store the registry's token where the engine reads it.

    The first that applies: the credential helper in Docker's settings; the engine's own login, which reads the token
    from standard input; without an engine, the authentication file of podman, buildah and skopeo.

    NotFound if `engine` is not installed. A dry run fetches a token, and stores nothing.
    """
    grant = Grant.of(aws)
    helper, program = find_helper(grant.host), engine or _engine()
    if helper is not None:
        way = f"credential helper {helper}"
    elif program is not None and find_engine(program):
        way = f"{program} login: without a credential helper it stores the token in a file, encoded but not encrypted"
    elif engine is not None:
        raise NotFound(f"{engine} is not installed", "install it, or omit --engine")
    else:
        way = f"{locate_auth_file()}: encoded but not encrypted; readable by your user only"
    if dry_run:
        return Login("would sign in", grant.host, way, grant.expires)
    if helper is not None:
        _store(helper, grant)
    elif program is not None:
        _engine_login(program, grant, plain=aws.stage.is_local)
    else:
        _write(locate_auth_file(), grant)
    return Login("signed in", grant.host, way, grant.expires)


def find_helper(host: str) -> str | None:
    """Return the credential helper in Docker's settings for a registry, or for all; None without one."""
    settings = _read(_docker_settings())
    name = settings.get("credHelpers", {}).get(host) or settings.get("credsStore")
    return f"docker-credential-{name}" if name else None


def find_engine(name: str) -> str | None:
    """Return an engine's path; None if it is not installed."""
    return shutil.which(name)


def locate_auth_file() -> Path:
    """Return the authentication file of podman, buildah and skopeo, by their own precedence."""
    configured = os.environ.get("REGISTRY_AUTH_FILE")
    if configured:
        return Path(configured)
    run = os.environ.get("XDG_RUNTIME_DIR")
    return Path(run) / "containers/auth.json" if run and Path(run).is_dir() else _docker_settings()


def _engine() -> str | None:
    return next((name for name in ENGINES if find_engine(name)), None)


def _docker_settings() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OperationFailed(f"{path} cannot be read: {error}", "repair or remove the file") from None
    return document if isinstance(document, dict) else {}


def _store(helper: str, grant: Grant) -> None:
    """Store the grant in a helper, by its protocol: one JSON object on standard input."""
    content = json.dumps({"ServerURL": grant.host, "Username": grant.user, "Secret": grant.secret})
    path = shutil.which(helper)
    if path is None:
        raise NotFound(
            f"{_docker_settings()}: credential helper {helper} is not installed",
            "install it, or remove it from that file",
        )
    _run([path, "store"], content, helper)


def _engine_login(engine: str, grant: Grant, *, plain: bool) -> None:
    command = [engine, "login", "--username", grant.user, "--password-stdin", grant.host]
    if plain and engine != "docker":  # docker accepts loopback registries without TLS
        command[2:2] = ["--tls-verify=false"]
    _run(command, grant.secret, f"{engine} login")


def _run(command: list[str], content: str, name: str) -> None:
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, text=True, timeout=HELPER_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperationFailed(f"{name} failed: {type(error).__name__}", "run it by hand for its message") from None
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        raise OperationFailed(
            f"{name} failed: {output[-1] if output else f'exit code {done.returncode}'}", f"see {command[0]} --help"
        )


def _write(path: Path, grant: Grant) -> None:
    """Add the grant to the file atomically; other entries stay. The file is private before it has content."""
    content = _read(path)
    token = base64.b64encode(f"{grant.user}:{grant.secret}".encode()).decode()
    content["auths"] = {**content.get("auths", {}), grant.host: {"auth": token}}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".auth-", delete=False, encoding="utf-8") as half:
        Path(half.name).chmod(0o600)
        json.dump(content, half, indent=1)
    Path(half.name).replace(path)


def _render(result: Login, shell: Shell) -> None:
    shell.console.print(f"{result.action} to {result.registry} until {result.expires}\n{result.way}", markup=False)


@verb(acts=True, render=_render)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Use this engine's login (default: a credential helper, or the installed engine).",
)
def main(shell: Shell, engine: str | None) -> Login:
    """Log a container engine in to the stage's registry, for twelve hours."""
    shell.confirm(f"Logs a container engine in to the registry of stage {shell.stage.name}.")
    return store_login(shell.aws, engine=engine, dry_run=shell.dry_run)
