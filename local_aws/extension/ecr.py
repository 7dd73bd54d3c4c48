"""ECR: moto keeps repositories, policies and tags of resources; the images are whatever the registry holds."""

import base64
import hashlib
import http.client
import json
import time
from datetime import UTC, datetime

from localstack.aws.api import CommonServiceException
from moto.ecr import models

from local_aws.extension import registry, repositories, storage
from local_aws.extension.registry_gate import USER
from local_aws.image import MANIFEST_TYPES


def before(context, request) -> None:
    """Make moto's list of images equal to the registry's content, and refuse what moto would let pass."""
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
    """Raise when the tag is immutable and holds another image."""
    holds = storage.tags(name).get(tag)
    if holds is None or not repositories.immutable(name, tag) or holds == digest_of(manifest):
        return
    text = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
    raise CommonServiceException("ImageTagAlreadyExistsException", f"{text} because the tag is immutable.")


def digest_of(manifest: str) -> str:
    """The digest of a manifest's text."""
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()


def synchronise(repository: models.Repository, account_id: str) -> None:
    """Set the repository's images from the registry."""
    known = {image.get_image_digest(): image for image in repository.images}
    by_digest: dict[str, list[str]] = {}
    for tag, digest in sorted(storage.tags(repository.name).items()):
        by_digest.setdefault(digest, []).append(tag)
    repository.images = []
    for digest in storage.digests(repository.name):
        image = known.get(digest) or _image(repository.name, account_id, digest)
        image.image_tags = by_digest.get(digest, [])
        image.image_tag = image.image_tags[-1] if image.image_tags else None
        repository.images.append(image)


def _image(name: str, account_id: str, digest: str) -> models.Image:
    text = storage.blob(digest).read_text()
    media_type = json.loads(text).get("mediaType", MANIFEST_TYPES[0])
    image = models.Image(account_id, None, text, name, media_type, digest)
    image.image_pushed_at = datetime.fromtimestamp(storage.pushed_at(name, digest), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return image


def after(context, request, response):
    """Carry out on the registry what moto has done to its list."""
    operation = context.operation.name
    if operation == "GetAuthorizationToken":
        token = base64.b64encode(f"{USER}:{registry.password()}".encode()).decode()
        for item in response["authorizationData"]:
            proxy = {"proxyEndpoint": f"http://{registry.HOST}", "expiresAt": time.time() + 12 * 3600}
            item.update(authorizationToken=token, **proxy)
    elif operation == "PutImage":
        image = response["image"]
        media_type = image.get("imageManifestMediaType") or MANIFEST_TYPES[0]
        put_manifest(request["repositoryName"], request.get("imageTag"), image["imageManifest"], media_type)
        before(context, request)
    elif operation == "BatchDeleteImage":
        repository = models.ecr_backends[context.account_id][context.region].repositories[request["repositoryName"]]
        storage.keep(repository.name, {image.get_image_digest(): image.image_tags for image in repository.images})
    elif operation == "DeleteRepository":
        storage.drop(request["repositoryName"])
    return response


def put_manifest(repository: str, tag: str | None, text: str, media_type: str) -> None:
    """Put a manifest into the registry, past the gate: moto has checked the tag."""
    from local_aws.extension.registry_gate import connect

    reference = tag or digest_of(text)
    connection = http.client.HTTPConnection("registry", timeout=10)
    connection.sock = connect(registry.FOLDER, registry.SOCKET)
    path = f"/v2/{repository}/manifests/{reference}"
    connection.request("PUT", path, body=text.encode(), headers={"Content-Type": media_type})
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    connection.close()
    if answer.status >= 300:
        raise CommonServiceException("InvalidParameterException", f"the registry refused the manifest: {body}")
