"""Container images of functions. A URI is resolved to a digest once, when a function is created or updated."""

import dataclasses
import json
import re

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_.invocation.lambda_models import ImageCode

from local_aws.extension import registry, registry_storage
from local_aws.image import Image, from_manifest
from nix.oci.digest import DIGEST
from nix.oci.media_types import MANIFESTS

PATTERN = re.compile(
    r"(?P<repository>[^:@]+(?::\d+)?/[^:@]+)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>" + DIGEST.pattern + r"))?"
)
AWS_HOST = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")
"""The registry's name on AWS, which commands and scripts write out; the local registry has the same repositories."""


@dataclasses.dataclass(frozen=True)
class DigestImageCode(ImageCode):
    """A function's code; `code_sha256` is the hex digest of the image's manifest."""

    @property
    def resolved_image_uri(self):
        """Return the URI by digest. LocalStack's own fails for repo@sha256:… and for a host with a port but no tag."""
        return f"{_parse(self.image_uri)[0]}@sha256:{self.code_sha256}"


def create_image_code(image_uri: str) -> ImageCode:
    """Resolve a URI. Raise Lambda's errors if it does not name an image in this registry.

    A tag that is moved later does not change the function, as on Lambda.
    """
    name, tag, digest = _parse(image_uri)
    repository = name.partition("/")[2]
    digest = digest or registry_storage.read_tags(repository).get(tag)
    if digest not in registry_storage.list_digests(repository):
        raise _invalid(f"Source image {image_uri} does not exist. Provide a valid source image.")
    kind = json.loads(registry_storage.locate_blob(digest).read_text()).get("mediaType", MANIFESTS[0])
    if kind not in MANIFESTS:
        text = "The image manifest, config or layer media type for the source image"
        raise _invalid(f"{text} {image_uri} is not supported.")
    return DigestImageCode(image_uri=image_uri, repository_type="ECR", code_sha256=digest.removeprefix("sha256:"))


def unpack(code: ImageCode) -> Image:
    """Return the unpacked image; only new layers take time."""
    return from_manifest(f"sha256:{code.code_sha256}", registry_storage.locate_blob)


def _parse(uri: str) -> tuple[str, str | None, str | None]:
    match = PATTERN.fullmatch(AWS_HOST.sub(f"{registry.HOST}/", uri, count=1))
    if not match or not match["repository"].startswith(registry.HOST + "/"):
        raise _invalid(f"Source image {uri} is not valid. Provide a valid source image.")
    digest = match["digest"]
    return match["repository"], match["tag"] or (None if digest else "latest"), digest


def _invalid(text: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(text, Type="User")
