"""The worker's DynamoDB calls. Every write of a job is conditional on its lease, so a late worker changes no state."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler import attribute_values, aws, claim_conditions
from handler.attribute_values import Attributes
from handler.commit import Commit, set_expiry
from handler.exceptions import IncompleteJob, LeaseLost, Misconfigured, Unavailable, UnknownJob
from handler.message import is_possible_id
from handler.records import COMPLETED, EXPIRES, FAILED, IN_PROGRESS, PENDING, Job, OutboxEntry
from handler.settings import LONGEST_LEASE
from handler.tables import ACCOUNT, OUTBOX, SCORE, SCORE_VERSION, SCORING_JOB, Tables
from plexus import backoff

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeysAndAttributesUnionTypeDef as Keys
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef as TransactItem
    from mypy_boto3_dynamodb.type_defs import UpdateItemOutputTypeDef as UpdateItemOutput
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef as WriteRequest

Key = tuple[str, str]
"""The name of a table, without prefix, and the id of a record."""
Records = dict[Key, dict[str, Any]]

COMMIT_LIMIT = 10  # jobs of a transaction: 30 actions of DynamoDB's 100, and rarely its 4 MB
_BATCH_GET_LIMIT, _BATCH_WRITE_LIMIT = 100, 25
_BATCH_ATTEMPTS = 4
_BATCH_PAUSE = 0.05  # seconds, after the first attempt
_SCAN_PAGES = 8  # pages of 1 MB, each with thousands of entries
_REFUSED = "ConditionalCheckFailedException"


class ClaimResult(Enum):
    """The result of a claim: WON, or why the job cannot be claimed."""

    WON = "won"
    LEASED = "leased"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    OTHER_ACCOUNT = "other account"


class Store:
    """The worker's tables. Thread-safe; every method raises `Unavailable` or `Misconfigured`.

    `client` is boto3's DynamoDB client; `tables` names the tables, or is the prefix of their names. Times named
    `now`, `until` or `wall` are Unix seconds, unless they are strings: those are timestamps in the format of the
    records. Jobs that have ended, and their results, expire `expire_after` seconds later; with 0 they are kept.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        tables: Tables | str,
        sleep: Callable[[float], None] = time.sleep,
        wall: Callable[[], float] = time.time,
        expire_after: float = 0,
    ):
        self._tables = Tables(tables) if isinstance(tables, str) else tables
        self._client, self._sleep, self._wall, self._expire_after = client, sleep, wall, expire_after

    def find_account_id(self, key: str) -> str:
        """Return the id of the account with that key; raises `Misconfigured` unless there is exactly one."""
        accounts, table = self._query(ACCOUNT, "key", key), self._tables.name(ACCOUNT)
        if len(accounts) != 1:
            raise Misconfigured(
                f"account key {key!r}: got {len(accounts)} accounts in the table {table}, expected 1; "
                "next: check PLEXUS_ACCOUNT_KEY and PLEXUS_TABLE_PREFIX"
            )
        return str(accounts[0]["id"])

    def claim(
        self, job_id: str, account_id: str, token: str, now: float, until: float, skew: float
    ) -> tuple[ClaimResult, Job]:
        """Lease a job of the account until `until`, if it is PENDING or its lease expired more than `skew` seconds ago.

        A job that the original worker failed is claimed too, and one that it started once that attempt must have ended.
        A lease that no worker can have written is replaced: at once if it ends later than the longest lease can, and if
        its end is not a number, once the number in its text, if any, has expired. Returns the job's record as it is
        now; another account's is not written. Idempotent for a token: repeating a claim whose response was lost returns
        WON. Raises `UnknownJob`.
        """
        update = claim_conditions.claim_values(account_id, token, now, until)
        unleased = claim_conditions.create_unleased_values(now, skew)
        job, item = self._try_claim(job_id, claim_conditions.UNLEASED, update | unleased)
        odd = item.get("leaseUntil", {"N": "0"})
        is_stale = "N" not in odd and job.lease_until < now - skew
        # By the clock as it is now: if this process was suspended since `now`, the lease may be another's regular one.
        is_endless = job.lease_until > self._wall() + LONGEST_LEASE + skew
        if job.status == IN_PROGRESS and (is_stale or is_endless):
            job, _ = self._try_claim(job_id, claim_conditions.ODD_LEASE, {**update, ":odd": odd})
        if job.lease_owner == token:
            return ClaimResult.WON, job
        if job.account_id != account_id:
            return ClaimResult.OTHER_ACCOUNT, job
        refused = {IN_PROGRESS: ClaimResult.LEASED, COMPLETED: ClaimResult.COMPLETED, FAILED: ClaimResult.FAILED}
        return refused.get(job.status, ClaimResult.UNKNOWN), job

    def read_job(self, job_id: str) -> Job | None:
        """Read a scoring job's record, or None."""
        fields = self._get(SCORING_JOB, job_id)
        return Job.from_fields(fields) if fields else None

    def read(self, keys: Collection[Key]) -> Records:
        """Read records, in as few calls as BatchGetItem allows; those that do not exist are omitted."""
        records: Records = {}
        wanted = sorted(key for key in set(keys) if is_possible_id(key[1]))
        for start in range(0, len(wanted), _BATCH_GET_LIMIT):
            request: Mapping[str, Keys] = self._get_requests(wanted[start : start + _BATCH_GET_LIMIT])
            for attempt in range(1, _BATCH_ATTEMPTS + 1):
                with aws.calling("read the job's records"):
                    response = self._client.batch_get_item(RequestItems=request)
                for table, items in response["Responses"].items():
                    name = self._tables.table(table)
                    records |= {(name, item["id"]["S"]): attribute_values.decode_fields(item) for item in items}
                request = response.get("UnprocessedKeys") or {}
                if not request:
                    break
                self._sleep(backoff.pause(attempt, _BATCH_PAUSE))
            else:
                raise Unavailable("read the job's records: DynamoDB left keys unprocessed")
        return records

    def score_version(self, version_id: str) -> dict[str, Any] | None:
        """Read a version of a score, or None; a version never changes once written."""
        return self._get(SCORE_VERSION, version_id)

    def find_only_score(self, scorecard_id: str) -> dict[str, Any]:
        """Return the only score of a scorecard; raises `IncompleteJob` if it has none or several."""
        scores = self._query(SCORE, "scorecardId", scorecard_id)
        if len(scores) != 1:
            raise IncompleteJob(f"the job names no score, and its scorecard has {len(scores)} scores")
        return scores[0]

    def commit(self, commits: Sequence[Commit], now: str, wall: float) -> None:
        """In one transaction, put the jobs' results and outbox entries and complete the jobs, all of them or none.

        Up to `COMMIT_LIMIT` jobs. A job is only completed if its token has the lease, and a result only put if the
        record does not exist. A single commit is idempotent: returns normally if the job was completed before, by a
        commit whose response was lost or by another worker. Raises `LeaseLost`; if there are several jobs,
        `Unavailable` for any reason of a single one: each can be committed by itself.
        """
        expiry = self._expiry(wall)
        try:
            with aws.calling("commit the result"):
                self._transact(
                    [action for each in commits for action in each.create_actions(self._tables, now, wall, expiry)]
                )
        except _ConditionFailed:
            if len(commits) > 1:
                raise Unavailable("commit the results: not all jobs can be committed") from None
            self._after_refused_commit(commits[0].job, commits[0].token)

    def renew(self, job_id: str, token: str, until: float) -> bool:
        """Extend the lease until `until`; returns False if the token no longer has it."""
        ends: Attributes = {":until": attribute_values.encode(round(until, 3))}
        return self._update_leased(job_id, token, "SET leaseUntil = :until", ends)

    def release(self, job_id: str, token: str, error_message: str, has_run: bool) -> bool:
        """Set the job to PENDING and give up its lease; returns False if the token no longer has it. Idempotent.

        If the job has not run, earlier claims that recorded no outcome still count.
        """
        names: Attributes = {":to": {"S": PENDING}, ":error": attribute_values.encode(error_message)}
        update = "SET #status = :to, errorMessage = :error REMOVE leaseOwner, leaseUntil"
        if has_run:
            return self._update_leased(job_id, token, f"{update}, unfinishedClaims", names)
        names[":less"] = {"N": "-1"}
        return self._update_leased(job_id, token, f"{update} ADD unfinishedClaims :less", names)

    def withdraw_claim(self, job_id: str) -> None:
        """Subtract one from the claims that recorded no outcome; nothing is done if an outcome has removed them.

        For a worker that lives although its lease has passed to another one, whose state stays as it is.
        """
        names: Attributes = {":less": {"N": "-1"}, ":none": {"N": "0"}}
        condition = "attribute_exists(#status) AND :none < unfinishedClaims"
        with aws.calling("update the scoring job"), suppress(_ConditionFailed):
            self._update(job_id, "ADD unfinishedClaims :less", condition, names)

    def fail(self, job_id: str, token: str, error_message: str, now: str) -> bool:
        """Set the job to FAILED, with the reason; returns False if the token no longer has the lease. Idempotent."""
        expiry = self._expiry(self._wall())
        update = (
            f"SET #status = :to, errorMessage = :error, completedAt = :now, updatedAt = :now{set_expiry(expiry)} "
            "REMOVE leaseOwner, leaseUntil, unfinishedClaims"
        )
        names: Attributes = {":to": {"S": FAILED}, ":error": attribute_values.encode(error_message), ":now": {"S": now}}
        return self._update_leased(job_id, token, update, names | {f":{name}": at for name, at in expiry.items()})

    def read_outbox_entry(self, job_id: str) -> OutboxEntry | None:
        """Return the outbox entry of a job, or None if its response was sent."""
        fields = self._get(OUTBOX, job_id)
        return OutboxEntry.from_fields(fields) if fields else None

    def list_outbox_entries(self, account_id: str, created: float, limit: int) -> list[OutboxEntry]:
        """Return up to `limit` outbox entries that were created before a time in Unix seconds.

        So are those of a wrong clock, long after it. Those of other accounts are omitted, those of none are not.
        """
        latest = created + LONGEST_LEASE
        before, after = (attribute_values.encode(round(time, 3)) for time in (created, latest))
        account, number = attribute_values.encode(account_id), attribute_values.encode("N")
        request: dict[str, Any] = {
            "TableName": self._tables.name(OUTBOX),
            # `created` may have been written as text, which no number is less than.
            "FilterExpression": "(NOT attribute_type(created, :number) OR created < :before OR :after < created)"
            " AND (attribute_not_exists(accountId) OR accountId = :account)",
            "ExpressionAttributeValues": {":before": before, ":after": after, ":account": account, ":number": number},
        }
        entries: list[OutboxEntry] = []
        for _ in range(_SCAN_PAGES):
            with aws.calling("read the outbox"):
                response = self._client.scan(**request)
            results = [OutboxEntry.from_fields(attribute_values.decode_fields(item)) for item in response["Items"]]
            entries += [entry for entry in results if not created <= entry.created <= latest]
            if len(entries) >= limit or "LastEvaluatedKey" not in response:
                break
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
        return entries[:limit]

    def mark_sent(self, job_ids: Iterable[str]) -> None:
        """Delete the outbox entries of jobs whose responses were sent. Idempotent."""
        requests: list[WriteRequest] = [{"DeleteRequest": {"Key": _key(job_id)}} for job_id in sorted(set(job_ids))]
        for start in range(0, len(requests), _BATCH_WRITE_LIMIT):
            left: Mapping[str, Sequence[WriteRequest]] = {
                self._tables.name(OUTBOX): requests[start : start + _BATCH_WRITE_LIMIT]
            }
            for attempt in range(1, _BATCH_ATTEMPTS + 1):
                with aws.calling("mark responses as sent"):
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
                if not left:
                    break
                self._sleep(backoff.pause(attempt, _BATCH_PAUSE))
            else:
                raise Unavailable("mark responses as sent: DynamoDB left entries unprocessed")

    def _expiry(self, ended: float) -> Attributes:
        """Return the attributes by which the records of a job that ended then expire; empty if they are kept."""
        return {EXPIRES: {"N": str(int(ended + self._expire_after))}} if self._expire_after else {}

    def _try_claim(self, job_id: str, condition: str, names: Attributes) -> tuple[Job, Attributes]:
        """Write the lease if the condition is met; returns the job as it is now, and the attributes of its record."""
        try:
            with aws.calling("claim the scoring job"):
                item: Attributes = self._update(job_id, claim_conditions.CLAIM, condition, names)["Attributes"]
        except _ConditionFailed as failed:
            if not failed.item:
                raise UnknownJob(f"no scoring job has the id {job_id[:80]!r}") from None
            item = failed.item
        return Job.from_fields(attribute_values.decode_fields(item)), item

    def _update_leased(self, job_id: str, token: str, update: str, names: Attributes) -> bool:
        """Update a job if the token has its lease; returns whether the update took effect, now or before."""
        owned: Attributes = {":token": {"S": token}, ":in_progress": {"S": IN_PROGRESS}}
        try:
            with aws.calling("update the scoring job"):
                self._update(job_id, update, "leaseOwner = :token AND #status = :in_progress", names | owned)
        except _ConditionFailed as failed:
            # If the response to the same update was lost, a retry finds the wanted status, and no lease.
            wanted = names.get(":to", {}).get("S")
            return wanted is not None and failed.fields.get("status") == wanted
        return True

    def _update(self, job_id: str, update: str, condition: str, names: Attributes) -> "UpdateItemOutput":
        try:
            return self._client.update_item(
                TableName=self._tables.name(SCORING_JOB),
                Key=_key(job_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=names,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if aws.read_error_code(error) == _REFUSED:
                refused: dict[str, Any] = {**error.response}
                raise _ConditionFailed(refused.get("Item")) from None
            if aws.read_error_code(error) == "ValidationException":
                raise Misconfigured(claim_conditions.REFUSED) from None
            raise

    def _transact(self, items: "list[TransactItem]") -> None:
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            codes = aws.list_error_codes(error)
            if "ConditionalCheckFailed" in codes and not any(map(aws.is_transient, codes)):
                raise _ConditionFailed(None) from None
            raise

    def _after_refused_commit(self, job: Job, token: str) -> None:
        """Read the job to tell an earlier commit (return normally) from a lost lease (raise `LeaseLost`)."""
        result = self.read_job(job.id)
        if result and result.status == COMPLETED:
            return
        if result and result.lease_owner == token:
            raise Unavailable("commit the result: it exists, and the next attempt will adopt it")
        raise LeaseLost("another worker took the scoring job over before the result was committed")

    def _get(self, table: str, record_id: str) -> dict[str, Any] | None:
        if not is_possible_id(record_id):
            return None
        with aws.calling(f"read {table}"):
            response = self._client.get_item(
                TableName=self._tables.name(table), Key=_key(record_id), ConsistentRead=True
            )
        return attribute_values.decode_fields(response["Item"]) if "Item" in response else None

    def _query(self, table: str, name: str, value: str) -> list[dict[str, Any]]:
        with aws.calling(f"query {table}"):
            response = self._client.query(
                TableName=self._tables.name(table),
                IndexName=self._tables.index(table),
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
                Limit=2,
            )
        return [attribute_values.decode_fields(item) for item in response["Items"]]

    def _get_requests(self, keys: Iterable[Key]) -> "dict[str, Keys]":
        """Return the request for BatchGetItem. Reads are consistent: a record just written must not be missing."""
        by_table: dict[str, list[Attributes]] = {}
        for table, record_id in keys:
            by_table.setdefault(self._tables.name(table), []).append(_key(record_id))
        return {table: {"Keys": records, "ConsistentRead": True} for table, records in by_table.items()}


class _ConditionFailed(Exception):
    """A condition was not met. `item` is the existing record, and empty if there is none; `fields` are its values."""

    def __init__(self, item: Attributes | None):
        super().__init__()
        self.item: Attributes = item or {}
        self.fields = attribute_values.decode_fields(self.item)


def _key(record_id: str) -> Attributes:
    return {"id": {"S": record_id}}
