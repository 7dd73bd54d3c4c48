"""The writes that complete a job: up to three actions of one DynamoDB transaction, of which all take effect or none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler.attribute_values import Attributes
from handler.records import COMPLETED, IN_PROGRESS, Job, create_outbox_record
from handler.tables import OUTBOX, SCORE_RESULT, SCORING_JOB, Tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef as TransactItem


@dataclass(frozen=True)
class Commit:
    """A job with its result; `token` has its lease, and `result` is None if the record exists already."""

    job: Job
    token: str
    result: Attributes | None

    def create_actions(self, tables: Tables, now: str, wall: float, expiry: Attributes) -> "list[TransactItem]":
        """Return the transaction's actions; `now` is the timestamp of `wall`.

        `expiry` are the attributes by which DynamoDB deletes job and result later; empty: they are kept.
        """
        actions: list[TransactItem] = [self.create_completion(tables, now, expiry)]
        actions.append({"Put": {"TableName": tables.name(OUTBOX), "Item": create_outbox_record(self.job, now, wall)}})
        if self.result is not None:
            table, absent = tables.name(SCORE_RESULT), "attribute_not_exists(id)"
            actions.append(
                {"Put": {"TableName": table, "Item": {**self.result, **expiry}, "ConditionExpression": absent}}
            )
        return actions

    def create_completion(self, tables: Tables, now: str, expiry: Attributes) -> "TransactItem":
        """Return the action that completes the job, if the token still has the lease.

        The condition also fails for a second commit by this token, since the first one removed the lease. `expiry` is
        empty if records are kept.
        """
        return {
            "Update": {
                "TableName": tables.name(SCORING_JOB),
                "Key": {"id": {"S": self.job.id}},
                "UpdateExpression": "SET #status = :completed, completedAt = :now, updatedAt = :now, "
                f"scoreResultId = :result{set_expiry(expiry)} "
                "REMOVE leaseOwner, leaseUntil, errorMessage, unfinishedClaims",
                "ConditionExpression": "leaseOwner = :token AND #status = :in_progress",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":completed": {"S": COMPLETED},
                    ":in_progress": {"S": IN_PROGRESS},
                    ":token": {"S": self.token},
                    ":now": {"S": now},
                    ":result": {"S": self.job.result_id},
                    **{f":{name}": value for name, value in expiry.items()},
                },
            }
        }


def set_expiry(expiry: Attributes) -> str:
    """Return what a SET clause adds to write the attributes of `expiry`, each with a value of its own name."""
    return "".join(f", {name} = :{name}" for name in expiry)
