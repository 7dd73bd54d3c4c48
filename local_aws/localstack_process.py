"""Start LocalStack's process: its command line, environment and plugin folder."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_aws.paths import REPOSITORY
from local_aws.sysroot import PYTHON, Sysroot


@dataclass(frozen=True)
class Settings:
    """Settings of one instance's LocalStack process."""

    folder: Path
    key: str
    port: int
    registry_port: int
    engine: str
    sysroot: Sysroot
    site: Path
    reach: str = ""


def command(settings: Settings) -> list[str]:
    """Return the command that runs LocalStack with the sysroot's Python."""
    return [*settings.sysroot.command(f"python{PYTHON}"), "-m", "localstack.runtime.main"]


def create_environment(settings: Settings) -> dict[str, str]:
    """Return LocalStack's complete environment. The caller's AWS settings and proxies must not reach it."""
    folder, address = settings.folder, f"127.0.0.1:{settings.port}"
    names = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SCORE_PROCESSOR_CACHE", "XDG_CACHE_HOME")
    passed = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **passed,
        **create_python_environment(settings),
        "SCORE_PROCESSOR_CACHE": passed.get("SCORE_PROCESSOR_CACHE") or _shared_cache(),
        "LOCAL_AWS_INSTANCE": str(folder),
        "LOCAL_AWS_KEY": settings.key,
        "LOCAL_AWS_ROOT": str(settings.sysroot.root),
        "LOCAL_AWS_REGISTRY_PORT": str(settings.registry_port),
        "LOCAL_AWS_ENGINE": settings.engine,
        "LOCAL_AWS_REACH": settings.reach,
        "GATEWAY_SERVER": "loopback",
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "SQS_ENDPOINT_STRATEGY": "path",
        "FILESYSTEM_ROOT": str(folder / "vol"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "OVERRIDE_IN_DOCKER": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "LS_LOG": os.environ.get("LOCAL_AWS_LOG", "warning"),
        "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "120",  # the init phase has a limit of its own
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.001",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.2",
    }


def create_python_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that Python reads."""
    return {
        "PYTHONHOME": str(settings.sysroot.root / "usr"),
        "PYTHONPATH": f"{settings.folder / 'plugins'}:{settings.site}",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def prepare(settings: Settings) -> None:
    """Create the instance's folders, emptied of an earlier run, and the plugin folder that exposes our packages."""
    for name in ("vol", "tmp", "run", "s3", "registry", "plugins"):
        shutil.rmtree(settings.folder / name, ignore_errors=True)
    for name in ("vol", "tmp", "run", "s3", "cache"):
        (settings.folder / name).mkdir(parents=True, exist_ok=True)
    plugins = settings.folder / "plugins"
    metadata = plugins / "local_aws-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: local-aws\nVersion: 1\n")
    shutil.copyfile(REPOSITORY / "local_aws/extension/entry_points.txt", metadata / "entry_points.txt")
    for package in ("local_aws", "nix"):
        (plugins / package).symlink_to(REPOSITORY / package)


def spawn(settings: Settings) -> subprocess.Popen[bytes]:
    """Start LocalStack in its own session, logging to the instance's log."""
    with (settings.folder / "log").open("wb") as log:
        return subprocess.Popen(
            command(settings),
            cwd=settings.folder,
            env=create_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _shared_cache() -> str:
    from nix.cache.folder import create_cache_dir

    return str(create_cache_dir())
