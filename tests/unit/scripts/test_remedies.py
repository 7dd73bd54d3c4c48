"""The next steps after errors of stage files and of records that a newer checkout wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from scripts.aws import ledger
from scripts.aws.clients import Aws
from scripts.aws.stage import STAGES, load_stage
from scripts.console.errors import InvalidStage, OperationFailed
from scripts.jobs import shadow_reports

LOCAL = (STAGES / "local.toml").read_text(encoding="utf-8")
FILES = {
    "misspelt key": LOCAL.replace("memory_mb", "memory_gb"),
    "value out of range": LOCAL.replace("timeout_s = ", "timeout_s = 9"),
    "no TOML": "region = ",
}


@pytest.mark.parametrize("problem", FILES)
def test_the_remedy_of_a_wrong_stage_file_is_the_file(tmp_path: Path, problem: str) -> None:
    """A stage whose file is wrong is not named wrongly: the remedy is to correct that file."""
    (tmp_path / "mine.toml").write_text(FILES[problem])
    with pytest.raises(InvalidStage) as raised:
        load_stage("mine", tmp_path)
    assert raised.value.remedy == f"correct {tmp_path.name}/mine.toml, then run it again"


def test_the_remedy_of_an_unknown_stage_is_another_name(tmp_path: Path) -> None:
    """A stage without a file is named wrongly: the problem lists the names, and the remedy is to choose one."""
    (tmp_path / "mine.toml").write_text(LOCAL)
    with pytest.raises(InvalidStage, match=r"'other'.*: mine") as raised:
        load_stage("other", tmp_path)
    assert raised.value.remedy == "name one of them: STAGE=NAME"


class _Body:
    """A response's body, as urllib3 returns it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> list[bytes]:
        """Return the body's only chunk."""
        return [self._data]


@pytest.mark.parametrize("read", [ledger.read_entries, shadow_reports.read], ids=["ledger", "shadow reports"])
def test_a_record_of_a_newer_checkout_is_read_after_git_pull(read: Callable[[Aws, int], Any]) -> None:
    """A record of a newer format is refused with the command that updates the checkout."""
    aws = Aws(load_stage("local"), "http://127.0.0.1:1")
    body = json.dumps({"Items": [{"format": {"N": "99"}}]}).encode()

    def respond(request: AWSPreparedRequest, **_: Any) -> Any:
        headers: Any = {"Content-Length": str(len(body))}
        return AWSResponse(request.url, 200, headers, _Body(body))

    aws.client("dynamodb").meta.events.register("before-send.dynamodb", respond)
    with pytest.raises(OperationFailed, match="got format 99, expected at most 1") as raised:
        read(aws, 1)
    assert raised.value.remedy.startswith("git pull --ff-only ")
