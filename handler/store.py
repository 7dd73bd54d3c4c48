"""The worker's records in DynamoDB. Every write is conditional, so that repeating it changes nothing."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from handler import aws, values
from handler.clock import timestamp
from handler.exceptions import IncompleteJob, LeaseLost, Misconfigured, Unavailable, UnknownJob
from handler.records import COMPLETED, FAILED, IN_PROGRESS, PENDING, Job
from handler.values import Attributes

ITEM, SCORECARD, SCORE, SCORE_VERSION = "Item", "Scorecard", "Score", "ScoreVersion"
SCORING_JOB, SCORE_RESULT, OUTBOX, ACCOUNT = "ScoringJob", "ScoreResult", "Outbox", "Account"

Key = tuple[str, str]
"""A table's name without prefix, and a record's id."""
Records = dict[Key, dict[str, Any]]

_BATCH_GET_LIMIT, _BATCH_WRITE_LIMIT = 100, 25
_BATCH_ATTEMPTS = 4
_SCAN_PAGES = 8  # of 1 MB: thousands of entries each
_REFUSED = "ConditionalCheckFailedException"


class Claimed(Enum):
    """How a claim ended."""

    WON = "won"
    LEASED = "leased"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Unsent:
    """An outbox entry: a committed result whose response may not have been sent."""

    scoring_job_id: str
    score_result_id: str
    created: float


class Store:
    """`client` is boto3's DynamoDB client; `prefix` goes before each table's name."""

    def __init__(self, client: Any, prefix: str, sleep: Callable[[float], None] = time.sleep):
        self._client, self._prefix, self._sleep = client, prefix, sleep

    def account_id(self, key: str) -> str:
        """The id of the account with that key; raises `Misconfigured` unless there is exactly one."""
        found = self._query(ACCOUNT, "byKey", "key", key)
        if len(found) != 1:
            raise Misconfigured(
                f"{len(found)} accounts have the key {key!r} in the table {self._prefix}{ACCOUNT}, expected one; "
                "check PLEXUS_ACCOUNT_KEY and PLEXUS_TABLE_PREFIX"
            )
        return str(found[0]["id"])

    def claim(self, job_id: str, token: str, now: float, until: float, skew: float) -> tuple[Claimed, Job]:
        """Lease a job that is PENDING, or whose lease ended more than `skew` seconds ago, until `until`.

        Times are wall clock seconds. Raises `UnknownJob`. A claim whose answer was lost is recognised by its token.
        """
        try:
            with aws.calling("claim the scoring job"):
                job = self._try_claim(job_id, token, now, until, now - skew)
        except _Refusal as refusal:
            if not refusal.fields:
                raise UnknownJob(f"no scoring job has the id {job_id[:80]!r}") from None
            job = Job.of(refusal.fields)
        if job.lease_owner == token:
            return Claimed.WON, job
        refused = {IN_PROGRESS: Claimed.LEASED, COMPLETED: Claimed.COMPLETED, FAILED: Claimed.FAILED}
        return refused.get(job.status, Claimed.UNKNOWN), job

    def read(self, keys: Collection[Key]) -> Records:
        """The records that exist of those keys, in as few calls as BatchGetItem allows."""
        found: Records = {}
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), _BATCH_GET_LIMIT):
            request = self._get_requests(wanted[start : start + _BATCH_GET_LIMIT])
            for attempt in range(_BATCH_ATTEMPTS):
                with aws.calling("read the job's records"):
                    answer = self._client.batch_get_item(RequestItems=request)
                for table, items in answer["Responses"].items():
                    name = table[len(self._prefix) :]
                    found |= {(name, item["id"]["S"]): values.fields(item) for item in items}
                request = answer.get("UnprocessedKeys") or {}
                if not request:
                    break
                self._sleep(0.05 * 2**attempt)
            else:
                raise Unavailable("read the job's records: DynamoDB left keys unprocessed")
        return found

    def score_version(self, version_id: str) -> dict[str, Any] | None:
        """A score's version; it never changes once written."""
        return self._get(SCORE_VERSION, version_id)

    def only_score(self, scorecard_id: str) -> dict[str, Any]:
        """The one score of a scorecard; raises `IncompleteJob` where the job would have to name one."""
        found = self._query(SCORE, "byScorecard", "scorecardId", scorecard_id)
        if len(found) != 1:
            raise IncompleteJob(f"the job names no score, and its scorecard has {len(found)} scores")
        return found[0]

    def commit(self, job: Job, token: str, result: Attributes | None, now: str, wall: float) -> None:
        """Put the result, complete the job and put the outbox entry, all or none; fenced by the lease's token.

        Without a result (there is one already) the other two are written. Returns also where the same was committed
        before: the answer was lost, or another worker came first. Raises `LeaseLost`.
        """
        items = [self._completion(job, token, now), self._outbox_entry(job, now, wall)]
        if result is not None:
            put = {"TableName": self._prefix + SCORE_RESULT, "Item": result}
            items.append({"Put": {**put, "ConditionExpression": "attribute_not_exists(id)"}})
        try:
            with aws.calling("commit the result"):
                self._transact(items)
        except _Refusal:
            self._after_refused_commit(job, token)

    def renew(self, job_id: str, token: str, until: float) -> bool:
        """A later end of the lease; False where it is no longer ours."""
        return self._update_leased(job_id, token, "SET leaseUntil = :until", {":until": values.encode(round(until, 3))})

    def release(self, job_id: str, token: str, error_message: str) -> bool:
        """Back to PENDING for another attempt; False where the lease is no longer ours."""
        return self._update_leased(
            job_id,
            token,
            "SET #status = :to, errorMessage = :error REMOVE leaseOwner, leaseUntil",
            {":to": {"S": PENDING}, ":error": values.encode(error_message)},
        )

    def fail(self, job_id: str, token: str, error_message: str, now: str) -> bool:
        """FAILED for good, with the reason; False where the lease is no longer ours."""
        return self._update_leased(
            job_id,
            token,
            "SET #status = :to, errorMessage = :error, completedAt = :now REMOVE leaseOwner, leaseUntil",
            {":to": {"S": FAILED}, ":error": values.encode(error_message), ":now": {"S": now}},
        )

    def unsent(self, job_id: str) -> Unsent | None:
        """The outbox entry of a job, where its response may not have been sent."""
        fields = self._get(OUTBOX, job_id)
        return _unsent(fields) if fields else None

    def unsent_before(self, created: float, most: int) -> list[Unsent]:
        """Up to `most` outbox entries that were made before a time: what a crash left, among what is under way."""
        request: dict[str, Any] = {
            "TableName": self._prefix + OUTBOX,
            "FilterExpression": "attribute_not_exists(created) OR created < :before",
            "ExpressionAttributeValues": {":before": values.encode(round(created, 3))},
        }
        found: list[Unsent] = []
        for _ in range(_SCAN_PAGES):
            with aws.calling("read the outbox"):
                answer = self._client.scan(**request)
            found += [_unsent(values.fields(item)) for item in answer["Items"]]
            if len(found) >= most or "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found[:most]

    def mark_sent(self, job_ids: Iterable[str]) -> None:
        """Remove outbox entries whose responses were sent."""
        requests = [{"DeleteRequest": {"Key": _key(job_id)}} for job_id in sorted(set(job_ids))]
        for start in range(0, len(requests), _BATCH_WRITE_LIMIT):
            left = {self._prefix + OUTBOX: requests[start : start + _BATCH_WRITE_LIMIT]}
            for attempt in range(_BATCH_ATTEMPTS):
                with aws.calling("mark responses as sent"):
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
                if not left:
                    break
                self._sleep(0.05 * 2**attempt)
            else:
                raise Unavailable("mark responses as sent: DynamoDB left entries unprocessed")

    def _try_claim(self, job_id: str, token: str, now: float, until: float, stale: float) -> Job:
        answer = self._update(
            job_id,
            "SET #status = :to, leaseOwner = :token, leaseUntil = :until, startedAt = :now ADD attempts :one",
            "attribute_exists(id) AND (#status = :pending OR (#status = :to AND "
            "(attribute_not_exists(leaseUntil) OR leaseUntil < :stale)))",
            {
                ":to": {"S": IN_PROGRESS},
                ":pending": {"S": PENDING},
                ":token": {"S": token},
                ":until": values.encode(round(until, 3)),
                ":stale": values.encode(round(stale, 3)),
                ":now": {"S": timestamp(now)},
                ":one": {"N": "1"},
            },
        )
        return Job.of(values.fields(answer["Attributes"]))

    def _update_leased(self, job_id: str, token: str, update: str, names: Attributes) -> bool:
        """An update that only the lease's owner can make."""
        owned = {":token": {"S": token}, ":in_progress": {"S": IN_PROGRESS}}
        try:
            with aws.calling("update the scoring job"):
                self._update(job_id, update, "leaseOwner = :token AND #status = :in_progress", names | owned)
        except _Refusal as refusal:
            # Our own earlier update whose answer was lost leaves the state that we wanted, without a lease.
            wanted = names.get(":to", {}).get("S")
            return wanted is not None and refusal.fields.get("status") == wanted
        return True

    def _update(self, job_id: str, update: str, condition: str, names: Attributes) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.update_item(
                TableName=self._prefix + SCORING_JOB,
                Key=_key(job_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=names,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if aws.code_of(error) == _REFUSED:
                raise _Refusal(error.response.get("Item")) from None
            raise
        return answer

    def _completion(self, job: Job, token: str, now: str) -> dict[str, Any]:
        """The part of the transaction that completes the job, if the lease is still ours."""
        return {
            "Update": {
                "TableName": self._prefix + SCORING_JOB,
                "Key": _key(job.id),
                "UpdateExpression": "SET #status = :completed, completedAt = :now, scoreResultId = :result "
                "REMOVE leaseOwner, leaseUntil, errorMessage",
                "ConditionExpression": "leaseOwner = :token AND #status = :in_progress",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":completed": {"S": COMPLETED},
                    ":in_progress": {"S": IN_PROGRESS},
                    ":token": {"S": token},
                    ":now": {"S": now},
                    ":result": {"S": job.result_id},
                },
            }
        }

    def _outbox_entry(self, job: Job, now: str, wall: float) -> dict[str, Any]:
        entry = {"id": job.id, "scoreResultId": job.result_id, "createdAt": now, "created": round(wall, 3)}
        return {"Put": {"TableName": self._prefix + OUTBOX, "Item": values.record(entry)}}

    def _transact(self, items: list[dict[str, Any]]) -> None:
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if any(code and aws.is_transient(code) for code in codes):
                raise Unavailable("commit the result: the transaction met another one") from None
            if "ConditionalCheckFailed" in codes:
                raise _Refusal(None) from None
            raise

    def _after_refused_commit(self, job: Job, token: str) -> None:
        """Tells a commit that was made before from a lost lease; the job's record says which."""
        fields = self._get(SCORING_JOB, job.id) or {}
        if fields.get("status") == COMPLETED:
            return
        if fields.get("leaseOwner") == token:
            raise Unavailable("commit the result: it exists, and the next attempt will adopt it")
        raise LeaseLost("another worker took the scoring job over before the result was committed")

    def _get(self, table: str, record_id: str) -> dict[str, Any] | None:
        with aws.calling(f"read {table}"):
            answer = self._client.get_item(TableName=self._prefix + table, Key=_key(record_id), ConsistentRead=True)
        return values.fields(answer["Item"]) if "Item" in answer else None

    def _query(self, table: str, index: str, name: str, value: str) -> list[dict[str, Any]]:
        with aws.calling(f"query {table}"):
            answer = self._client.query(
                TableName=self._prefix + table,
                IndexName=index,
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
                Limit=2,
            )
        return [values.fields(item) for item in answer["Items"]]

    def _get_requests(self, keys: Iterable[Key]) -> dict[str, Any]:
        """BatchGetItem's request; consistent, since a record that was just written must not count as missing."""
        requests: dict[str, Any] = {}
        for table, record_id in keys:
            request = requests.setdefault(self._prefix + table, {"Keys": [], "ConsistentRead": True})
            request["Keys"].append(_key(record_id))
        return requests


class _Refusal(Exception):
    """A condition was not met; `fields` are the record's, empty where there is none."""

    def __init__(self, item: Attributes | None):
        super().__init__()
        self.fields = values.fields(item) if item else {}


def _key(record_id: str) -> Attributes:
    return {"id": {"S": record_id}}


def _unsent(fields: dict[str, Any]) -> Unsent:
    return Unsent(str(fields["id"]), str(fields["scoreResultId"]), float(fields.get("created") or 0))
