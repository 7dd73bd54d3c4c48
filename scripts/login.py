"""Sign a container engine in to the stage's registry: into a credential helper where there is one.

python -m scripts.login [--engine docker|podman|buildah|skopeo]
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

from ._aws import Aws
from ._command import Shell, verb
from ._errors import NotFound, OperationFailed

ENGINES = ("docker", "podman", "buildah", "skopeo")
HELPER_LIMIT_S = 30


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in where. Action is `signed in` or `would sign in`; `way` is how the token is kept."""

    action: str
    registry: str
    way: str
    expires: str


@dataclass(frozen=True)
class Grant:
    """A registry's host, the user, and the token: never printed, logged, or put on a command line."""

    host: str
    user: str
    secret: str
    expires: str

    @classmethod
    def of(cls, aws: Aws) -> Grant:
        """ECR's own, for twelve hours."""
        told = aws.client("ecr").get_authorization_token()["authorizationData"][0]
        user, _, secret = base64.b64decode(told["authorizationToken"]).decode().partition(":")
        expires = told["expiresAt"]
        text = expires.astimezone().isoformat(timespec="minutes") if isinstance(expires, datetime) else str(expires)
        return cls(urlsplit(told["proxyEndpoint"]).netloc, user, secret, text)

    def __repr__(self) -> str:
        return f"Grant({self.host})"


def login(aws: Aws, *, engine: str | None = None, dry_run: bool = False) -> SignedIn:
    """Keep the registry's token where the engine looks for it.

    In this order: the credential helper that the engine's settings name; the engine's own login, which reads the token
    from its standard input; without an engine, the file that podman, buildah and skopeo read.
    """
    grant = Grant.of(aws)
    helper, found = helper_of(grant.host), engine or _engine()
    if helper is not None:
        way = f"credential helper {helper}"
    elif found is not None and engine_path(found):
        way = f"{found} login: unless a helper is set up there, it keeps the token in a file, encoded and not encrypted"
    elif engine is not None:
        raise NotFound(f"there is no {engine} on this machine", "install it, or leave --engine out")
    else:
        way = f"{auth_file()}: encoded, not encrypted; for your user only"
    if dry_run:
        return SignedIn("would sign in", grant.host, way, grant.expires)
    if helper is not None:
        _store(helper, grant)
    elif found is not None:
        _engine_login(found, grant, plain=aws.stage.is_local)
    else:
        _write(auth_file(), grant)
    return SignedIn("signed in", grant.host, way, grant.expires)


def helper_of(host: str) -> str | None:
    """The program that Docker's settings name for a registry, or for all."""
    settings = _read(_docker_settings())
    name = settings.get("credHelpers", {}).get(host) or settings.get("credsStore")
    return f"docker-credential-{name}" if name else None


def engine_path(name: str) -> str | None:
    """Where an engine is."""
    return shutil.which(name)


def auth_file() -> Path:
    """Where podman, buildah and skopeo look, in their order."""
    given = os.environ.get("REGISTRY_AUTH_FILE")
    if given:
        return Path(given)
    run = os.environ.get("XDG_RUNTIME_DIR")
    return Path(run) / "containers/auth.json" if run and Path(run).is_dir() else _docker_settings()


def _engine() -> str | None:
    return next((name for name in ENGINES if engine_path(name)), None)


def _docker_settings() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OperationFailed(f"{path} cannot be read: {error}", "mend the file, or move it away") from None
    return found if isinstance(found, dict) else {}


def _store(helper: str, grant: Grant) -> None:
    """The helper's protocol: one JSON object on its standard input."""
    content = json.dumps({"ServerURL": grant.host, "Username": grant.user, "Secret": grant.secret})
    path = shutil.which(helper)
    if path is None:
        raise NotFound(
            f"{_docker_settings()} names {helper}, which is not there",
            "install it, or take its name out of that file",
        )
    _run([path, "store"], content, helper)


def _engine_login(engine: str, grant: Grant, *, plain: bool) -> None:
    command = [engine, "login", "--username", grant.user, "--password-stdin", grant.host]
    if plain and engine != "docker":  # docker takes loopback registries as they are
        command[2:2] = ["--tls-verify=false"]
    _run(command, grant.secret, f"{engine} login")


def _run(command: list[str], content: str, name: str) -> None:
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, text=True, timeout=HELPER_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperationFailed(f"{name} did not work: {type(error).__name__}", "run it by hand to see why") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise OperationFailed(f"{name} refused: {said[-1] if said else f'exit {done.returncode}'}", "see its own help")


def _write(path: Path, grant: Grant) -> None:
    """The other registries' entries stay; readable for its owner only, before anything is in it."""
    content = _read(path)
    token = base64.b64encode(f"{grant.user}:{grant.secret}".encode()).decode()
    content["auths"] = {**content.get("auths", {}), grant.host: {"auth": token}}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".auth-", delete=False, encoding="utf-8") as half:
        Path(half.name).chmod(0o600)
        json.dump(content, half, indent=1)
    Path(half.name).replace(path)


def _render(found: SignedIn, shell: Shell) -> None:
    shell.console.print(f"{found.action} to {found.registry} until {found.expires}\n{found.way}", markup=False)


@verb(acts=True, render=_render)
@click.option("--engine", type=click.Choice(ENGINES), help="Whose login; without it a helper, or what is installed.")
def main(shell: Shell, engine: str | None) -> SignedIn:
    """Sign a container engine in to the stage's registry, for twelve hours."""
    shell.confirm(f"Signs a container engine in to the registry of stage {shell.stage.name}.")
    return login(shell.aws, engine=engine, dry_run=shell.dry_run)


if __name__ == "__main__":
    main()
