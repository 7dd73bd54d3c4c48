"""`verify` rebuilds an image's commit and compares the images."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local_aws.instance import Instance
from nix import sbom
from nix.oci.app import collect_app
from nix.oci.config import create_labels
from nix.oci.digest import sha256
from nix.oci.layer import write_layer
from nix.oci.layout import write_layout
from nix.oci.media_types import MANIFEST
from scripts import attest, verify
from scripts.aws import attestations, repository
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from tests.e2e.conftest import Clients
from tests.e2e.registry import push

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "plexus/score-processor-lambda"


def run(*words: str) -> Result:
    """Run the command with these words."""
    return CliRunner().invoke(verify.main, ["--stage", "local", *words])


def git(*words: str | Path) -> str:
    """Run git; return its output."""
    return subprocess.run(["git", *map(str, words)], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return a clone of this repository at its commit, with its image."""
    clone = tmp_path_factory.mktemp("clone") / "source"
    git("clone", "--quiet", "--shared", ROOT, clone)
    git("-C", clone, "checkout", "--quiet", "--detach", git("-C", ROOT, "rev-parse", "HEAD"))
    done = subprocess.run(
        [sys.executable, "-m", "nix.build", "--json"], cwd=clone, check=True, capture_output=True, text=True
    )
    return clone, json.loads(done.stdout)


@pytest.fixture(scope="module")
def pushed(local_aws: Instance, aws: Clients, login: tuple[str, str], built: tuple[Path, dict[str, Any]]) -> str:
    """Push the clone's image; return its digest."""
    try:
        aws("ecr").create_repository(repositoryName=REPOSITORY)
    except aws("ecr").exceptions.RepositoryAlreadyExistsException:
        pass
    push(built[0] / "build/image", local_aws.registry, REPOSITORY, "sound", login).raise_for_status()
    return str(built[1]["digest"])


def tamper(built: tuple[Path, dict[str, Any]], work: Path, revision: str) -> Path:
    """Return an image with a commit's label and another handler."""
    clone, record = built
    app = work / "changed"
    git("clone", "--quiet", "--shared", clone, app)
    (app / "handler/app.py").write_bytes((app / "handler/app.py").read_bytes() + b"# one line more\n")
    (app / "handler/clock.py").unlink()
    folders = []
    for layer in record["layers"][:-1]:
        folder = work / layer["name"]
        folder.mkdir()
        (folder / "blob").hardlink_to(clone / "build/image/blobs/sha256" / layer["digest"][7:])
        (folder / "layer.json").write_text(json.dumps(layer))
        folders.append(folder)
    write_layer("handler", collect_app([app / "handler"], None), work / "handler")
    image_labels = dict(config(clone)["config"]["Labels"])
    write_layout(work / "layout", [*folders, work / "handler"], {**image_labels, **create_labels(revision, None, None)})
    return work / "layout"


def config(clone: Path) -> dict[str, Any]:
    """Return the config of a clone's image."""
    digest = json.loads((clone / "build/image.json").read_text())["config_digest"]
    value: dict[str, Any] = json.loads((clone / "build/image/blobs/sha256" / digest[7:]).read_bytes())
    return value


def test_what_a_commit_builds_is_verified(pushed: str) -> None:
    """A rebuild without cached layers gives the same digest."""
    done = run("--json", pushed)
    assert done.exit_code == 0, done.output
    message = json.loads(done.stdout)
    assert (message["digest"], message["equal"], message["differences"]) == (pushed, True, [])
    assert message["rebuilt"] == pushed


def test_a_tampered_image_is_told_by_layer_file_and_kind(
    pushed: str, local_aws: Instance, login: tuple[str, str], built: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A tampered image exits with 3 and lists each differing file with its layer."""
    layout = tamper(built, tmp_path, str(built[1]["revision"]))
    answer = push(layout, local_aws.registry, REPOSITORY, "tampered", login)
    done = run("--cached", "--json", answer.headers["Docker-Content-Digest"])
    assert done.exit_code == 3, done.output
    document = {(one["layer"], one["path"], one["kind"]) for one in json.loads(done.stdout)["differences"]}
    layer = "handler"
    assert document >= {(layer, "var/task/handler/app.py", "content"), (layer, "var/task/handler/clock.py", "missing")}
    assert {name for name, _, _ in document} == {layer}


def builder_key(folder: Path, name: str) -> Path:
    """Make a builder's key pair, the public half in `folder`/keys; return the path of the private one."""
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "keys").mkdir(exist_ok=True)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "keys" / f"{name}.pem").write_bytes(public)
    (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / name


def test_builders_state_what_they_built(
    pushed: str, local_aws: Instance, built: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A trusted builder without a statement is a difference, until it has attested; the image stays as it is.

    The bill of materials lies beside the image, byte for byte; another one there is a difference.
    """

    def attest_as(name: str) -> Result:
        words = ("--stage", "local", "--layout", str(built[0] / "build/image"), "--key", str(tmp_path / name))
        return CliRunner().invoke(attest.main, [*words, "--builder", f"https://{name}.example.com"])

    for name in ("one", "two"):
        builder_key(tmp_path, name)
    assert attest_as("one").exit_code == 0
    done = run("--cached", "--keys", str(tmp_path / "keys"), pushed)
    assert done.exit_code == 3
    assert "fail: two.pem: no statement of key" in done.stdout
    assert attest_as("two").exit_code == 0
    done = run("--cached", "--json", "--keys", str(tmp_path / "keys"), pushed)
    assert done.exit_code == 0, done.output
    stated = json.loads(done.stdout)["statements"]
    assert {entry["builder"] for entry in stated["valid"]} == {"https://one.example.com", "https://two.example.com"}
    assert {(entry["digest"], entry["commit"]) for entry in stated["valid"]} == {(pushed, built[1]["revision"])}
    bill = sbom.read_bytes(built[0] / "build/image")
    assert {entry["bill"] for entry in stated["valid"]} == {sha256(bill)}
    registry = repository.connect(Aws(load_stage("local"), local_aws.endpoint))
    try:
        kind, artifact = registry.fetch_manifest(attestations.tag_of(pushed, attestations.SBOM))
        document = json.loads(artifact)
        assert (kind, document["artifactType"]) == (MANIFEST, "application/vnd.cyclonedx+json")
        assert document["subject"]["digest"] == pushed
        assert attestations.get(registry, pushed, attestations.SBOM) == bill
        attestations.put(registry, pushed, attestations.SBOM, b"{}", attestations.CYCLONEDX)
    finally:
        registry.close()
    done = run("--cached", "--keys", str(tmp_path / "keys"), pushed)
    assert done.exit_code == 3
    assert "it states the bill of materials" in done.stdout


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("uncommitted-0123456789abcdef", "a work tree with uncommitted changes"),
        ("unknown", "the image names no commit"),
        ("0" * 40, "this clone does not have commit"),
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
    """An image without a rebuildable commit is an error before anything is built."""
    answer = push(tamper(built, tmp_path, revision), local_aws.registry, REPOSITORY, f"try-{revision[:12]}", login)
    done = run(answer.headers["Docker-Content-Digest"])
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_nothing_deployed_is_told(pushed: str) -> None:
    """Without a deployment there is nothing to verify."""
    done = run()
    assert done.exit_code == 1
    assert "has no deployment" in done.stderr or "there is no function" in done.stderr
