"""`make verify`: the commit that an image names is built again and compared, on the local stage's registry."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local_aws.instance import Instance
from oci.app import app_contents
from oci.config import labels
from oci.layer import write_layer
from oci.layout import write_layout
from scripts import verify
from tests.e2e.conftest import Clients
from tests.e2e.registry import push

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "plexus/score-processor-lambda"


def run(*words: str) -> Result:
    """The command with these words."""
    return CliRunner().invoke(verify.main, ["--stage", "local", *words])


def git(*words: str | Path) -> str:
    """What git prints."""
    return subprocess.run(["git", *map(str, words)], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A clone of this repository's commit and its image, whatever the work tree looks like."""
    clone = tmp_path_factory.mktemp("clone") / "source"
    git("clone", "--quiet", "--shared", ROOT, clone)
    git("-C", clone, "checkout", "--quiet", "--detach", git("-C", ROOT, "rev-parse", "HEAD"))
    done = subprocess.run(
        [sys.executable, clone / "nix/build.py", "--json"], check=True, capture_output=True, text=True
    )
    return clone, json.loads(done.stdout)


@pytest.fixture(scope="module")
def pushed(local_aws: Instance, aws: Clients, login: tuple[str, str], built: tuple[Path, dict[str, Any]]) -> str:
    """The digest of the sound image in the stage's repository."""
    try:
        aws("ecr").create_repository(repositoryName=REPOSITORY)
    except aws("ecr").exceptions.RepositoryAlreadyExistsException:
        pass
    push(built[0] / "build/image", local_aws.registry, REPOSITORY, "sound", login).raise_for_status()
    return str(built[1]["digest"])


def tampered(built: tuple[Path, dict[str, Any]], work: Path, revision: str) -> Path:
    """An image that names a commit and holds a handler of somebody else's."""
    clone, record = built
    app = work / "changed"
    git("clone", "--quiet", "--shared", clone, app)
    (app / "handler/app.py").write_bytes((app / "handler/app.py").read_bytes() + b"# one line more\n")
    (app / "handler/backoff.py").unlink()
    folders = []
    for layer in record["layers"][:-1]:
        folder = work / layer["name"]
        folder.mkdir()
        (folder / "blob").hardlink_to(clone / "build/image/blobs/sha256" / layer["digest"][7:])
        (folder / "layer.json").write_text(json.dumps(layer))
        folders.append(folder)
    write_layer("handler", app_contents([app / "handler"], None), work / "handler")
    image_labels = dict(config(clone)["config"]["Labels"])
    write_layout(work / "layout", [*folders, work / "handler"], {**image_labels, **labels(revision, None, None)})
    return work / "layout"


def config(clone: Path) -> dict[str, Any]:
    """The config of a clone's image."""
    digest = json.loads((clone / "build/image.json").read_text())["config_digest"]
    value: dict[str, Any] = json.loads((clone / "build/image/blobs/sha256" / digest[7:]).read_bytes())
    return value


def test_what_a_commit_builds_is_verified(pushed: str) -> None:
    """The image is built again from its commit, with an empty cache of layers, to the same digest."""
    done = run("--json", pushed)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["digest"], told["equal"], told["differences"]) == (pushed, True, [])
    assert told["rebuilt"] == pushed


def test_a_tampered_image_is_told_by_layer_file_and_kind(
    pushed: str, local_aws: Instance, login: tuple[str, str], built: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """An image that its commit does not build ends in 1, and each file in it that differs is named."""
    layout = tampered(built, tmp_path, str(built[1]["revision"]))
    answer = push(layout, local_aws.registry, REPOSITORY, "tampered", login)
    done = run("--cached", "--json", answer.headers["Docker-Content-Digest"])
    assert done.exit_code == 1, done.output
    found = {(one["layer"], one["path"], one["kind"]) for one in json.loads(done.stdout)["differences"]}
    layer = "handler"
    assert found >= {(layer, "var/task/handler/app.py", "content"), (layer, "var/task/handler/backoff.py", "missing")}
    assert {name for name, _, _ in found} == {layer}


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("-dirty", "from files that no commit holds"),
        ("unknown", "the image names no commit"),
        ("0" * 40, "this clone does not hold the commit"),
    ],
)
def test_an_image_that_cannot_be_verified_says_why(
    revision: str,
    sentence: str,
    pushed: str,
    local_aws: Instance,
    login: tuple[str, str],
    built: tuple[Path, dict[str, Any]],
    tmp_path: Path,
) -> None:
    """A dirty, an unknown and a foreign revision end in one sentence, before anything is built."""
    named = f"{built[1]['revision']}-dirty" if revision == "-dirty" else revision
    answer = push(tampered(built, tmp_path, named), local_aws.registry, REPOSITORY, f"try-{named[:12]}", login)
    done = run(answer.headers["Docker-Content-Digest"])
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_nothing_deployed_is_told(pushed: str) -> None:
    """Without a digest the alias decides; with no alias there is nothing to verify."""
    done = run()
    assert done.exit_code == 1
    assert "nothing is deployed" in done.stderr or "there is no function" in done.stderr
