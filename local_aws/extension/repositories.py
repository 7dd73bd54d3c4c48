"""ECR repositories as moto holds them, looked up by name over all regions: the registry has one host for all."""

import fnmatch

from moto.ecr import models


def find(name: str) -> models.Repository | None:
    """The repository of this name, in whichever account and region it was created; None if there is none."""
    for account in list(models.ecr_backends.values()):
        for backend in list(account.values()):
            if repository := backend.repositories.get(name):
                return repository
    return None


def exists(name: str) -> bool:
    """Whether a repository of this name was created."""
    return find(name) is not None


def immutable(name: str, tag: str) -> bool:
    """Whether this tag, once pushed, may not move."""
    repository = find(name)
    if repository is None:
        return False
    filters = [entry["filter"] for entry in repository.image_tag_mutability_exclusion_filters or ()]
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in filters)
    return bool(repository.is_tag_immutable()) != excluded
