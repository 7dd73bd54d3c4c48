"""The stages: one TOML file for each environment in which the worker runs, and the reader that every tool uses."""

from stages.exceptions import InvalidStage, StageError, UnknownStage
from stages.file import STAGES, hash_stage, list_stages, load, parse
from stages.stage import Stage

__all__ = [
    "STAGES",
    "InvalidStage",
    "Stage",
    "StageError",
    "UnknownStage",
    "hash_stage",
    "list_stages",
    "load",
    "parse",
]
