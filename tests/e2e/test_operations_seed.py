"""What `make enqueue` writes beside the jobs: on a stage that has records of its own already."""

from collections.abc import Iterator

import pytest

from scripts import _seed
from scripts._aws import Aws
from scripts._errors import OperationFailed
from scripts._items import Item
from scripts._seed import Card
from scripts._tables import scan
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
    """A stage whose accounts are gone after the test."""
    yield released.aws
    for one in scan(released.aws, "Account"):
        released.aws.client("dynamodb").delete_item(
            TableName=released.aws.stage.table("Account"), Key={"id": {"S": one["id"]}}
        )


def theirs(aws: Aws, identity: str) -> None:
    """An account of the stage's key that somebody else has written."""
    record = _seed.encode({"id": identity, "name": "Theirs", "key": aws.stage.account_key})
    aws.client("dynamodb").put_item(TableName=aws.stage.table("Account"), Item=record)


def test_jobs_belong_to_the_account_that_is_there(aws: Aws) -> None:
    """No second account of the same key is written, which would stop the worker, and the one there stays as it is."""
    import plexus

    theirs(aws, "their-account")
    (job,) = _seed.seed_jobs(aws, Card(CARD, plexus.load(CARD)), [Item("1", "A refund.")], ["Refund"], "seed")
    accounts = scan(aws, "Account")
    assert [(one["id"], one["name"]) for one in accounts] == [("their-account", "Theirs")]
    (record,) = [one for one in scan(aws, "ScoringJob") if one["id"] == job.id]
    assert record["accountId"] == "their-account"


def test_two_accounts_of_a_key_are_told(aws: Aws) -> None:
    """Both are named, since the worker would take no job of either."""
    theirs(aws, "one")
    theirs(aws, "two")
    with pytest.raises(OperationFailed, match=r"2 accounts have the key 'demo' .* expected one: one, two"):
        _seed.account_id(aws)
