"""Other tools on our layout, and the linter on theirs."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nix.oci.lint import Image, Level, lint, read_archive, read_layout
from nix.oci.lint.scan import LayerEntry
from nix.oci.lint.tree import FileTree
from tests.unit.oci import on_disk
from tests.unit.oci.drafts import Draft

START = (
    "--config.entrypoint",
    "/usr/bin/python3.11",
    "--config.entrypoint",
    "-m",
    "--config.entrypoint",
    "awslambdaric",
)


def need(tool: str) -> pytest.MarkDecorator:
    """Skip a test where a tool is not installed."""
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed here (apt-get install {tool})")


def run(*words: str | Path, **environment: str) -> str:
    """Run a tool and return its output; its own message if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


def troubles(image: Image) -> set[str]:
    """Return the broken rules that are not advisory."""
    return {problem.rule for problem in lint(image) if problem.level != Level.ADVISORY}


@need("skopeo")
def test_skopeo_reads_the_layout(image: dict[str, Any], layout: Path) -> None:
    """`skopeo inspect` reports our digest, platform and layers."""
    inspected = json.loads(run("skopeo", "inspect", f"oci:{layout}"))
    assert inspected["Digest"] == image["digest"]
    assert (inspected["Os"], inspected["Architecture"]) == ("linux", "amd64")
    assert inspected["Layers"] == [layer["digest"] for layer in image["layers"]]


@need("skopeo")
def test_skopeo_copies_without_a_change(image: dict[str, Any], layout: Path, tmp_path: Path) -> None:
    """`skopeo copy --preserve-digests` accepts the layout, and the copy passes the linter."""
    run("skopeo", "copy", "-q", "--preserve-digests", f"oci:{layout}", f"oci:{tmp_path / 'copy'}:latest")
    (named,) = json.loads((tmp_path / "copy" / "index.json").read_bytes())["manifests"]
    assert named["digest"] == image["digest"]
    assert lint(read_layout(tmp_path / "copy")) == []


@need("umoci")
def test_umoci_unpacks_what_lint_sees(layout: Path, tmp_path: Path) -> None:
    """`umoci unpack` creates exactly the files, links, modes and sizes in the scans."""
    run("umoci", "unpack", "--rootless", "--image", f"{layout}:latest", tmp_path / "bundle")
    rootfs = tmp_path / "bundle" / "rootfs"
    tree = FileTree(scan for scan in read_layout(layout).scans if scan is not None)
    current = {item.path: facts(item) for item in tree}
    assert {path.relative_to(rootfs).as_posix(): on_disk_facts(path) for path in rootfs.rglob("*")} == current


def facts(item: LayerEntry) -> tuple[str, int, int | str]:
    """Kind, mode, and size or target, as the scan has them."""
    if item.kind == "link":
        return item.kind, 0, item.target
    return item.kind, item.mode & 0o7777, item.size


def on_disk_facts(path: Path) -> tuple[str, int, int | str]:
    """Return the same of a path on disk."""
    if path.is_symlink():
        return "link", 0, str(path.readlink())
    status = path.stat()
    return (
        ("folder", status.st_mode & 0o7777, 0) if path.is_dir() else ("file", status.st_mode & 0o7777, status.st_size)
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small image's files."""
    return on_disk.write_layers(Draft().layers, tmp_path / "root")


@need("umoci")
def test_lint_accepts_what_umoci_made(root: Path, tmp_path: Path) -> None:
    """An image that umoci built breaks advisory rules at most."""
    layout = tmp_path / "layout"
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:latest")
    for folder in ("lib64", "tmp", "usr", "var"):
        run("umoci", "insert", "--rootless", "--image", f"{layout}:latest", root / folder, f"/{folder}")
    image = f"{layout}:latest"
    run("umoci", "config", "--image", image, *START, "--config.cmd", "handler.app.lambda_handler")
    run(
        "umoci",
        "config",
        "--image",
        image,
        "--config.workingdir",
        "/var/task",
        "--architecture",
        "amd64",
        "--os",
        "linux",
    )
    run("umoci", "gc", "--layout", layout)
    assert troubles(read_layout(layout)) == set()


Build = Callable[..., str]


@pytest.fixture
def buildah(tmp_path: Path) -> Iterator[Build]:
    """Run buildah on a store of its own, without a daemon."""
    store = ("--storage-driver", "vfs", "--root", tmp_path / "store", "--runroot", tmp_path / "run")

    def call(*words: str | Path) -> str:
        return run("buildah", *store, *words)

    try:
        call("from", "--name", "made", "scratch")
    except AssertionError as problem:
        pytest.skip(f"buildah makes no container here: {problem}")
    yield call
    call("rm", "made")


@need("buildah")
@pytest.mark.parametrize("form", ["oci", "docker"])
def test_lint_accepts_what_buildah_made(form: str, root: Path, buildah: Build, tmp_path: Path) -> None:
    """An image that buildah built, in either format, as a layout or an archive, breaks advisory rules at most."""
    buildah("copy", "made", root, "/")
    entry = json.dumps(["/usr/bin/python3.11", "-m", "awslambdaric"])
    buildah("config", "--entrypoint", entry, "--cmd", "handler.app.lambda_handler", "--workingdir", "/var/task", "made")
    buildah("commit", "-q", "--format", form, "made", f"oci:{tmp_path / 'layout'}:latest")
    buildah("commit", "-q", "--format", form, "made", f"docker-archive:{tmp_path / 'saved.tar'}:made:latest")
    assert troubles(read_layout(tmp_path / "layout")) == set()
    assert troubles(read_archive(tmp_path / "saved.tar")) == set()


@need("skopeo")
@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_lint_reads_archives(kind: str, tmp_path: Path) -> None:
    """Archives that skopeo wrote are read in place, and a fault in one is found."""
    sound, broken = Draft(), Draft()
    broken.settings["Cmd"] = ["handler.main.lambda_handler"]
    for name, draft in (("sound", sound), ("broken", broken)):
        layout = draft.write(tmp_path / name)
        run("skopeo", "copy", "-q", f"oci:{layout}", f"{kind}:{tmp_path / name}.tar:made:latest")
    assert troubles(read_archive(tmp_path / "sound.tar")) == set()
    assert troubles(read_archive(tmp_path / "broken.tar")) == {"handler"}
