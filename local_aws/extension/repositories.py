"""Look up moto's ECR repositories by name, across regions: the registry has one host for all of them."""

import fnmatch

from moto.ecr import models

from local_aws.extension import registry_storage


def find(name: str) -> models.Repository | None:
    """Return the repository of this name from any account and region, or None."""
    for account in list(models.ecr_backends.values()):
        for backend in list(account.values()):
            if repository := backend.repositories.get(name):
                return repository
    return None


def exists(name: str) -> bool:
    """Return whether a repository of this name exists."""
    return find(name) is not None


def find_refusal_to_move(name: str, tag: str | None, digest: str) -> str | None:
    """Return ECR's message if the tag is immutable and refers to another digest, else None."""
    current = registry_storage.read_tags(name).get(tag)
    if current in (None, digest) or not _immutable(name, tag):
        return None
    text = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
    return f"{text} because the tag is immutable."


def _immutable(name: str, tag: str) -> bool:
    repository = find(name)
    if repository is None:
        return False
    filters = [entry["filter"] for entry in repository.image_tag_mutability_exclusion_filters or ()]
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in filters)
    return bool(repository.is_tag_immutable()) != excluded
