"""The check that the credentials belong to the stage's AWS account."""

from __future__ import annotations

from ..console.errors import Refused
from .clients import Aws


def require_account(aws: Aws) -> None:
    """Raise Refused unless the credentials belong to the account in the stage file. The local stage has none."""
    if aws.stage.is_local:
        return
    account = str(aws.client("sts").get_caller_identity()["Account"])
    if account != aws.stage.account:
        raise Refused(
            f"credentials belong to account {account}, but stage {aws.stage.name} expects account {aws.stage.account}",
            f"sign in to that account (AWS_PROFILE=…), or correct stages/{aws.stage.name}.toml",
        )
