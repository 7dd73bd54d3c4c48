"""ECR's data plane: Debian's docker-registry behind a socket in the instance's folder, and our gate in front of it."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from local_aws import records
from local_aws.engine import TIE
from local_aws.extension.registry_gate import Gate
from local_aws.tools import tools

FOLDER = Path(os.environ.get("LOCAL_AWS_INSTANCE", ".")) / "registry"
HOST = f"127.0.0.1:{os.environ.get('LOCAL_AWS_REGISTRY_PORT', '0')}"
SOCKET = "registry.sock"
START_LIMIT_S = 15.0

_process: subprocess.Popen | None = None
_gate: Gate | None = None


def start() -> None:
    """Start an empty registry: repositories live in moto's memory, so nothing may outlive this process.

    The registry comes up while LocalStack does; the gate holds requests until it answers.
    """
    global _process, _gate
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "config.yml").write_text(json.dumps(configuration()))  # JSON is YAML
    command = [*tools().command("docker-registry"), "serve", "config.yml"]
    with (FOLDER.parent / "registry.log").open("wb") as log:
        _process = subprocess.Popen(
            ["/bin/sh", "-c", TIE, "sh", *command],
            cwd=FOLDER,  # a socket's path must be short, ours need not be: both sides name it from its folder
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "OTEL_TRACES_EXPORTER": "none"},
        )
    records.record(FOLDER.parent / "run", "registry", _process.pid)  # what a killed LocalStack would leave
    _gate = Gate(HOST, FOLDER, SOCKET)


def configuration() -> dict:
    """The registry's own settings."""
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "http": {"net": "unix", "addr": SOCKET, "secret": "local", "relativeurls": True},
        "storage": {
            "filesystem": {"rootdirectory": str(FOLDER)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
    }


def wait_ready() -> None:
    """Return once the registry answers; RuntimeError when it does not come up."""
    end = time.monotonic() + START_LIMIT_S
    while not (FOLDER / SOCKET).exists():
        if _process is None or _process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"docker-registry did not start; see {FOLDER.parent / 'registry.log'}")
        time.sleep(0.01)


def stop() -> None:
    """End the registry and the gate."""
    if _gate:
        _gate.close()
    if _process and _process.stdin:
        _process.stdin.close()  # the shell beside it reads the end of the pipe and kills the group
        _process.wait(10)


def password() -> str:
    """The password of the user AWS."""
    assert _gate is not None  # started by the hook before any service
    return _gate.password
