"""A canary without traffic: both versions score jobs of stored results, if the stage allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scripts.aws.clients import Aws
from scripts.console.errors import OperationFailed
from scripts.release import deployment
from scripts.release.deployment import Canary
from stages.stage import Release
from tests.e2e import busy
from tests.e2e.staged import Staged

CODE = """
import json, os
def handler(event, context):
    if event.get("source") != "shadow":
        return {{"statusCode": 200, "body": "{name}"}}
    {then}
    result = {{"value": "Yes", "explanation": None, "cost": {cost}}}
    return {{"statusCode": 200, "body": json.dumps({{"result": result, "seconds": 0.01}})}}
"""
LOST = 'return {"statusCode": 500, "body": json.dumps({"error": "ProviderFailed: gone"})}'
JOBS = 12


def image(stage: Staged, name: str, *, then: str = "pass", cost: float = 0.001) -> str:
    """Push an image that answers shadow runs; returns its digest."""
    return stage.push(name, CODE.format(name=name, then=then, cost=cost))


@pytest.fixture
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share with results of twelve jobs, served by a version that scores."""
    results = [
        {"id": f"synthetic-{number}", "scoringJobId": f"job-{number}", "scoreId": "score", "value": "Yes"}
        | {"scorecardId": "synthetic", "createdAt": f"2026-11-29T12:00:{number:02d}Z"}
        for number in range(JOBS + 3)
    ]
    busy.write(released.aws, "Scorecard", [{"id": "synthetic", "key": "synthetic"}])
    busy.write(released.aws, "ScoreResult", results)
    deployment.deploy(released.aws, image(released, "scoring"), commit="1" * 40)
    yield released
    client = released.aws.client("dynamodb")
    for table, ids in (("Scorecard", ["synthetic"]), ("ScoreResult", [result["id"] for result in results])):
        for identity in ids:
            client.delete_item(TableName=released.aws.stage.table(table), Key={"id": {"S": identity}})
    deployment.deploy(released.aws, released.image("first"), commit="1" * 40)


@pytest.fixture
def allowed(stage: Staged) -> Aws:
    """Return the stage's clients with a stage that allows twelve calls of a canary's own."""
    return replace(stage.aws, stage=replace(stage.aws.stage, release=Release(synthetic_jobs=JOBS)))


def test_a_version_that_scores_as_well_is_promoted(stage: Staged, allowed: Aws) -> None:
    """The newest twelve jobs are scored by each version, and the ledger's note says that the calls were synthetic."""
    messages: list[str] = []
    done = deployment.deploy(allowed, image(stage, "as well"), canary=Canary(10, 0), say=messages.append)
    expected = "canary 10 % for 0 s: 12 calls, 0 failed, 0 jobs without a result, 0.001000 USD per job, synthetic"
    assert (stage.answer(), done.note) == ("as well", expected)
    assert any(text.startswith("no calls: scoring 12 jobs of stored results by versions ") for text in messages)


@pytest.mark.parametrize(
    ("name", "then", "cost", "problem"),
    [
        ("losing", LOST, 0.001, "12 calls, 0 failed, 12 jobs without a result"),
        ("crashing", "os._exit(3)", 0.001, "12 calls, 12 failed"),
        ("expensive", "pass", 0.003, "0.003000 USD per job, against 0.001000 USD"),
    ],
)
def test_a_version_that_does_worse_is_not(
    stage: Staged, allowed: Aws, name: str, then: str, cost: float, problem: str
) -> None:
    """Lost jobs, crashes and costs of the new version keep every call at the old one."""
    with pytest.raises(OperationFailed, match=f"did worse than version .*: {problem}"):
        deployment.deploy(allowed, image(stage, name, then=then, cost=cost), canary=Canary(10, 0))
    assert (stage.answer(), stage.alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")) in (
        ("scoring", {}),
        ("scoring", None),
    )


def test_without_the_stages_leave_no_job_is_scored(stage: Staged) -> None:
    """A stage whose file does not allow it stays inconclusive."""
    with pytest.raises(OperationFailed, match="canary inconclusive"):
        deployment.deploy(stage.aws, image(stage, "untried"), canary=Canary(10, 0))
