"""Send results to the original's GraphQL API, whose subscribers and dashboard then have them.

Each result has the id of its record, which is derived from its job's id. The API creates a record once and refuses its
id afterwards, so that sending it again, after a lost answer or in another run, has no effect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from handler.original_form import describe_cost

from ..aws.backoff import generate_pauses
from ..aws.dynamodb import Record
from ..aws.http import LOOPBACK, Http, NoAnswer
from ..console.errors import OperationFailed
from ..console.output import to_json_types

ATTEMPTS = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
CREATE = "mutation Create($input: CreateScoreResultInput!) { createScoreResult(input: $input) { id } }"
READ = "query Read($id: ID!) { getScoreResult(id: $id) { id value itemId scoreId scoringJobId } }"
#: Amplify creates a record under the condition that its id is new.
_EXISTS = "ConditionalCheckFailed"
_COPIED = ("id", "value", "confidence", "type", "status", "code", "itemId", "accountId", "scoringJobId")
_IDS = ("scorecardId", "scoreId", "scoreVersionId", "createdAt", "updatedAt")
_IDENTITY = ("value", "itemId", "scoreId", "scoringJobId")


@dataclass(frozen=True)
class Published:
    """The outcome of one result: `created`, `present` (the API has it), or `refused` with the reason."""

    id: str
    action: str
    reason: str = ""


@dataclass(frozen=True)
class Api:
    """A GraphQL API with an API key."""

    url: str
    key: str
    http: Http

    @classmethod
    def of(cls, url: str, key: str) -> Api:
        """Check address and key. OperationFailed if one is missing, or the key would be sent unencrypted.

        Nothing is sent. Plain HTTP is accepted for the loopback only.
        """
        parts = urlsplit(url)
        if not url or not key:
            missing = " and ".join(n for n, value in (("PLEXUS_API_URL", url), ("PLEXUS_API_KEY", key)) if not value)
            raise OperationFailed(f"{missing}: not set", "export the address and the key of the GraphQL API")
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise OperationFailed(f"PLEXUS_API_URL: got {url}, expected https://…", "correct the variable")
        return cls(url, key, Http())

    def execute(self, query: str, variables: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
        """Return the data and the errors of one operation; connections, throttling and server errors are retried.

        Raises OperationFailed if there is no answer after five attempts, and for a refused key or address.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", "x-api-key": self.key}
        problem = ""
        for attempt, pause_s in enumerate(generate_pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S), start=1):
            try:
                answer = self.http.request("POST", self.url, headers, body)
            except NoAnswer as error:
                problem = str(error)
            else:
                if answer.status == 200:
                    return _parse(answer.content)
                problem = f"status {answer.status}: {answer.reason}"
                if answer.status != 429 and answer.status < 500:
                    break
            if attempt == ATTEMPTS:
                break
            time.sleep(pause_s)
        raise OperationFailed(f"the GraphQL API did not answer: {problem}", "check PLEXUS_API_URL and PLEXUS_API_KEY")


def _parse(content: bytes) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    try:
        document = json.loads(content)
        return document.get("data") or {}, document.get("errors") or []
    except (ValueError, AttributeError):
        raise OperationFailed("the GraphQL API: got no JSON object, expected one", "check PLEXUS_API_URL") from None


def publish(api: Api, records: Sequence[Record], at_once: int, done: Callable[[int], None]) -> Iterator[Published]:
    """Send each result, `at_once` at a time, and yield its outcome, in order; `done` is called with 1 for each.

    A result that the API rejects is an outcome, not an exception: the others are sent all the same. All records are
    queued at once, so that a consumer that stops early waits for every one of them.
    """

    def publish_record(record: Record) -> Published:
        published = _send(api, record)
        done(1)
        return published

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(publish_record, records)


def _send(api: Api, record: Record) -> Published:
    identity = str(record["id"])
    _, errors = api.execute(CREATE, {"input": create_input(record)})
    if not errors:
        return Published(identity, "created")
    if not any(_EXISTS in f"{error.get('errorType')} {error.get('message')}" for error in errors):
        return Published(identity, "refused", "; ".join(str(error.get("message")) for error in errors))
    data, errors = api.execute(READ, {"id": identity})
    present = data.get("getScoreResult") or {}
    differing = [name for name in _IDENTITY if present.get(name) != record.get(name)]
    if errors or differing:
        return Published(identity, "refused", f"another result has its id: {', '.join(differing) or 'not readable'}")
    return Published(identity, "present")


def create_input(record: Record) -> dict[str, Any]:
    """Return a result's record, with `item` its item's external id, as the original's CreateScoreResultInput.

    JSON fields are text. A field that was moved to S3 is named in `attachments`. The cost and the attachments of a
    record from Amplify's tables are sent as they are.
    """
    moved = [str(value["s3"]) for value in record.values() if isinstance(value, Mapping) and "s3" in value]
    attachments = [*(record.get("attachments") or ()), *moved]
    present = {name: value for name, value in record.items() if not (isinstance(value, Mapping) and "s3" in value)}
    fields = {name: to_json_types(present[name]) for name in (*_COPIED, *_IDS) if present.get(name) is not None}
    explanation = present.get("explanation")
    metadata = {"source": "Worker", "cached_at": record.get("createdAt"), "external_id": record.get("item")}
    fields |= {} if explanation is None else {"explanation": explanation}
    fields["metadata"] = _json(metadata | ({} if explanation is None else {"explanation": explanation}))
    if (cost := _cost(present)) is not None:
        fields["cost"] = _json(cost)
    if present.get("trace") is not None:
        fields["trace"] = _json(present["trace"])
    return fields | ({"attachments": attachments} if attachments else {})


def _cost(record: Record) -> dict[str, Any] | None:
    cost = record.get("cost")
    if isinstance(cost, Mapping):
        return dict(cost)
    return describe_cost(cost, (record.get("metadata") or {}).get("usage") or {})


def _json(value: object) -> str:
    return json.dumps(to_json_types(value), ensure_ascii=False)
