"""What `status` and fault tests ask of a running instance, under /_local_aws/."""

import json
import os
import signal

from localstack.http import Response
from localstack.services.edge import ROUTER


def install() -> None:
    """Add the routes."""
    ROUTER.add("/_local_aws/ready", _ready, methods=["GET"])
    ROUTER.add("/_local_aws/status", _status, methods=["GET"])
    ROUTER.add("/_local_aws/environments/kill", _kill, methods=["POST"])


def _ready(request, **kwargs):
    """An answer means: the gateway serves."""
    return _answer({"ready": True})


def _status(request, **kwargs):
    """The functions, and the live execution environments: id, function, version, processes."""
    return _answer({"functions": _functions(), "environments": _environments()})


def _functions() -> list[dict]:
    from localstack.services.lambda_.invocation.models import lambda_stores

    return [
        {
            "name": function.function_name,
            "state": str(latest.config.state.state if latest.config.state else "Pending"),
            "image": latest.config.image.resolved_image_uri if latest.config.image else "",
        }
        for _, _, store in lambda_stores.iter_stores()
        for function in list(store.functions.values())
        if (latest := function.latest())
    ]


def _kill(request, **kwargs):
    """`kill -9` all processes of the environments of `function`, or of the one `id`; of all without either."""
    try:
        wanted = posted(request) or {}
    except ValueError as error:
        return refused([str(error)])
    if not isinstance(wanted, dict) or wanted.keys() - {"function", "id"}:
        return refused(['expected {"function": name}, {"id": id} or {}'])
    hit = [e for e in _environments() if all(wanted.get(key) in (None, e[key]) for key in ("function", "id"))]
    for entry in hit:
        for pid in entry["pids"]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    return _answer(hit)


def _environments() -> list[dict]:
    from local_aws.extension import executor

    return [
        {
            "id": key,
            "function": found.function_version.id.function_name,
            "version": found.function_version.id.qualifier,
            "pids": pids,
        }
        for key, found in list(executor.running.items())
        if (pids := found.environment.pids() if found.environment else [])  # a killed one waits for its next invocation
    ]


def posted(request):
    """The JSON of a request, None for an empty one; ValueError says what is wrong with it."""
    text = request.get_data()
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise ValueError(f"expected JSON: {error}") from error


def refused(problems: list[str]) -> Response:
    """All that is wrong with a request."""
    return Response(json.dumps({"problems": problems}), status=400, mimetype="application/json")


def _answer(content) -> Response:
    return Response(json.dumps(content), mimetype="application/json")
