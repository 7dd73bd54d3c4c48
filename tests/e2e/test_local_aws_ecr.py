"""ECR: repositories by its API, images by any client of a registry."""

import base64
import contextlib
import hashlib
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_aws.instance import Instance
from tests.e2e.conftest import Clients, refusal
from tests.e2e.registry import push
from tests.layouts import MANIFEST_TYPE, Layer, write_layout

Push = Callable[[str, str, str], httpx.Response]


@pytest.fixture
def push_text(tmp_path: Path, local_aws: Instance, login: tuple[str, str]) -> Push:
    """`push_text(repository, tag, text)`: push a tiny image whose only file holds the text."""

    def push_it(repository: str, tag: str, text: str) -> httpx.Response:
        layout = tmp_path / text
        write_layout(layout, [Layer(files={"text": text.encode()})])
        return push(layout, local_aws.registry, repository, tag, login)

    return push_it


def digest(answer: httpx.Response) -> str:
    """Return the digest of a pushed image; fail when the push was refused."""
    assert answer.status_code == 201, answer.text
    return answer.headers["Docker-Content-Digest"]


def test_pushed_image_is_described_with_its_digest_tags_and_size(aws: Clients, push_text: Push, tmp_path: Path) -> None:
    """ECR describes an image by the digest that the registry holds, with all its tags and the sum of its blobs."""
    aws("ecr").create_repository(repositoryName="described/image")
    pushed = {digest(push_text("described/image", tag, "same")) for tag in ("v1", "v2")}
    (image,) = aws("ecr").describe_images(repositoryName="described/image")["imageDetails"]
    manifest = json.loads((tmp_path / "same/blobs" / pushed.copy().pop().replace(":", "/")).read_text())
    size = sum(part["size"] for part in [manifest["config"], *manifest["layers"]])
    assert ({image["imageDigest"]}, sorted(image["imageTags"]), image["imageSizeInBytes"]) == (
        pushed,
        ["v1", "v2"],
        size,
    )


def test_put_image_adds_a_tag(aws: Clients, push_text: Push) -> None:
    """PutImage with an existing manifest and a new tag tags the same digest."""
    aws("ecr").create_repository(repositoryName="retagged")
    wanted = digest(push_text("retagged", "old", "retagged"))
    image = aws("ecr").batch_get_image(repositoryName="retagged", imageIds=[{"imageTag": "old"}])["images"][0]
    aws("ecr").put_image(repositoryName="retagged", imageManifest=image["imageManifest"], imageTag="new")
    response = aws("ecr").describe_images(repositoryName="retagged", imageIds=[{"imageTag": "new"}])["imageDetails"]
    assert [entry["imageDigest"] for entry in response] == [wanted]


def test_deleted_tag_is_gone_and_others_stay(aws: Clients, push_text: Push) -> None:
    """BatchDeleteImage by tag removes this tag only."""
    aws("ecr").create_repository(repositoryName="untagged")
    for tag in ("kept", "dropped"):
        push_text("untagged", tag, "untagged")
    aws("ecr").batch_delete_image(repositoryName="untagged", imageIds=[{"imageTag": "dropped"}])
    wanted = {"repositoryName": "untagged", "imageIds": [{"imageTag": "dropped"}]}
    assert refusal(aws("ecr").describe_images, **wanted).startswith("ImageNotFound")
    assert aws("ecr").describe_images(repositoryName="untagged", imageIds=[{"imageTag": "kept"}])["imageDetails"]


def test_immutable_tag_does_not_move_by_a_push(aws: Clients, push_text: Push) -> None:
    """A push of other content under an immutable tag is refused, and the tag keeps its digest."""
    aws("ecr").create_repository(repositoryName="fixed-by-push", imageTagMutability="IMMUTABLE")
    first = digest(push_text("fixed-by-push", "v1", "first"))
    second = push_text("fixed-by-push", "v1", "second")
    assert second.status_code == 400
    assert "cannot be overwritten because the tag is immutable" in second.json()["errors"][0]["message"]
    response = aws("ecr").describe_images(repositoryName="fixed-by-push", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert [entry["imageDigest"] for entry in response] == [first]


@pytest.mark.parametrize(
    "target",
    [
        "http://HOST/v2/spelled/manifests/v1",
        "/v2/spelled/manifests/%76%31",
        "/v2/spelled/%6danifests/v1",
        "/v2//spelled/./manifests/v1",
        "/v2/other/../spelled/manifests/v1",
        "/v2/spelled/manifests/v1?x=1",
    ],
)
def test_no_spelling_of_its_address_moves_an_immutable_tag(
    target: str, aws: Clients, push_text: Push, local_aws: Instance, login: tuple[str, str], tmp_path: Path
) -> None:
    """A manifest sent to an immutable tag is refused however the request spells the path."""
    with contextlib.suppress(aws("ecr").exceptions.RepositoryAlreadyExistsException):
        aws("ecr").create_repository(repositoryName="spelled", imageTagMutability="IMMUTABLE")
    first = digest(push_text("spelled", "v1", "first"))
    other = digest(push_text("spelled", f"v-{hashlib.sha256(target.encode()).hexdigest()}", "other"))
    manifest = (tmp_path / "other/blobs" / other.replace(":", "/")).read_bytes()
    token = base64.b64encode(":".join(login).encode()).decode()
    head = (
        f"PUT {target.replace('HOST', local_aws.registry)} HTTP/1.1\r\nHost: {local_aws.registry}\r\n"
        f"Authorization: Basic {token}\r\nContent-Type: {MANIFEST_TYPE}\r\nContent-Length: {len(manifest)}\r\n"
        "Connection: close\r\n\r\n"
    )
    host, _, port = local_aws.registry.partition(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(head.encode() + manifest)
        assert connection.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"
    images = aws("ecr").describe_images(repositoryName="spelled", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert [image["imageDigest"] for image in images] == [first]


def test_one_of_many_concurrent_pushes_gets_an_immutable_tag(aws: Clients, push_text: Push) -> None:
    """One of several concurrent pushes of a free tag is stored, and the others are refused."""
    aws("ecr").create_repository(repositoryName="raced", imageTagMutability="IMMUTABLE")
    for tag in ("v1", "v2", "v3"):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number, tag=tag: push_text("raced", tag, f"{tag}-{number}"), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201, *[400] * 7]
        images = aws("ecr").describe_images(repositoryName="raced", imageIds=[{"imageTag": tag}])["imageDetails"]
        stored = [digest(answer) for answer in answers if answer.status_code == 201]
        assert [image["imageDigest"] for image in images] == stored


def test_same_image_is_pushed_again_under_its_immutable_tag(aws: Clients, push_text: Push) -> None:
    """A push of the digest that an immutable tag has already changes nothing and succeeds."""
    aws("ecr").create_repository(repositoryName="pushed-twice", imageTagMutability="IMMUTABLE")
    assert digest(push_text("pushed-twice", "v1", "same")) == digest(push_text("pushed-twice", "v1", "same"))


def test_immutable_tag_does_not_move_by_put_image(aws: Clients, push_text: Push) -> None:
    """PutImage under an immutable tag is refused with ECR's own error."""
    aws("ecr").create_repository(repositoryName="fixed-by-put", imageTagMutability="IMMUTABLE")
    push_text("fixed-by-put", "v1", "first")
    push_text("fixed-by-put", "v2", "second")
    image = aws("ecr").batch_get_image(repositoryName="fixed-by-put", imageIds=[{"imageTag": "v2"}])["images"][0]
    put = {"repositoryName": "fixed-by-put", "imageManifest": image["imageManifest"], "imageTag": "v1"}
    assert refusal(aws("ecr").put_image, **put).startswith("ImageTagAlreadyExistsException")


def test_push_to_an_unknown_repository_is_refused(push_text: Push) -> None:
    """The registry makes no repository that ECR does not know."""
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        push_text("never/created", "v1", "text")


def test_registry_wants_the_token(local_aws: Instance) -> None:
    """A request without the authorization token is refused with a challenge."""
    answer = httpx.get(f"http://{local_aws.registry}/v2/", trust_env=False)
    assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")


def test_unknown_repository_is_named_by_its_error(aws: Clients) -> None:
    """Describing images of a repository that does not exist is an error of its own."""
    assert refusal(aws("ecr").describe_images, repositoryName="nowhere").startswith("RepositoryNotFoundException")


def test_lifecycle_policy_is_kept(aws: Clients) -> None:
    """A lifecycle policy reads back as it was put."""
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5}
    policy: Any = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    aws("ecr").create_repository(repositoryName="with-policy")
    aws("ecr").put_lifecycle_policy(repositoryName="with-policy", lifecyclePolicyText=json.dumps(policy))
    got = aws("ecr").get_lifecycle_policy(repositoryName="with-policy")["lifecyclePolicyText"]
    assert json.loads(got) == policy


def test_a_client_that_waits_for_leave_to_send_a_manifest_gets_it(
    aws: Clients, push_text: Push, local_aws: Instance, login: tuple[str, str], tmp_path: Path
) -> None:
    """A manifest announced with `Expect: 100-continue` is asked for, although the gate reads it before the registry."""
    aws("ecr").create_repository(repositoryName="expected")
    wanted = digest(push_text("expected", "v1", "expected"))
    manifest = (tmp_path / "expected/blobs" / wanted.replace(":", "/")).read_bytes()
    token = base64.b64encode(":".join(login).encode()).decode()
    head = (
        f"PUT /v2/expected/manifests/v2 HTTP/1.1\r\nHost: {local_aws.registry}\r\nAuthorization: Basic {token}\r\n"
        f"Content-Type: {MANIFEST_TYPE}\r\nContent-Length: {len(manifest)}\r\nExpect: 100-continue\r\n"
        "Connection: close\r\n\r\n"
    )
    host, _, port = local_aws.registry.partition(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(head.encode())
        answer = connection.makefile("rb")
        assert (answer.readline(), answer.readline()) == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")
        connection.sendall(manifest)
        assert answer.readline() == b"HTTP/1.1 201 Created\r\n"


def test_a_client_that_tries_tls_first_is_answered_at_once(local_aws: Instance) -> None:
    """skopeo and buildah begin with TLS: they get a plain 400 and go on in the clear, without waiting."""
    host, _, port = local_aws.registry.partition(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"this registry speaks plain HTTP\n")
