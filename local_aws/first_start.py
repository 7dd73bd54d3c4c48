"""Start an image as Lambda would, until its runtime asks for an invocation, and stop it: the end of all guessing."""

import json
import os
import secrets
import shutil
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from local_aws import cgroups, engine_choice
from local_aws.engine import Engine
from local_aws.exceptions import EngineUnavailable, InvalidImage
from local_aws.image import Image, from_layout, read_configuration, unpack
from local_aws.platform_log import parse_failure
from local_aws.run_image import create_lambda_environment
from local_aws.runtime_api import Event
from local_aws.sandbox import FunctionSettings, Sandbox

LIMIT_S = 120.0  # twelve times Lambda's own limit: a busy machine must not make a sound image fail


@dataclass(frozen=True)
class FirstStart:
    """How a start ended: `ready`, `init-error`, `exit` or `timeout`; if not ready, with Lambda's error type and text.

    `log` are the lines that the image printed.
    """

    outcome: str
    error_type: str = ""
    text: str = ""
    log: tuple[str, ...] = ()


def choose_isolating_engine() -> Engine:
    """Return an engine that keeps a stranger's code from this machine; raises EngineUnavailable without one."""
    engine = engine_choice.choose()
    if not (engine.guarantees.own_network and engine.guarantees.own_pids and engine.guarantees.read_only_root):
        raise EngineUnavailable(f"an image is started in isolation only: {engine.guarantees.reason}")
    return engine


def watch_first_start(image: Image, engine: Engine, limit_s: float = LIMIT_S) -> FirstStart:
    """Start an image without network and credentials, and stop it at its first sign. Raises StartFailed.

    The result is the first of: ready, an init error, the end of the process, `limit_s` seconds. The log has all that
    it printed.
    """
    lines: list[str] = []
    settings = FunctionSettings(memory_mb=2048)
    settings = replace(settings, environment=create_lambda_environment(settings))
    name = f"{cgroups.OF}{os.getpid()}-{secrets.token_hex(8)}"
    sandbox = Sandbox(image, settings, engine, lines.append, name)
    try:
        result = interpret_event(sandbox, sandbox.api.wait(limit_s))
    finally:
        sandbox.stop()  # delivers the rest of what the image printed
    return replace(result, log=tuple(lines))


def interpret_event(sandbox: Sandbox, event: Event | None) -> FirstStart:
    """Return what a sandbox's first event means; None: there was none in time."""
    if event is None:
        return FirstStart("timeout")
    if event.kind == "ready":
        return FirstStart("ready")
    if event.kind == "init-error":
        failure = parse_failure(event.body)
        return FirstStart("init-error", failure.error_type, failure.text)
    failure = sandbox.exit_failure()
    return FirstStart("exit", failure.error_type, failure.text)


def open_image(path: Path, work: Path) -> Image:
    """Unpack a layout, or an OCI or Docker archive by way of the folder `work`. Raises InvalidImage.

    Nothing is written outside of `work`, whatever names the archive contains.
    """
    if path.is_dir():
        return from_layout(path)
    try:
        with tarfile.open(path) as archive:
            names = extract_files(archive, work)
        if (work / "index.json").is_file():
            return from_layout(work)
        (saved,) = json.loads((work / "manifest.json").read_bytes())
        if missing := {saved["Config"], *saved["Layers"]} - names:
            raise InvalidImage(f"{path}: the archive has no file {min(missing)}")
        config: dict[str, Any] = json.loads((work / saved["Config"]).read_bytes())
        blobs = [work / name for name in saved["Layers"]]
        return unpack(read_configuration(str(path), config.get("config") or {}), blobs, config["rootfs"]["diff_ids"])
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise InvalidImage(f"{path}: not an archive of one image: {problem}") from problem


def extract_files(archive: tarfile.TarFile, folder: Path) -> set[str]:
    """Write the files of an archive below a folder, links as copies; return their names. ValueError for one outside.

    `TarFile.extractall` has a safe mode only since Python 3.11.4.
    """
    names = set()
    for member in archive.getmembers():
        if content := archive.extractfile(member):
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts:
                raise ValueError(f"a file outside of the archive: {member.name}")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(content, file)
            names.add(str(name))
    return names
