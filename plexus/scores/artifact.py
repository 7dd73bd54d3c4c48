"""Where a trained score finds its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plexus.context import Context
from plexus.exceptions import ArtifactMissing, InvalidArtifact


def folder_of(configuration: Any, context: Context) -> Path:
    """The model's folder on this machine. Raises ArtifactMissing with the command that makes it."""
    name, digest = configuration.name, configuration.artifact
    if digest is None:
        raise ArtifactMissing(
            f"the score {name!r} names no artifact; `python -m plexus train CARD.yaml --score {name!r} --write FILE` "
            "trains it and writes a scorecard that names it"
        )
    if context.artifacts is None:
        raise ArtifactMissing(f"the score {name!r} needs the artifact {digest}, and no artifact store is given")
    try:
        return context.artifacts.get(digest)
    except InvalidArtifact as error:
        raise InvalidArtifact(f"the score {name!r}: {error}") from None
