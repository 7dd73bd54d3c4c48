"""Load a stage by name; `stages/` validates its file, errors here add the remedy."""

from __future__ import annotations

from pathlib import Path

from stages import STAGES, Stage, StageError, list_stages, load

from ..console.errors import InvalidStage

__all__ = ["STAGES", "Stage", "load_stage"]


def load_stage(name: str, folder: Path = STAGES) -> Stage:
    """Return a stage; InvalidStage if it is unknown, or with every problem of its file."""
    try:
        return load(name, folder)
    except StageError as error:
        known = name in list_stages(folder)
        remedy = f"correct {folder.name}/{name}.toml, then run it again" if known else "name one of them: STAGE=NAME"
        raise InvalidStage(str(error), remedy) from None


def create_environment(stage: Stage) -> dict[str, str]:
    """Return the environment variables that the stage sets on its function.

    Names of the stage's resources win over `environment` of its file.
    """
    queues = f"https://sqs.{stage.region}.amazonaws.com/{stage.account}"
    return {
        **stage.function.environment,
        "PLEXUS_ACCOUNT_KEY": stage.account_key,
        "PLEXUS_ARTIFACT_BUCKET": stage.bucket,
        "PLEXUS_RESPONSE_WORKER_QUEUE_URL": f"{queues}/{stage.queues.response}",
        "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL": f"{queues}/{stage.queues.request_dead_letters}",
        "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL": f"{queues}/{stage.queues.request}",
        **stage.table_variables,
    }
