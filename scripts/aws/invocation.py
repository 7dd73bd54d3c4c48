"""Invoke the function synchronously."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..console.errors import FAILED, NotFound, OperationFailed
from .clients import Aws, make
from .report import Report, parse_report


@dataclass(frozen=True)
class Invocation:
    """A finished invocation: the payload (parsed if it is JSON), the last 4 KB of its log, and Lambda's report."""

    payload: Any
    function_error: str | None
    log: str
    report: Report | None
    version: str

    @property
    def exit_code(self) -> int:
        """1 if the function failed, returned a status from 400 on, or reported batch item failures."""
        response = self.payload if isinstance(self.payload, dict) else {}
        status = response.get("statusCode", 200)
        refused = isinstance(status, int) and status >= 400
        return FAILED if self.function_error or refused or response.get("batchItemFailures") else 0


def invoke(aws: Aws, event: Any = None, *, qualifier: str | None = None) -> Invocation:
    """Invoke the stage's alias, or `qualifier`, with an event (default `{}`) and wait for its result.

    NotFound if the function or the qualifier does not exist. Not idempotent: `{}` takes a job from the queue.
    """
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
    return Invocation(
        payload=_parse_payload(answer["Payload"].read().decode(errors="replace")),
        function_error=answer.get("FunctionError"),
        log=log,
        report=parse_report(log),
        version=answer.get("ExecutedVersion", ""),
    )


def _parse_payload(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # an image of another runtime may return any text
        return text


def format_payload(payload: Any) -> str:
    """Format a payload as indented JSON; a `body` that is a string of JSON is expanded."""
    if isinstance(payload, dict) and isinstance(payload.get("body"), str):
        payload = payload | {"body": _parse_payload(payload["body"])}
    return json.dumps(payload, indent=2, ensure_ascii=False)


def read_event(text: str | None) -> Any:
    """Parse an event: JSON, or the contents of the file in `@file`; `{}` if `text` is empty.

    OperationFailed if the file cannot be read, or the text is not JSON. Any JSON value is returned, not only an
    object.
    """
    if not text:
        return {}
    where = "the event"
    try:
        if text.startswith("@"):
            where = text[1:]
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise OperationFailed(f"cannot read {where}: {error.strerror}", "name an existing file: @file.json") from None
    except ValueError as error:
        raise OperationFailed(
            f"{where} is not JSON: {error}", """quote it for the shell: '{"source": "smoke"}'"""
        ) from None
