"""Inject faults on request, so that error paths can be tested against the real services.

POST a JSON list to /_local_aws/faults to replace the rules. Keys of a rule: `operation` ("dynamodb.PutItem", or a
pattern such as "*.*"); `when` ("before": the call has no effect; "after": it has, but the caller gets an error);
`times` (default 1); `code`, `message` and `status` of the error (without `code`, a "before" rule only delays); `delay`
(seconds); `hold` (the call waits until the rules are replaced, at most that many seconds, and then succeeds); `skip`
(calls to let pass first); `contains` and `also` (match only calls whose parameters contain these texts); `caller`
(match only calls with this access key). GET returns the rules; `hit` names the operation that a rule matched last.
"""

import json
import threading
import time
from fnmatch import fnmatchcase

from localstack.aws import handlers
from localstack.aws.api import CommonServiceException
from localstack.http import Response
from localstack.services.edge import ROUTER
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

from local_aws.extension.routes import create_problem_response, parse_body

PATH = "/_local_aws/faults"
KINDS = {
    **dict.fromkeys(("operation", "when", "code", "message", "contains", "also", "caller"), str),
    **dict.fromkeys(("times", "status", "skip"), int),
    **dict.fromkeys(("delay", "hold"), (int, float)),
}

_rules: list[dict] = []
_lock = threading.Lock()
_replaced = threading.Condition(_lock)


def install() -> None:
    """Add the route and the handlers."""
    handlers.serve_custom_service_request_handlers.append(_before)
    handlers.run_custom_response_handlers.append(_after)
    ROUTER.add(PATH, _set, methods=["POST", "PUT"])
    ROUTER.add(PATH, _get, methods=["GET"])


def _get(request, **kwargs):
    with _lock:
        return Response(json.dumps(_rules), mimetype="application/json")


def _set(request, **kwargs):
    try:
        wanted = parse_body(request) or []
    except ValueError as error:
        return create_problem_response([str(error)])
    if not isinstance(wanted, list) or not all(isinstance(rule, dict) for rule in wanted):
        return create_problem_response(["expected a list of objects"])
    if problems := [problem for number, rule in enumerate(wanted) for problem in _problems(number, rule)]:
        return create_problem_response(problems)
    with _lock:
        _rules[:] = [{"when": "before", "times": 1, "skip": 0, **rule} for rule in wanted]
        _replaced.notify_all()
    return Response(status=204)


def _problems(number: int, rule: dict) -> list[str]:
    problems = [f"rule {number}: unknown key {key!r}" for key in sorted(rule.keys() - KINDS.keys())]
    for key, kinds in KINDS.items():
        if key in rule and not _is_one(rule[key], kinds):
            problems.append(f"rule {number}: {key} must be {'a text' if kinds is str else 'a number, 0 or more'}")
    if "." not in str(rule.get("operation", "")):
        problems.append(f"rule {number}: operation must be like dynamodb.PutItem")
    if rule.get("when", "before") not in ("before", "after"):
        problems.append(f"rule {number}: when must be before or after")
    return problems


def _is_one(value, kinds) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool) and (kinds is str or value >= 0)


def _take(context, when: str) -> dict | None:
    if not _rules or not getattr(context, "operation", None) or context.is_internal_call:
        return None
    name = f"{context.service.service_name}.{context.operation.name}"
    with _lock:
        for rule in _rules:
            if not fnmatchcase(name, rule["operation"]) or rule["when"] != when or rule["times"] <= 0:
                continue
            if "caller" in rule and rule["caller"] != extract_access_key_id_from_auth_header(context.request.headers):
                continue
            request = json.dumps(context.service_request, default=str)
            if rule.get("contains", "") not in request or rule.get("also", "") not in request:
                continue
            if rule["skip"] > 0:
                rule["skip"] -= 1
                continue
            rule["times"] -= 1
            rule["hit"] = name
            return rule
    return None


def _wait(rule: dict) -> None:
    time.sleep(rule.get("delay", 0))
    if "hold" in rule:
        with _replaced:
            _replaced.wait_for(lambda: all(rule is not one for one in _rules), rule["hold"])


def _before(chain, context, response) -> None:
    if rule := _take(context, "before"):
        _wait(rule)
        if "code" in rule:
            raise CommonServiceException(
                rule["code"], rule.get("message", "injected fault"), status_code=rule.get("status", 400)
            )


def _after(chain, context, response) -> None:
    # Response handlers also see failed calls, which had no effect to hide.
    if response.status_code < 300 and (rule := _take(context, "after")):
        _wait(rule)
        if "hold" in rule:
            return
        response.status_code = rule.get("status", 500)
        response.set_response(b"injected fault")
