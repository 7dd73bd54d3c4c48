"""`enqueue` on a stage with existing accounts."""

from collections.abc import Iterator

import pytest

from scripts.aws.clients import Aws
from scripts.aws.dynamodb import scan
from scripts.console.errors import OperationFailed
from scripts.jobs import seeding
from scripts.jobs.item_files import Item
from scripts.jobs.seeding import Card
from tests.e2e.staged import Staged

CARD = """key: words
name: Words
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund]
"""


@pytest.fixture
def aws(released: Staged) -> Iterator[Aws]:
    """Yield a stage; its accounts are deleted afterwards."""
    yield released.aws
    for entry in scan(released.aws, "Account"):
        released.aws.client("dynamodb").delete_item(
            TableName=released.aws.stage.table("Account"), Key={"id": {"S": entry["id"]}}
        )


def theirs(aws: Aws, identity: str) -> None:
    """Write an account with the stage's key; return its id."""
    record = seeding.encode({"id": identity, "name": "Theirs", "key": aws.stage.account_key})
    aws.client("dynamodb").put_item(TableName=aws.stage.table("Account"), Item=record)


def test_jobs_belong_to_the_account_that_is_there(aws: Aws) -> None:
    """Jobs belong to the existing account, which is not changed, and no second one is written."""
    import plexus

    theirs(aws, "their-account")
    (job,) = seeding.seed_jobs(aws, Card(CARD, plexus.load(CARD)), [Item("1", "A refund.")], ["Refund"], "seed")
    accounts = scan(aws, "Account")
    assert [(one["id"], one["name"]) for one in accounts] == [("their-account", "Theirs")]
    (record,) = [one for one in scan(aws, "ScoringJob") if one["id"] == job.id]
    assert record["accountId"] == "their-account"


def test_two_accounts_of_a_key_are_told(aws: Aws) -> None:
    """Two accounts with the same key are an error with both ids."""
    theirs(aws, "one")
    theirs(aws, "two")
    with pytest.raises(OperationFailed, match=r"got 2 accounts with key 'demo', expected 1: one, two"):
        seeding.find_account_id(aws)
