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
from .docker_archive import read_archive
from .image import Blobs, Image, read_directory, read_layout, read_reference
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
    "lint",
    "lint_image",
    "read_archive",
    "read_image",
    "read_layout",
    "read_reference",
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
    return read_directory(path) if path.is_dir() else read_archive(path)
