"""ECR's data plane: Debian's docker-registry on a socket in the instance's folder, behind our proxy."""

import json
import os
import shutil
import subprocess
import time

from local_aws import pidfiles
from local_aws.engine import TIE
from local_aws.extension.registry_proxy import Proxy
from local_aws.extension.registry_storage import FOLDER
from local_aws.sysroot import find_sysroot

HOST = f"127.0.0.1:{os.environ.get('LOCAL_AWS_REGISTRY_PORT', '0')}"
SOCKET = "registry.sock"
START_LIMIT_S = 120.0

_process: subprocess.Popen | None = None
_proxy: Proxy | None = None


def start() -> None:
    """Start an empty registry. Repositories live in moto's memory, so the registry must not outlive this process.

    The registry starts in parallel with LocalStack; the proxy holds requests until it is ready.
    """
    global _process, _proxy
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "config.yml").write_text(json.dumps(create_configuration()))  # JSON is YAML
    command = [*find_sysroot().command("docker-registry"), "serve", "config.yml"]
    with (FOLDER.parent / "registry.log").open("wb") as log:
        _process = subprocess.Popen(
            ["/bin/sh", "-c", TIE, "sh", *command],
            cwd=FOLDER,  # Socket paths must be short and ours may not be, so both sides use a relative one.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "OTEL_TRACES_EXPORTER": "none"},
        )
    pidfiles.record(FOLDER.parent / "run", "registry", _process.pid)  # so that it is found if LocalStack is killed
    _proxy = Proxy(HOST, SOCKET, wait_ready)


def create_configuration() -> dict:
    """Return the registry's configuration."""
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
    """Block until the registry is ready. Raise RuntimeError if it does not start."""
    end = time.monotonic() + START_LIMIT_S
    while not (FOLDER / SOCKET).exists():
        if _process is None or _process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"docker-registry did not start; see {FOLDER.parent / 'registry.log'}")
        time.sleep(0.01)


def stop() -> None:
    """Stop the registry and the proxy."""
    if _proxy:
        _proxy.close()
    if _process and _process.stdin:
        _process.stdin.close()  # the shell beside it sees end of file and kills the process group
        _process.wait(10)


def read_password() -> str:
    """Return the password of the user AWS."""
    assert _proxy is not None  # the start hook runs before any service
    return _proxy.password
