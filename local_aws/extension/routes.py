"""HTTP routes under /_local_aws/, for `status` and fault tests."""

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
    """Answer whose gateway this is, to show that it is up."""
    return _answer({"ready": True, "key": os.environ["LOCAL_AWS_KEY"]})


def _status(request, **kwargs):
    """List the functions and the live execution environments: id, function, version, processes."""
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
    """Kill (SIGKILL) the processes of `function`'s environments, of the environment `id`, or of all environments."""
    try:
        wanted = parse_body(request) or {}
    except ValueError as error:
        return create_problem_response([str(error)])
    if not isinstance(wanted, dict) or wanted.keys() - {"function", "id"}:
        return create_problem_response(['expected {"function": name}, {"id": id} or {}'])
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
        if (
            pids := found.environment.pids() if found.environment else []
        )  # a killed environment restarts at its next invocation
    ]


def parse_body(request):
    """Return the request's JSON, None if it is empty. Raise ValueError with what is wrong with it."""
    text = request.get_data()
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise ValueError(f"expected JSON: {error}") from error


def create_problem_response(problems: list[str]) -> Response:
    """Return a response that lists every problem of a request."""
    return Response(json.dumps({"problems": problems}), status=400, mimetype="application/json")


def _answer(content) -> Response:
    return Response(json.dumps(content), mimetype="application/json")
