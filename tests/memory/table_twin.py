"""The same empty tables in the model and on the local AWS, on which the same steps run."""

from typing import Any

from handler.tables import ACCOUNT, OUTBOX, SCORE_RESULT, SCORING_JOB
from tests.memory.dynamodb import MemoryDynamoDB
from tests.memory.table_steps import Call, Step, view
from tests.memory.twin import Recorded
from tests.memory.wire import Wire

LINE = 40  # of the wire: no other test uses it at the same time
PREFIX = "memory-model-"
_USED = (SCORING_JOB, SCORE_RESULT, OUTBOX, ACCOUNT)
END: tuple[Step, ...] = tuple(Call("scan", {"TableName": name, "Limit": 99}) for name in _USED)
"""The content of all tables."""


class TablesTwin:
    """The tables that programs use; those of the local AWS are created once and emptied for each program."""

    def __init__(self, local: Any) -> None:
        self._local = local
        self.model = Recorded(Wire(LINE).client("dynamodb", MemoryDynamoDB(PREFIX)), view)
        self.real = Recorded(local, view)

    def __enter__(self) -> "TablesTwin":
        for name in _USED:
            items = self._local.scan(TableName=PREFIX + name, ProjectionExpression="id")["Items"]
            if items:
                requests = [{"DeleteRequest": {"Key": {"id": item["id"]}}} for item in items]
                self._local.batch_write_item(RequestItems={PREFIX + name: requests})
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the tables for the next program."""

    def run(self, step: Step) -> tuple[list[Any], list[Any]]:
        """Run a step on both sides; returns its results and answers."""
        model, real = ([step.run(side, PREFIX), *side.take()] for side in (self.model, self.real))
        return model, real


def make(local: Any) -> None:
    """Create the tables on the local AWS."""
    for name in _USED:
        attributes = ["id", "key"] if name == ACCOUNT else ["id"]
        index = {
            "IndexName": "byKey",
            "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        local.create_table(
            TableName=PREFIX + name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            **({"GlobalSecondaryIndexes": [index]} if name == ACCOUNT else {}),
        )


def remove(local: Any) -> None:
    """Delete the tables."""
    for name in _USED:
        local.delete_table(TableName=PREFIX + name)
