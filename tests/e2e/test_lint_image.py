"""Lint of images that lie in the stage's registry."""

import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from local_aws.instance import Instance
from scripts import lint_image
from tests.e2e.conftest import Clients
from tests.e2e.registry import push
from tests.unit.oci.drafts import MANIFEST, Draft

REPOSITORY = "tests/linted"


def run(*words: str) -> Result:
    """Return the command with these words."""
    return CliRunner().invoke(lint_image.main, ["--stage", "local", *words])


@pytest.fixture(scope="module")
def pushed(
    local_aws: Instance, aws: Clients, login: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """A sound image, one whose handler is missing, and an index above the sound one: digests by tag."""
    aws("ecr").create_repository(repositoryName=REPOSITORY)
    broken = Draft()
    broken.settings["Cmd"] = ["handler.main.lambda_handler"]
    digests = {}
    for tag, draft in (("sound", Draft()), ("broken", broken)):
        layout = draft.write(tmp_path_factory.mktemp(tag) / "layout")
        answer = push(layout, local_aws.registry, REPOSITORY, tag, login)
        answer.raise_for_status()
        digests[tag] = answer.headers["Docker-Content-Digest"]
    digests["index"] = put_index(local_aws.registry, login, digests["sound"])
    return digests


def put_index(registry: str, login: tuple[str, str], digest: str) -> str:
    """Store an index that names one image."""
    media_type = "application/vnd.oci.image.index.v1+json"
    accept = {"Accept": MANIFEST}
    with httpx.Client(base_url=f"http://{registry}/v2/{REPOSITORY}", auth=login, trust_env=False) as client:
        size = len(client.get(f"/manifests/{digest}", headers=accept).content)
        image = {"mediaType": MANIFEST, "digest": digest, "size": size}
        document = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [image]})
        answer = client.put("/manifests/index", content=document, headers={"Content-Type": media_type})
        answer.raise_for_status()
        return str(answer.headers["Docker-Content-Digest"])


def rules(done: Result) -> set[str]:
    """Return the rules that the command found broken."""
    output: dict[str, Any] = json.loads(done.stdout)
    return {found["rule"] for found in output["problems"]}


def test_a_sound_image_in_the_registry_passes(pushed: dict[str, str]) -> None:
    """By tag, by digest and with the registry's host."""
    assert run(f"{REPOSITORY}:sound").exit_code == 0
    assert run(f"{REPOSITORY}@{pushed['sound']}").exit_code == 0


def test_a_broken_image_in_the_registry_is_found(local_aws: Instance, pushed: dict[str, str]) -> None:
    """The blobs themselves are read: a missing handler is reported with exit code 3."""
    done = run("--json", f"{local_aws.registry}/{REPOSITORY}:broken")
    assert (done.exit_code, rules(done)) == (3, {"handler"})


def test_an_index_in_the_registry_is_refused(pushed: dict[str, str]) -> None:
    """A tag that leads to an index is what Lambda refuses, whatever is below it."""
    done = run("--json", f"{REPOSITORY}:index")
    assert (done.exit_code, rules(done)) == (3, {"one-image"})


@pytest.mark.parametrize("reference", [f"{REPOSITORY}:nothing", "tests/nowhere:latest"])
def test_what_the_registry_lacks_is_told(reference: str, pushed: dict[str, str]) -> None:
    """A tag or repository that is not there ends in one sentence."""
    done = run(reference)
    assert done.exit_code == 1
    assert "has no repository" in done.stderr or "has no image nothing" in done.stderr
