"""What `status` says of an instance."""

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
    """An instance and what it runs; `orphans` are processes of an instance that is gone."""

    name: str
    instance: Instance | None
    functions: tuple[dict[str, Any], ...] = ()
    environments: tuple[dict[str, Any], ...] = ()
    orphans: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        found = self.instance
        return {
            "name": self.name,
            "running": found is not None,
            "pid": found.pid if found else None,
            "endpoint": found.endpoint if found else None,
            "registry": found.registry if found else None,
            "engine": found.engine if found else None,
            "guarantees": found.guarantees if found else None,
            "functions": list(self.functions),
            "environments": list(self.environments),
            "orphans": list(self.orphans),
        }


def status(name: str | None = None) -> Status:
    """Ask a running instance; of one that is gone tell what it left."""
    name = name or instance.default_name()
    found = instance.find(name)
    if found is None:
        left = control.leftovers(name)
        return Status(name, None, orphans=tuple(f"{what} (pid {process.pid})" for what, process in left.items()))
    try:
        told = ask(found, "/_local_aws/status")
    except (OSError, http.client.HTTPException) as error:
        text = f"instance {name} (pid {found.pid}) does not answer on {found.endpoint}: {error}"
        where = instance.folder(name) / "log"
        raise LocalAwsError(f"{text}; start it again (python3 -m local_aws start); its log is {where}") from error
    return Status(name, found, tuple(told["functions"]), tuple(told["environments"]))


def ask(found: Instance, path: str, content: Any = None) -> Any:
    """GET a route of a running instance, or POST JSON to it; the JSON that it answers, None for an empty answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}  # else the server takes the body for a form
    request = urllib.request.Request(found.endpoint + path, data=body, headers=headers)
    with opener.open(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def describe(told: Status) -> str:
    """A few lines for people."""
    if told.instance is None:
        lines = [f"{told.name}: not running"]
        lines += [f"  orphan: {orphan} (start or stop ends it)" for orphan in told.orphans]
        return "\n".join(lines)
    found = told.instance
    minutes = int(time.time() - found.started) // 60
    lines = [
        f"{told.name}: running on {found.endpoint.removeprefix('http://')} (pid {found.pid}, {minutes} min)",
        f"  registry   {found.registry}",
        f"  engine     {found.engine}: {promises(found)}",
    ]
    for function in told.functions:
        lines.append(f"  function   {function['name']}: {function['state']}, {function['image']}")
    for environment in told.environments:
        pids = ", ".join(map(str, environment["pids"])) or "none"
        lines.append(f"  container  {environment['id'][:12]} of {environment['function']}: pids {pids}")
    return "\n".join(lines)


def promises(found: Instance) -> str:
    """The engine's guarantees in words."""
    told = found.guarantees
    words = [name.replace("_", " ") for name in ("read_only_root", "private_tmp", "own_user", "own_pids") if told[name]]
    isolation = ", ".join(words) or "no isolation: functions run as this user, on this machine's files"
    return f"{isolation}; memory limit by {told['memory_limit']}, freeze by {told['freeze']}"
