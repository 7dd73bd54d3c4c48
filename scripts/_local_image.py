"""What `run` and `shell` share: the image as a folder, the stage's settings and variables, the engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._command import Shell
from ._errors import NotFound, OperationFailed
from ._image import LAYOUT
from ._stage import Stage
from .configure import environment

if TYPE_CHECKING:
    from local_aws.sandbox import FunctionSettings


def layout_folder(given: Path | None) -> Path:
    """The layout to run; NotFound when nothing was built."""
    layout = given or LAYOUT
    if not (layout / "index.json").is_file():
        what = f"{layout} holds no OCI image layout" if given else "no image has been built yet"
        raise NotFound(what, "make build")
    return layout


def variables(stage: Stage, given: Sequence[str], endpoint: str | None) -> dict[str, str]:
    """The function's variables: the stage's, the local AWS's address where it runs, and the given ones over them.

    One of `given` is NAME=VALUE, or NAME for this shell's own value.
    """
    found = environment(stage)
    if endpoint:
        found["AWS_ENDPOINT_URL"] = endpoint
    for text in given:
        name, mark, value = text.partition("=")
        if not name or (not mark and name not in os.environ):
            raise click.BadParameter(f"{text!r} is no NAME=VALUE, and this shell has no variable of that name")
        found[name] = value if mark else os.environ[name]
    return found


def endpoint_of(shell: Shell) -> str | None:
    """The address that was given, else that of the local AWS, where the stage is local and it runs."""
    from local_aws import instance

    if shell.endpoint_url:
        return shell.endpoint_url
    running = instance.find() if shell.stage.is_local else None
    return running.endpoint if running else None


def settings(stage: Stage, values: Mapping[str, str]) -> FunctionSettings:
    """The stage's settings of the function."""
    from local_aws.sandbox import FunctionSettings

    function = stage.function
    region = {"AWS_REGION": stage.region, "AWS_DEFAULT_REGION": stage.region}
    return FunctionSettings(
        name=function.name,
        arn=f"arn:aws:lambda:{stage.region}:{stage.account or '0' * 12}:function:{function.name}",
        timeout_s=function.timeout_s,
        memory_mb=function.memory_mb,
        tmp_mb=function.ephemeral_mb,
        environment={**region, **values},
    )


@contextmanager
def told() -> Iterator[None]:
    """Turn what the local AWS's own modules raise into OperationFailed."""
    from local_aws.exceptions import LocalAwsError

    try:
        yield
    except LocalAwsError as problem:
        raise OperationFailed(str(problem)) from problem
