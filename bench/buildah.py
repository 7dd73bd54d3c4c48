"""The same image by buildah, as it is usually written: root, `pip install -r` of the locked wheels, the code.

Storage driver vfs and chroot isolation: neither a daemon nor overlay mounts are asked for.
"""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from bench.measure import Run, measure_command, pushed_bytes

TAG = "localhost/bench"
RECIPE = """FROM scratch
COPY root/ /
RUN --mount=type=bind,source=offline,target=/offline \
 ["/usr/bin/python3.11", "/offline/pip", "install", "--quiet", "--no-cache-dir", "--no-index", "--no-deps", \
 "--root-user-action=ignore", "--break-system-packages", \
 "--find-links=/offline", "--require-hashes", "--requirement=/offline/requirements.txt"]
COPY plexus/ /var/task/plexus/
COPY handler/ /var/task/handler/
WORKDIR /var/task
ENTRYPOINT ["/usr/bin/python3.11", "-m", "awslambdaric"]
CMD ["handler.app.lambda_handler"]
"""


class Buildah:
    """buildah with its storage and build context below `work`; `root` is the checkout with plexus and handler."""

    def __init__(self, work: Path, root: Path) -> None:
        from nix import inputs

        self._home = work / "buildah"
        self.context = self._home / "context"
        self.layout = self._home / "layout"
        self.context.mkdir(parents=True)
        self._line = ("buildah", "--root", self._home / "store", "--runroot", self._home / "run")
        self._driver = ("--storage-driver", "vfs")
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self._home)}
        shutil.copytree(inputs.find_root("image"), self.context / "root", symlinks=True)
        for name in ("plexus", "handler"):
            shutil.copytree(root / name, self.context / name, ignore=shutil.ignore_patterns("__pycache__"))
        offline(self.context / "offline")
        (self.context / "Containerfile").write_text(RECIPE)

    def run(self, *words: str | Path) -> Run:
        """Run one of buildah's commands."""
        return measure_command(*self._line, *self._driver, *words, environment=self._environment)

    def build(self, *options: str) -> Run:
        """Build with buildah's cache of layers, and write the layout."""
        built = self.run("bud", "--layers", "--timestamp", "1", *options, "--tag", TAG, self.context)
        shutil.rmtree(self.layout, ignore_errors=True)
        return built + self.run("push", "--quiet", TAG, f"oci:{self.layout}:latest")

    def push(self, registry: str, login: str) -> Run:
        """Push to the registry."""
        target = f"docker://{registry}/bench/buildah:latest"
        return self.run("push", "--quiet", "--tls-verify=false", f"--creds={login}", TAG, target)

    def blobs(self) -> dict[str, int]:
        """Return the size in bytes of each blob of the image, by digest."""
        return pushed_bytes(self.layout)

    def size(self) -> int:
        """Return the size of all blobs in bytes."""
        return sum(self.blobs().values())

    def twice(self) -> str:
        """Build again without the cache of layers, and return a sentence on whether the digest is the same."""
        before = self._digest()
        self.build("--no-cache")
        same = "the same digest" if self._digest() == before else "another digest"
        return f"buildah, the same build again without its cache (--timestamp 1): {same}"

    def close(self) -> None:
        """Remove containers and images, whose files only buildah may delete."""
        subprocess.run([*map(str, self._line), *self._driver, "rm", "--all"], capture_output=True, check=False)
        subprocess.run([*map(str, self._line), *self._driver, "rmi", "--all"], capture_output=True, check=False)

    def _digest(self) -> str:
        return str(json.loads((self.layout / "index.json").read_bytes())["manifests"][0]["digest"])


def offline(folder: Path) -> None:
    """Fill the new folder with the locked wheels under names that pip accepts, their requirements, and pip itself."""
    from nix import pins
    from nix.cache import input_cache
    from nix.clients.package_clients import find_pip

    folder.mkdir()
    for wheel in pins.read_wheel_lock():
        os.link(
            input_cache.locate_input(wheel),
            folder / proper_name(input_cache.locate_input(wheel), wheel.name, wheel.version),
        )
    shutil.copyfile(pins.LOCKS / "image-wheels.lock", folder / "requirements.txt")
    *python, _, _ = find_pip()
    output = measure_command(*python, "-c", "import pip; print(*pip.__path__)").output.strip()
    shutil.copytree(output, folder / "pip")


def proper_name(path: Path, name: str, version: str) -> str:
    """Return the file name of a wheel, with the tags in its WHEEL file."""
    with zipfile.ZipFile(path) as archive:
        member = next(one for one in archive.namelist() if one.endswith(".dist-info/WHEEL"))
        lines = archive.read(member).decode().splitlines()
    tags = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    tag = next(tag for tag in tags if not tag.startswith("py2-"))
    return f"{name.replace('-', '_')}-{version}-{tag}.whl"
