"""A stage by its name, as commands take it: `stages/` reads and checks the file, errors here say what to do next."""

from __future__ import annotations

from pathlib import Path

from stages import STAGES, Stage, StageError, load

from ._errors import InvalidStage

__all__ = ["ROOT", "STAGES", "Stage", "load_stage"]

ROOT = STAGES.parent


def load_stage(name: str, folder: Path = STAGES) -> Stage:
    """Return the stage of that name; InvalidStage when it is unknown, or with every problem of its file."""
    try:
        return load(name, folder)
    except StageError as error:
        raise InvalidStage(str(error), "give a stage that is there as STAGE=, or correct its file") from None
