"""Record calls on request, so that a test can compare a role's policy with the calls that were made.

POST {"record": true} to /_local_aws/calls to start afresh, {"record": false} to stop. GET returns a JSON list of
distinct {"caller", "service", "operation", "parameters"}: `caller` is the access key (each function has its own;
users have `test`), `parameters` are the request's parameters that name resources.
"""

import json
import threading

from localstack.aws import handlers
from localstack.http import Response
from localstack.services.edge import ROUTER
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

from local_aws.extension.routes import create_problem_response, parse_body

PATH = "/_local_aws/calls"
NAMING = ("QueueUrl", "QueueName", "TableName", "IndexName", "RequestItems", "TransactItems", "Bucket", "Key")
"""The parameters that name resources."""

_seen: set[str] | None = None
_lock = threading.Lock()


def install() -> None:
    """Add the route and the handler."""
    handlers.serve_custom_service_request_handlers.append(_record)
    ROUTER.add(PATH, _switch, methods=["POST"])
    ROUTER.add(PATH, _list, methods=["GET"])


def _switch(request, **kwargs):
    global _seen
    try:
        wanted = parse_body(request)
    except ValueError as error:
        return create_problem_response([str(error)])
    if wanted not in ({"record": True}, {"record": False}):
        return create_problem_response(['expected {"record": true} or {"record": false}'])
    with _lock:
        _seen = set() if wanted["record"] else None
    return Response(status=204)


def _list(request, **kwargs):
    with _lock:
        return Response(f"[{','.join(sorted(_seen or ()))}]", mimetype="application/json")


def _record(chain, context, response) -> None:
    if _seen is None or not context.operation or context.is_internal_call:
        return
    call = {
        "caller": extract_access_key_id_from_auth_header(context.request.headers) or "",
        "service": context.service.service_name,
        "operation": context.operation.name,
        "parameters": resources(context.operation.name, context.service_request or {}),
    }
    with _lock:
        if _seen is not None:
            _seen.add(json.dumps(call, sort_keys=True))


def resources(operation: str, request: dict) -> dict:
    """Return the parameters that name resources; for batches and transactions, the tables and operations.

    Keys and contents of records are not among them.
    """
    named = {name: request[name] for name in NAMING if name in request}
    if operation in ("BatchGetItem", "BatchWriteItem"):
        named["RequestItems"] = sorted(request.get("RequestItems") or ())
    elif "TransactItems" in named:
        named["TransactItems"] = sorted(
            f"{action} {item[action]['TableName']}" for item in request["TransactItems"] for action in item
        )
    return {name: value for name, value in named.items() if name != "Key" or isinstance(value, str)}
