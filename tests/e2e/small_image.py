"""The test image: the built image's own Python, the runtime client, boto3 and a function that does what tests ask."""

import tempfile
import zipfile
from functools import cache
from pathlib import Path

from tests.layouts import Layer, write_layout

RUN = {
    "Entrypoint": ["/usr/bin/python3.11", "-m", "awslambdaric"],
    "Cmd": ["function.handler"],
    "WorkingDir": "/var/task",
    "Env": ["LAMBDA_TASK_ROOT=/var/task", "LANG=C.UTF-8", "PATH=/usr/bin"],
}
WHEELS = (
    "awslambdaric",
    "boto3",
    "botocore",
    "jmespath",
    "python_dateutil",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore",
    "urllib3",
)


def small_image(target: Path) -> Path:
    """Write its OCI layout."""
    code = (Path(__file__).with_name("function.py")).read_bytes()
    write_layout(target, [base_layer(), packages_layer(), Layer(files={"var/task/function.py": code})], RUN)
    return target


@cache
def base_layer() -> Layer:
    """Return the image's root, as the build unpacks it."""
    from nix import inputs

    root = Path(inputs.find_root("image"))
    links = {entry.name: str(entry.readlink()) for entry in root.iterdir() if entry.is_symlink()}
    return Layer(folders={"usr": root / "usr", "etc": root / "etc"}, links=links)


@cache
def packages_layer() -> Layer:
    """Return the runtime client and boto3."""
    with tempfile.TemporaryDirectory() as folder:
        unpack_wheels(Path(folder))
        Path(folder).chmod(0o755)  # a function's user has no part in root's folders
        layer = Layer(folders={"usr/lib/python3/dist-packages": Path(folder)})
        assert layer.packed  # while the folder is there
    return layer


def unpack_wheels(target: Path) -> None:
    """The pinned wheels that the runtime client and boto3 need."""
    from nix import inputs
    from nix.cache import input_cache

    for wheels in inputs.fetch_wheels().values():
        for wheel in wheels:
            if wheel.name.replace("-", "_").startswith(WHEELS):
                with zipfile.ZipFile(input_cache.locate_input(wheel)) as archive:
                    archive.extractall(target)
