"""Truncated responses: a proxy cuts them between our clients and the local AWS."""

from collections.abc import Callable, Iterator

import pytest

from local_aws.instance import Instance
from scripts.aws import stacks
from scripts.aws.clients import Aws, translate_errors
from scripts.aws.stage import load_stage
from scripts.console.errors import NotRunning
from tests.e2e.conftest import Clients, Function
from tests.faults.proxy import Break, Proxy, Rule, proxy

TABLE = "cut-answers"
CUTS = [Break.IN_HEAD, Break.IN_BODY]
TRIES = 5  # of the commands' clients


@pytest.fixture(scope="module")
def behind(aws: Clients, local_aws: Instance) -> Iterator[tuple[Aws, Proxy]]:
    """Return clients behind a proxy; TABLE has one record."""
    key = {"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "id", "AttributeType": "S"}
    aws("dynamodb").create_table(
        TableName=TABLE, KeySchema=key[:1], AttributeDefinitions=key[1:], BillingMode="PAY_PER_REQUEST"
    )
    aws("dynamodb").put_item(TableName=TABLE, Item={"id": {"S": "there"}})
    with proxy(local_aws.endpoint) as relay:
        yield Aws(load_stage("local"), relay.url), relay
    aws("dynamodb").delete_table(TableName=TABLE)


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_answer_is_no_empty_one(behind: tuple[Aws, Proxy], cut: Break) -> None:
    """A truncated response is retried, not read as an absent record."""
    aws, before = behind
    before.rules = [Rule("GetItem", cut), Rule("Scan", cut, times=TRIES - 1)]
    client = aws.client("dynamodb")
    assert client.get_item(TableName=TABLE, Key={"id": {"S": "there"}})["Item"] == {"id": {"S": "there"}}
    assert client.scan(TableName=TABLE)["Count"] == 1
    assert [rule.times for rule in before.rules] == [0, 0]


def test_answers_that_are_always_cut_are_told(behind: tuple[Aws, Proxy]) -> None:
    """If every response is truncated, the error is NotRunning, not NotFound."""
    aws, before = behind
    before.rules = [Rule("GetItem", Break.IN_BODY, times=TRIES)]
    with pytest.raises(NotRunning, match="stage local does not respond"), translate_errors(aws.stage):
        aws.client("dynamodb").get_item(TableName=TABLE, Key={"id": {"S": "there"}})
    assert before.rules[0].times == 0


def test_a_functions_answer_is_left_to_be_read(
    behind: tuple[Aws, Proxy], make_function: Callable[..., Function]
) -> None:
    """A streamed response is complete: the length check does not consume it."""
    aws, before = behind
    before.rules = []
    answer = aws.client("lambda").invoke(FunctionName=make_function().name, Payload=b"{}")
    assert answer["StatusCode"] == 200
    assert answer["Payload"].read()


def test_a_stack_is_created_although_its_answer_was_lost(behind: tuple[Aws, Proxy]) -> None:
    """The client repeats CreateStack, is refused, and the stack that the first request creates is waited for."""
    aws, before = behind
    before.rules = [Rule("", Break.BEFORE_ANSWER, ("Action=CreateStack",))]
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "unheard"}}}}'
    client = aws.client("cloudformation")
    assert stacks.apply(client, "unheard", body, {}, exists=False) == "CREATE_COMPLETE"
    assert before.rules[0].times == 0
    stacks.remove(client, "unheard")
