"""Invoke the function and show its answer, the end of its log, and what it took.

python -m scripts.invoke ['{"source": "smoke"}']
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ._aws import Aws, make
from ._command import FAILED, Shell, verb
from ._errors import NotFound, OperationFailed
from ._report import Report, parse_report


@dataclass(frozen=True)
class Answer:
    """What an invocation gave: the payload parsed where it is JSON, the last 4 KB of log, the report."""

    payload: Any
    function_error: str | None
    log: str
    report: Report | None
    version: str

    @property
    def exit_code(self) -> int:
        """1 when the function failed, answered with a status from 400 on, or named messages to bring back."""
        told = self.payload if isinstance(self.payload, dict) else {}
        status = told.get("statusCode", 200)
        refused = isinstance(status, int) and status >= 400
        return FAILED if self.function_error or refused or told.get("batchItemFailures") else 0


def invoke(aws: Aws, event: Any = None, *, qualifier: str | None = None) -> Answer:
    """Invoke the stage's alias (or `qualifier`) with an event, `{}` by default, and wait for the answer."""
    client, function = aws.invoker, aws.stage.function
    qualifier = qualifier or function.alias
    try:
        answer = client.invoke(
            FunctionName=function.name,
            Qualifier=qualifier,
            LogType="Tail",
            Payload=json.dumps({} if event is None else event).encode(),
        )
    except client.exceptions.ResourceNotFoundException:
        raise NotFound(
            f"there is no function {function.name}:{qualifier} in stage {aws.stage.name}",
            make("build push infra-deploy deploy", aws.stage),
        ) from None
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    return Answer(
        payload=_parsed(answer["Payload"].read().decode(errors="replace")),
        function_error=answer.get("FunctionError"),
        log=log,
        report=parse_report(log),
        version=answer.get("ExecutedVersion", ""),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def readable(payload: Any) -> str:
    """Return a payload as indented JSON, with a body that is JSON in a text unfolded."""
    if isinstance(payload, dict) and isinstance(payload.get("body"), str):
        payload = payload | {"body": _parsed(payload["body"])}
    return json.dumps(payload, indent=2, ensure_ascii=False)


def read_event(text: str | None) -> Any:
    """Return the event in a JSON text, or in the file that `@name` names; `{}` without either."""
    if not text:
        return {}
    where = "the event"
    try:
        if text.startswith("@"):
            where = text[1:]
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise OperationFailed(
            f"cannot read {where}: {error.strerror}", "name a file that is there: @file.json"
        ) from None
    except ValueError as error:
        raise OperationFailed(
            f"{where} is not JSON: {error}", """quote it for the shell: '{"source": "smoke"}'"""
        ) from None


def _render(answer: Answer, shell: Shell) -> None:
    from ._logs import render

    for line in answer.log.splitlines():
        shell.print(render(line), dim=True)
    shell.print(readable(answer.payload), **({"fg": "red"} if answer.exit_code else {}))
    if answer.function_error:
        shell.print(f"the function failed ({answer.function_error})", fg="red")
    if answer.report:
        shell.print(summary(answer.report, answer.version))


def summary(report: Report, version: str) -> str:
    """Return a report in two or three lines for people."""
    init = f"init {report.init_ms:.0f} ms, " if report.init_ms is not None else "warm, "
    text = (
        f"version {version}: {init}duration {report.duration_ms:.1f} ms, billed {report.billed_ms} ms, "
        f"peak memory {report.peak_memory_mb} of {report.memory_mb} MB\n"
        f"a million such invocations: {report.usd_per_million:.2f} USD"
    )
    return f"{text}\n{report.advice}" if report.advice else text


@verb(render=_render)
@click.argument("event", required=False)
@click.option("--qualifier", help="A version or alias; the stage's alias by default.")
def main(shell: Shell, event: str | None, qualifier: str | None) -> Answer:
    """Invoke the function with EVENT: JSON, or @file; {} by default, which scores one waiting job."""
    return invoke(shell.aws, read_event(event), qualifier=qualifier)


if __name__ == "__main__":
    main()
