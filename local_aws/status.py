"""Status of an instance."""

import http.client
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from local_aws import control, instance
from local_aws.exceptions import LocalAwsError
from local_aws.instance import Instance


@dataclass(frozen=True)
class Status:
    """An instance and what it runs; `orphans` are processes that a dead instance left behind."""

    name: str
    instance: Instance | None
    functions: tuple[dict[str, Any], ...] = ()
    environments: tuple[dict[str, Any], ...] = ()
    orphans: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the status as JSON-serialisable values."""
        local = self.instance
        return {
            "name": self.name,
            "running": local is not None,
            "pid": local.pid if local else None,
            "endpoint": local.endpoint if local else None,
            "registry": local.registry if local else None,
            "engine": local.engine if local else None,
            "guarantees": local.guarantees if local else None,
            "functions": list(self.functions),
            "environments": list(self.environments),
            "orphans": list(self.orphans),
        }


def read_status(name: str | None = None) -> Status:
    """Query a running instance; for a dead one, list what it left behind.

    Raises LocalAwsError if a live instance does not answer.
    """
    name = name or instance.read_default_name()
    local = instance.find(name)
    if local is None:
        left = control.find_leftovers(name)
        return Status(name, None, orphans=tuple(f"{what} (pid {process.pid})" for what, process in left.items()))
    try:
        answer = ask(local, "/_local_aws/status")
    except (OSError, http.client.HTTPException) as error:
        text = f"instance {name} (pid {local.pid}) does not answer on {local.endpoint}: {error}"
        where = instance.locate_folder(name) / "log"
        raise LocalAwsError(f"{text}; start it again (python3 -m local_aws start); its log is {where}") from error
    return Status(name, local, tuple(answer["functions"]), tuple(answer["environments"]))


def ask(instance: Instance, path: str, content: Any = None) -> Any:
    """GET a route of a running instance, or POST JSON to it. Return the decoded response, None if it is empty."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}  # otherwise the server parses the body as a form
    request = urllib.request.Request(instance.endpoint + path, data=body, headers=headers)
    with opener.open(request, timeout=control.ANSWER_LIMIT_S) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def describe(status: Status) -> str:
    """Format the status as text."""
    if status.instance is None:
        lines = [f"{status.name}: not running"]
        lines += [f"  orphan: {orphan} (start or stop kills it)" for orphan in status.orphans]
        return "\n".join(lines)
    local = status.instance
    minutes = int(time.time() - local.started) // 60
    lines = [
        f"{status.name}: running on {local.endpoint.removeprefix('http://')} (pid {local.pid}, {minutes} min)",
        f"  registry   {local.registry}",
        f"  engine     {local.engine}: {describe_guarantees(local)}",
    ]
    for function in status.functions:
        lines.append(f"  function   {function['name']}: {function['state']}, {function['image']}")
    for environment in status.environments:
        pids = ", ".join(map(str, environment["pids"])) or "none"
        lines.append(f"  container  {environment['id'][:12]} of {environment['function']}: pids {pids}")
    return "\n".join(lines)


def describe_guarantees(instance: Instance) -> str:
    """Describe the engine's guarantees."""
    guarantees = instance.guarantees
    words = [name.replace("_", " ") for name, kept in guarantees.items() if kept is True]
    because = f", because {reason}" if (reason := guarantees.get("reason")) else ""
    if words and because:
        words[-1] += because
    isolation = ", ".join(words) or f"no isolation: functions run as this user on this machine's file system{because}"
    return f"{isolation}; memory limit by {guarantees['memory_limit']}, freeze by {guarantees['freeze']}"
