"""`login` stores the token in a helper, an engine or a file, and nowhere else."""

import base64
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local_aws.instance import Instance
from scripts import login
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from tests.layouts import Layer, write_layout

HELPER = """#!/bin/sh
echo "$0 $*" > {folder}/called
cat > {folder}/stored
{ending}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home directory, with a PATH of its own and no engine."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(local_aws: Instance, *options: str) -> Result:
    """Run `login`."""
    return CliRunner().invoke(login.main, ["--endpoint-url", local_aws.endpoint, *options])


def helper(home: Path, ending: str = "") -> None:
    """Return a credential helper that records its input, configured for all registries."""
    program = home / "bin/docker-credential-keeper"
    program.write_text(HELPER.format(folder=home, ending=ending))
    program.chmod(0o755)
    (home / "bin/cat").symlink_to(shutil.which("cat", path="/usr/bin:/bin") or "")
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "keeper"}))


def secret(local_aws: Instance) -> str:
    """Return the registry's current password."""
    return login.Grant.of(Aws(load_stage("local"), local_aws.endpoint)).secret


def test_a_helper_gets_the_token_by_its_standard_input(home: Path, local_aws: Instance) -> None:
    """A helper receives the token on standard input; it is on no command line, in no output and in no file."""
    helper(home)
    done = run(local_aws)
    assert done.exit_code == 0, done.output
    stored = json.loads((home / "stored").read_text())
    assert stored == {"ServerURL": local_aws.registry, "Username": "AWS", "Secret": secret(local_aws)}
    assert (home / "called").read_text().strip().endswith("docker-credential-keeper store")
    assert stored["Secret"] not in done.output
    assert "credential helper docker-credential-keeper" in done.output
    assert json.loads((home / ".docker/config.json").read_text()) == {"credsStore": "keeper"}


def test_a_helper_that_refuses_is_told_without_the_token(home: Path, local_aws: Instance) -> None:
    """A failing helper exits with 1 and the helper's message, without the token."""
    helper(home, 'echo "the keyring is locked" >&2; exit 3')
    done = run(local_aws)
    assert done.exit_code == 1
    assert "docker-credential-keeper failed: the keyring is locked" in done.output
    assert secret(local_aws) not in done.output


def test_a_helper_that_is_not_there_is_named(home: Path, local_aws: Instance) -> None:
    """A missing helper is an error with the file that names it."""
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {local_aws.registry: "gone"}}))
    done = run(local_aws)
    assert done.exit_code == 1
    assert "config.json: credential helper docker-credential-gone is not installed" in done.output


def test_without_helper_and_engine_the_file_is_for_its_owner_only(home: Path, local_aws: Instance) -> None:
    """The file is readable by its owner only, keeps other entries, and the output warns that it is not encrypted."""
    (home / ".docker").mkdir()
    file = home / ".docker/config.json"
    file.write_text(json.dumps({"auths": {"other.example": {"auth": "eA=="}}}))
    done = run(local_aws)
    assert done.exit_code == 0, done.output
    assert "not encrypted" in done.output
    auths = json.loads(file.read_text())["auths"]
    assert auths["other.example"] == {"auth": "eA=="}
    assert base64.b64decode(auths[local_aws.registry]["auth"]).decode() == f"AWS:{secret(local_aws)}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_dry_run_keeps_nothing(home: Path, local_aws: Instance) -> None:
    """A dry run prints where the token would be stored, and stores nothing."""
    done = run(local_aws, "--dry-run")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"would sign in to {local_aws.registry}")
    assert [path.name for path in home.iterdir()] == ["bin"]


def test_an_engine_that_is_not_there_is_named(home: Path, local_aws: Instance) -> None:
    """A missing engine is an error with a remedy."""
    done = run(local_aws, "--engine", "podman")
    assert done.exit_code == 1
    assert "podman is not installed" in done.output


@pytest.mark.parametrize("engine", ["skopeo", "buildah"])
def test_an_engine_that_was_signed_in_reaches_the_registry(
    engine: str, tmp_path: Path, local_aws: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the login skopeo pushes an image without a password."""
    if shutil.which(engine) is None or shutil.which("skopeo") is None:
        pytest.skip(f"{engine} or skopeo is not installed here (apt-get install {engine} skopeo)")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    aws = Aws(load_stage("local"), local_aws.endpoint)
    name = f"login/{engine}"
    aws.client("ecr").create_repository(repositoryName=name)
    write_layout(tmp_path / "layout", [Layer(files={"text": engine.encode()})])
    copy = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{tmp_path}/layout"]
    target = f"docker://{local_aws.registry}/{name}:one"
    refused = subprocess.run([*copy, target], env=os.environ, capture_output=True, check=False)
    assert refused.returncode != 0
    done = run(local_aws, "--engine", engine)
    assert done.exit_code == 0, done.output
    subprocess.run([*copy, target], env=os.environ, check=True)
    images = aws.client("ecr").describe_images(repositoryName=name)["imageDetails"]
    assert [image["imageTags"] for image in images] == [["one"]]
