"""ECR: moto stores repositories, policies and resource tags; the registry is the source of truth for images."""

import base64
import http.client
import json
import time
from datetime import UTC, datetime

from localstack.aws.api import CommonServiceException
from moto.ecr import models

from local_aws.extension import registry, registry_storage, repositories
from local_aws.extension.registry_proxy import USER, connect
from nix.oci.digest import sha256
from nix.oci.media_types import MANIFESTS


def before(context, request) -> None:
    """Synchronise moto's images with the registry, and reject calls that moto would wrongly accept.

    Raises CommonServiceException with ECR's code.
    """
    name = (request or {}).get("repositoryName")
    backend = models.ecr_backends[context.account_id][context.region]
    if repository := backend.repositories.get(name):
        registry.wait_ready()
        synchronise(repository, context.account_id)
        if context.operation.name == "PutImage":
            refuse_moving(repository.name, request.get("imageTag"), request["imageManifest"])
    elif context.operation.name == "CreateRepository" and repositories.exists(name):
        text = f"a repository named {name} exists in another region: one local registry serves them all"
        raise CommonServiceException("RepositoryAlreadyExistsException", text)


def refuse_moving(name: str, tag: str | None, manifest: str) -> None:
    """Raise CommonServiceException, with ECR's code, if the tag is immutable and refers to another image."""
    if problem := repositories.find_refusal_to_move(name, tag, compute_digest(manifest)):
        raise CommonServiceException("ImageTagAlreadyExistsException", problem)


def compute_digest(manifest: str) -> str:
    """Return the digest of a manifest."""
    return sha256(manifest.encode())


def synchronise(repository: models.Repository, account_id: str) -> None:
    """Set the repository's images to those in the registry.

    Moto's records of images that are still there are kept, with the time of their push.
    """
    known = {image.get_image_digest(): image for image in repository.images}
    by_digest: dict[str, list[str]] = {}
    for tag, digest in sorted(registry_storage.read_tags(repository.name).items()):
        by_digest.setdefault(digest, []).append(tag)
    repository.images = []
    for digest in registry_storage.list_digests(repository.name):
        image = known.get(digest) or _image(repository.name, account_id, digest)
        image.image_tags = by_digest.get(digest, [])
        image.image_tag = image.image_tags[-1] if image.image_tags else None
        repository.images.append(image)


def _image(name: str, account_id: str, digest: str) -> models.Image:
    text = registry_storage.locate_blob(digest).read_text()
    media_type = json.loads(text).get("mediaType", MANIFESTS[0])
    image = models.Image(account_id, None, text, name, media_type, digest)
    image.image_pushed_at = datetime.fromtimestamp(registry_storage.read_push_time(name, digest), UTC).strftime(
        "%Y-%m-%dT%H:%M:%S"
    )
    return image


def after(context, request, response):
    """Apply to the registry what moto has done to its images."""
    operation = context.operation.name
    if operation == "GetAuthorizationToken":
        token = base64.b64encode(f"{USER}:{registry.read_password()}".encode()).decode()
        for item in response["authorizationData"]:
            proxy = {"proxyEndpoint": f"http://{registry.HOST}", "expiresAt": time.time() + 12 * 3600}
            item.update(authorizationToken=token, **proxy)
    elif operation == "PutImage":
        image = response["image"]
        media_type = image.get("imageManifestMediaType") or MANIFESTS[0]
        put_manifest(request["repositoryName"], request.get("imageTag"), image["imageManifest"], media_type)
        before(context, request)
    elif operation == "BatchDeleteImage":
        repository = models.ecr_backends[context.account_id][context.region].repositories[request["repositoryName"]]
        registry_storage.keep(
            repository.name, {image.get_image_digest(): image.image_tags for image in repository.images}
        )
    elif operation == "DeleteRepository":
        registry_storage.drop(request["repositoryName"])
    return response


def put_manifest(repository: str, tag: str | None, text: str, media_type: str) -> None:
    """Put a manifest into the registry, past the proxy: moto has checked the tag.

    Raises CommonServiceException if the registry refuses it, or as `refuse_moving`.
    """
    reference = tag or compute_digest(text)
    connection = http.client.HTTPConnection("registry", timeout=120)
    connection.sock = connect(registry_storage.FOLDER, registry.SOCKET)
    path = f"/v2/{repository}/manifests/{reference}"
    with registry_storage.TAGGING:
        refuse_moving(repository, tag, text)  # again: a push may have tagged another image since
        connection.request("PUT", path, body=text.encode(), headers={"Content-Type": media_type})
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    connection.close()
    if answer.status >= 300:
        raise CommonServiceException("InvalidParameterException", f"the registry refused the manifest: {body}")
