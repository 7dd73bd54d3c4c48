"""Lint container images for AWS Lambda.

Lambda reports one fault per deployment, and some only when the function starts. This package reads an image that any
builder made and returns every broken rule at once, with the service's error message and a remedy:

    from nix.oci.lint import lint_image

    for problem in lint_image(Path("image.tar")):
        print(problem)

Standard library only. Nothing is executed, unpacked to disk, or trusted: see README.md.
"""

from pathlib import Path

from .checks import lint
from .docker_archive import archive_image
from .image import Blobs, Image, directory_image, layout_image, reference_image
from .rules import LAMBDA, READ_RULES, RULES, Evidence, Level, Limits, Problem, Rule

__all__ = [
    "LAMBDA",
    "READ_RULES",
    "RULES",
    "Blobs",
    "Evidence",
    "Image",
    "Level",
    "Limits",
    "Problem",
    "Rule",
    "archive_image",
    "layout_image",
    "lint",
    "lint_image",
    "read_image",
    "reference_image",
]


def lint_image(path: Path, limits: Limits = LAMBDA) -> list[Problem]:
    """Return every rule that the image at `path` breaks, or [] if it breaks none.

    `path` and the exceptions are those of `read_image`. Order: documents, blobs, layers, files, start; within each, the
    order of the image. The same image always gives the same list.
    """
    return lint(read_image(path), limits)


def read_image(path: Path) -> Image:
    """Read an image: a directory (OCI image layout, or skopeo's `dir:`), or a file (OCI or Docker archive).

    Raises `nix.oci.exceptions.OciError` if `path` is neither. A fault inside the image is never raised: it becomes one
    of the image's problems. Every layer is decompressed and hashed once, in pieces; only ELF files and the function's
    own modules are held in memory while they are parsed.
    """
    return directory_image(path) if path.is_dir() else archive_image(path)
