"""The stages: a TOML file for each place where the worker runs, and the one reader that every tool uses."""

from stages.exceptions import InvalidStage, StageError, UnknownStage
from stages.file import STAGES, load, parse, stage_names
from stages.stage import Stage

__all__ = ["STAGES", "InvalidStage", "Stage", "StageError", "UnknownStage", "load", "parse", "stage_names"]
