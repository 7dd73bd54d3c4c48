"""Shared by `run`, `shell` and `load`: options, the image's layout, and the function's settings and variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..aws.stage import Stage, create_environment
from ..checkout.layout import LAYOUT, require_finished
from ..command.shell import Shell
from ..console.errors import NotFound, OperationFailed

if TYPE_CHECKING:
    from local_aws.sandbox import FunctionSettings

F = TypeVar("F", bound=Callable[..., Any])


image_option = click.option(
    "--image", type=click.Path(path_type=Path), help="An OCI image layout (default: build/image)."
)


def variables_option(envvar: str | None = None) -> Callable[[F], F]:
    """Return the option --env, whose values are the argument `assignments` of a command and of `variables`."""
    return click.option(
        "--env",
        "assignments",
        multiple=True,
        metavar="NAME[=VALUE]",
        envvar=envvar,
        help="Set a variable; without =VALUE, pass the caller's, which no command line shows.",
    )


def engine_option(what: str) -> Callable[[F], F]:
    """Return the option --engine of a command that isolates `what`."""
    return click.option(
        "--engine",
        type=click.Choice(["bubblewrap", "plain"]),
        help=f"How to isolate {what} (default: the best available).",
    )


def find_layout(path: Path | None) -> Path:
    """Return the layout to run (default: build/image); NotFound if it does not exist.

    Refused if the last build has failed or has not ended.
    """
    layout = path or LAYOUT
    if not (layout / "index.json").is_file():
        what = f"{layout} is not an OCI image layout" if path else "no image has been built yet"
        raise NotFound(what, "make build")
    require_finished(layout)
    return layout


def create_variables(stage: Stage, assignments: Sequence[str], endpoint: str | None) -> dict[str, str]:
    """Return the function's variables: the stage's, the local AWS's endpoint if it runs, and `assignments` over both.

    An assignment is NAME=VALUE, or NAME for the caller's own value; anything else is a usage error.
    """
    values = create_environment(stage)
    if endpoint:
        values["AWS_ENDPOINT_URL"] = endpoint
    for text in assignments:
        name, mark, value = text.partition("=")
        if not name or (not mark and name not in os.environ):
            raise click.BadParameter(f"got {text!r}, expected NAME=VALUE or the name of an environment variable")
        values[name] = value if mark else os.environ[name]
    return values


def find_endpoint(shell: Shell) -> str | None:
    """Return --endpoint-url, else the running local AWS's endpoint if the stage is local; None otherwise."""
    from local_aws import instance

    if shell.endpoint_url:
        return shell.endpoint_url
    running = instance.find() if shell.stage.is_local else None
    return running.endpoint if running else None


def create_settings(stage: Stage, values: Mapping[str, str], endpoint: str | None) -> FunctionSettings:
    """Return the settings of the function for the local runtime.

    In the local stage it reaches the local AWS and what the stage's `reach` names. In others it needs AWS: everything.
    """
    from local_aws import network
    from local_aws.sandbox import FunctionSettings

    services = network.parse(network.read_reach(stage.reach if stage.is_local else network.EVERYTHING))
    if services is not None and endpoint:
        services = (network.of_url(endpoint), *services)

    function = stage.function
    region = {"AWS_REGION": stage.region, "AWS_DEFAULT_REGION": stage.region}
    return FunctionSettings(
        name=function.name,
        arn=f"arn:aws:lambda:{stage.region}:{stage.account or '0' * 12}:function:{function.name}",
        timeout_s=function.timeout_s,
        memory_mb=function.memory_mb,
        tmp_mb=function.ephemeral_mb,
        environment={**region, **values},
        services=services,
    )


@contextmanager
def translate_local_errors() -> Iterator[None]:
    """Translate the errors of local_aws to OperationFailed."""
    from local_aws.exceptions import LocalAwsError

    try:
        yield
    except LocalAwsError as problem:
        raise OperationFailed(str(problem)) from problem
