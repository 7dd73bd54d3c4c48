"""The image's build and push beside buildah and skopeo: the same packages, one run on one machine, as ratios.

python bench/image.py      (after make venv; buildah and skopeo from Debian: what is absent is reported and left out)

Every build starts from cached inputs, without a network, and ends with an OCI layout. Ours unpacks the root and lints
the image. buildah gets the root unpacked, installs the same locked wheels with pip, and copies plexus and handler
(bench/buildah.py). An edit is one more line in handler/app.py. Pushes go to the registry of a local AWS of its own.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.buildah import Buildah
from bench.measure import HEAD, Row, Run, command, line, measure_command, pushed_bytes

if TYPE_CHECKING:
    from local_aws.instance import Instance

ROOT = Path(__file__).resolve().parents[1]
NAME = "bench-image"
REPOSITORY = "plexus/score-processor-lambda"


class Ours:
    """Our build, in a clone of HEAD with a cache that holds the inputs only."""

    def __init__(self, work: Path) -> None:
        from nix.cache.folder import create_cache_dir

        self.source = work / "source"
        command("git", "clone", "--quiet", "--shared", ROOT, self.source)
        cache = work / "cache"
        cache.mkdir()
        for name in ("inputs", "verified"):
            (cache / name).symlink_to(create_cache_dir() / name)
        self.environment = {**os.environ, "SCORE_PROCESSOR_CACHE": str(cache)}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.layout = self.source / "build" / "image"

    def build(self) -> Run:
        """Build the work tree as it is."""
        return measure_command(sys.executable, "-m", "nix.build", environment=self.environment, folder=self.source)

    def push(self) -> tuple[Run, int]:
        """Push to the stage's repository; return the run and the number of bytes sent."""
        local = {name: os.environ[name] for name in ("LOCAL_AWS_HOME", "LOCAL_AWS_NAME")}
        words = (sys.executable, "-m", "scripts", "push", "--json")
        run = measure_command(*words, environment={**self.environment, **local}, folder=self.source)
        return run, int(json.loads(run.output)["sent_bytes"])


def edit(source: Path) -> None:
    """Append a line to the handler's source."""
    with (source / "handler/app.py").open("a") as file:
        file.write("# one line more\n")


@contextmanager
def registry(work: Path) -> Iterator[tuple[Instance, str]]:
    """Run a local AWS with three repositories; yield it and the registry's login, USER:PASSWORD."""
    import boto3

    from local_aws import control

    os.environ.update({"LOCAL_AWS_HOME": str(work / "aws"), "LOCAL_AWS_NAME": NAME})
    running = control.start(NAME)
    try:
        session = boto3.session.Session("test", "test", region_name="us-west-2")
        client = session.client("ecr", endpoint_url=running.endpoint)
        for name in (REPOSITORY, "bench/skopeo", "bench/buildah"):
            client.create_repository(repositoryName=name)
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        yield running, base64.b64decode(token).decode()
    finally:
        control.stop(NAME)


def builds(ours: Ours, buildah: Buildah | None) -> Iterator[Row]:
    """Yield the builds without a cached layer, and of unchanged sources."""
    for what in ("build, nothing cached but inputs", "build again, nothing changed"):
        yield Row(what, ours.build(), buildah.build() if buildah else None)


def pushes(ours: Ours, buildah: Buildah | None, running: Instance, login: str) -> Iterator[Row]:
    """Yield the push of the whole image, then the build and push of an edit: ours, buildah's, and ours by skopeo."""
    skopeo = shutil.which("skopeo") is not None
    copy = ("skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", f"--dest-creds={login}")
    target = f"docker://{running.registry}/bench/skopeo:latest"
    whole, sent = ours.push()
    peer = buildah.push(running.registry, login) if buildah else None
    by_skopeo = measure_command(*copy, f"oci:{ours.layout}", target) if skopeo else None
    yield Row("push of the whole image", whole, peer, by_skopeo, sent=(sent, buildah.size() if buildah else None))
    peers_before = buildah.blobs() if buildah else {}
    edit(ours.source)
    if buildah:
        edit(buildah.context)
    yield Row("build after an edit of the handler", ours.build(), buildah.build() if buildah else None)
    edited, sent = ours.push()
    peer = buildah.push(running.registry, login) if buildah else None
    by_skopeo = measure_command(*copy, f"oci:{ours.layout}", target) if skopeo else None
    blobs = buildah.blobs() if buildah else {}
    more = sum(size for blob, size in blobs.items() if blob not in peers_before) if buildah else None
    yield Row("push of the edit", edited, peer, by_skopeo, sent=(sent, more))


def main() -> None:
    """Build and push with each tool, and print the table; tools that are absent are skipped."""
    for tool in ("buildah", "skopeo"):
        if shutil.which(tool) is None:
            print(f"SKIP {tool}: not installed (Debian: apt-get install {tool})")
    with tempfile.TemporaryDirectory(prefix="score-processor-bench-") as folder:
        work = Path(folder)
        ours = Ours(work)
        buildah = Buildah(work, ROOT) if shutil.which("buildah") else None
        try:
            print(HEAD)
            for row in builds(ours, buildah):
                print(line(row), flush=True)
            size = sum(pushed_bytes(ours.layout).values())
            with registry(work) as (running, login):
                for row in pushes(ours, buildah, running, login):
                    print(line(row), flush=True)
            peers = f", buildah's {buildah.size() / 1e6:.1f} MB" if buildah else ""
            print(f"\nthe image: {size / 1e6:.1f} MB{peers}")
            if buildah:
                print(buildah.twice())
        finally:
            if buildah:
                buildah.close()


if __name__ == "__main__":
    main()
