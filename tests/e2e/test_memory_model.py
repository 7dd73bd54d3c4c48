"""The model of DynamoDB and SQS in memory answers as the local AWS does: both run the same random programs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.e2e.conftest import Clients
from tests.memory import queue_programs, queue_twin, table_programs, table_twin
from tests.memory.differences import QUEUES, TABLES, Difference, QueuesDifference
from tests.memory.mutants import OF_QUEUES, OF_TABLES, Mutant
from tests.memory.queue_programs import KINDS, Kind
from tests.memory.queue_steps import Step as QueueStep
from tests.memory.queue_twin import QueuesTwin
from tests.memory.table_steps import Step as TableStep
from tests.memory.table_twin import TablesTwin

FEW = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
UNTIL_FOUND = settings(FEW, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False)
Check = Callable[[], None]


def same_on_tables(local: Any, how: settings) -> Check:
    """Return a test that runs random programs, reads all tables at the end of each, and fails where the two differ."""

    @how
    @given(program=table_programs.programs)
    def check(program: Sequence[TableStep]) -> None:
        with TablesTwin(local) as tables:
            for step in (*program, *table_twin.END):
                model, real = tables.run(step)
                assert model == real, f"model ≠ local AWS at {step}"

    return check


def same_on_queues(local: Any, kind: Kind, how: settings) -> Check:
    """A test that runs random programs, looks into all queues at the end of each, and fails where the two differ."""

    @how
    @given(program=queue_programs.programs(kind))
    def check(program: Sequence[QueueStep]) -> None:
        with QueuesTwin(local, kind.suffix, kind.max_receive_count) as queues:
            for step in (*program, *queue_twin.END):
                comparable = queues.apart_from_differences(step)
                if comparable is not None:
                    model, real = queues.run(comparable)
                    assert model == real, f"model ≠ local AWS at {comparable}"

    return check


@pytest.fixture(scope="module")
def dynamodb(aws: Clients) -> Iterator[Any]:
    """A client of the local AWS, where the programs' tables are."""
    table_twin.make(aws("dynamodb"))
    yield aws("dynamodb")
    table_twin.remove(aws("dynamodb"))


def test_tables(dynamodb: Any) -> None:
    """A random program on the worker's tables has the same answers, refusals and end in memory as on the local AWS."""
    same_on_tables(dynamodb, settings(FEW, max_examples=30))()


@pytest.mark.parametrize("kind", KINDS)
def test_queues(kind: str, aws: Clients) -> None:
    """A random program on the worker's queues has the same answers, refusals and end in memory as on the local AWS."""
    same_on_queues(aws("sqs"), KINDS[kind], settings(FEW, max_examples=12))()


@pytest.mark.parametrize("difference", TABLES, ids=lambda difference: difference.name)
def test_known_differences_of_tables(difference: Difference, dynamodb: Any) -> None:
    """Where the local AWS does not do what AWS documents, the model does; each such place is known."""
    with TablesTwin(dynamodb) as tables:
        for step in difference.first:
            tables.run(step)
        (*_, (_, model)), (*_, (_, real)) = tables.run(difference.step)
    assert (model, real) == (difference.aws, difference.local), difference.why


@pytest.mark.parametrize("difference", QUEUES, ids=lambda difference: difference.name)
def test_known_differences_of_queues(difference: QueuesDifference, aws: Clients) -> None:
    """Where the local AWS does not do what AWS documents, the model does; each such place is known."""
    with QueuesTwin(aws("sqs"), difference.suffix) as queues:
        for step in difference.first:
            queues.run(step)
        ((_, model),), ((_, real),) = queues.run(difference.step)
    assert (model, real) == (difference.aws, difference.local), difference.why


@pytest.mark.parametrize("mutant", OF_TABLES, ids=lambda mutant: mutant.__name__)
def test_a_wrong_model_of_tables_is_found(mutant: Mutant, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of DynamoDB that lacks one of its rules fails the comparison."""
    mutant(monkeypatch)
    with pytest.raises(AssertionError, match="model ≠ local AWS"):
        same_on_tables(dynamodb, UNTIL_FOUND)()


@pytest.mark.parametrize(("mutant", "kind"), OF_QUEUES, ids=lambda given: getattr(given, "__name__", given))
def test_a_wrong_model_of_queues_is_found(
    mutant: Mutant, kind: str, aws: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of SQS that lacks one of its rules fails the comparison."""
    mutant(monkeypatch)
    with pytest.raises(AssertionError, match="model ≠ local AWS"):
        same_on_queues(aws("sqs"), KINDS[kind], UNTIL_FOUND)()
