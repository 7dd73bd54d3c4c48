"""Images of functions: a URI resolved to a digest once, when the function is created or updated."""

import dataclasses
import json
import re

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_.invocation.lambda_models import ImageCode

from local_aws.extension import registry, storage
from local_aws.image import MANIFEST_TYPES, Image, from_manifest

PATTERN = re.compile(
    r"(?P<repository>[^:@]+(?::\d+)?/[^:@]+)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclasses.dataclass(frozen=True)
class DigestImageCode(ImageCode):
    """A function's code; `code_sha256` is the hex digest of the image's manifest."""

    @property
    def resolved_image_uri(self):
        """The URI by digest. The stock one breaks on repo@sha256:… and on a host with a port and no tag."""
        return f"{_parse(self.image_uri)[0]}@sha256:{self.code_sha256}"


def create_image_code(image_uri: str) -> ImageCode:
    """Resolve a URI; raise Lambda's own errors for what is no image of this registry."""
    name, tag, digest = _parse(image_uri)
    repository = name.partition("/")[2]
    digest = digest or storage.tags(repository).get(tag)
    if digest not in storage.digests(repository):
        raise _invalid(f"Source image {image_uri} does not exist. Provide a valid source image.")
    kind = json.loads(storage.blob(digest).read_text()).get("mediaType", MANIFEST_TYPES[0])
    if kind not in MANIFEST_TYPES:
        text = "The image manifest, config or layer media type for the source image"
        raise _invalid(f"{text} {image_uri} is not supported.")
    return DigestImageCode(image_uri=image_uri, repository_type="ECR", code_sha256=digest.removeprefix("sha256:"))


def unpack(code: ImageCode) -> Image:
    """The unpacked image; only layers never seen before cost anything."""
    return from_manifest(f"sha256:{code.code_sha256}", storage.blob)


def _parse(uri: str) -> tuple[str, str | None, str | None]:
    found = PATTERN.fullmatch(uri)
    if not found or not found["repository"].startswith(registry.HOST + "/"):
        raise _invalid(f"Source image {uri} is not valid. Provide a valid source image.")
    digest = found["digest"]
    return found["repository"], found["tag"] or (None if digest else "latest"), digest


def _invalid(text: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(text, Type="User")
