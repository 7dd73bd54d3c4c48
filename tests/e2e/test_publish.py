"""`publish`: stored results in the original's GraphQL API, each once, whatever is lost or repeated."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_aws import control
from local_aws.sysroot import PYTHON
from nix.environments import install_site
from scripts.aws import dynamodb
from scripts.aws.clients import create_clients
from scripts.aws.stage import load_stage
from tests.e2e import graphql_api
from tests.e2e.conftest import ROOT, Demo

ITEMS = 24  # of the demo; other tests of the session may have added some
SCORE = ("--scorecard", "reviews", "--score", "Mentions Refund")


@dataclass(frozen=True)
class Api:
    """A running API, and the demo whose results are sent to it."""

    url: str
    demo: Demo

    def publish(self, *words: str, key: str = graphql_api.KEY) -> subprocess.CompletedProcess[str]:
        """Send the results of one score."""
        return subprocess.run(
            [sys.executable, "-m", "scripts", "publish", *SCORE, *words, "--json"],
            cwd=ROOT,
            env={**os.environ, "LOCAL_AWS_NAME": self.demo.name, "PLEXUS_API_URL": self.url, "PLEXUS_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=1200,
        )

    def state(self) -> dict[str, Any]:
        """The records, and how many were created and refused."""
        return dict(httpx.get(self.url, trust_env=False).json())

    def lose(self, answers: int) -> None:
        """Lose the first answers about every second record, after their effect: the same whatever is sent at once."""
        httpx.post(f"{self.url}/lose", json=answers, trust_env=False)


@contextmanager
def running(demo: Demo) -> Iterator[Api]:
    """Run an API without records."""
    with subprocess.Popen(
        [sys.executable, Path(graphql_api.__file__)],
        env={**os.environ, "PYTHONPATH": str(install_site("local-aws", PYTHON))},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield Api(f"http://127.0.0.1:{int(server.stdout.readline())}", demo)
        finally:
            server.terminate()


@pytest.fixture
def api(demo: Demo) -> Iterator[Api]:
    """A new API."""
    with running(demo) as created:
        yield created


def test_each_result_is_created_once_whatever_is_lost_or_repeated(api: Api) -> None:
    """With four answers of five lost and a second run, each result was created once, with its record's fields."""
    api.lose(4)
    first = api.publish()
    assert first.returncode == 0, first.stderr
    sent = json.loads(first.stdout)
    assert sum(sent["counts"].values()) == sent["results"] >= ITEMS
    assert sent["counts"]["present"] == (sent["results"] + 1) // 2  # created by a request whose answer was lost
    second = api.publish()
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["counts"] == {"present": sent["results"]}
    state = api.state()
    assert state["created"] == len(state["records"]) == sent["results"]
    aws = create_clients(load_stage("local"), control.start(api.demo.name).endpoint)
    stored = {record["id"]: record for record in dynamodb.scan(aws, "ScoreResult")}
    for identity, record in state["records"].items():
        names = ("value", "explanation", "itemId", "scoreId", "scoringJobId", "scorecardId", "createdAt", "code")
        assert {name: record[name] for name in names} == {name: stored[identity][name] for name in names}
        assert json.loads(record["metadata"])["external_id"]
        assert record["type"] == "prediction"


def test_another_result_of_the_same_id_is_refused_and_left(api: Api) -> None:
    """A record that differs is not overwritten: exit code 1 with its id and the fields that differ."""
    assert api.publish().returncode == 0
    identity, record = next(iter(api.state()["records"].items()))
    query = "mutation C($input: CreateScoreResultInput!) { createScoreResult(input: $input) { id } }"
    body = {"query": query, "variables": {"input": {**record, "value": "other"}}}
    with running(api.demo) as other:
        httpx.post(other.url, json=body, headers={"x-api-key": graphql_api.KEY}, trust_env=False)
        done = other.publish()
        assert done.returncode == 1
        assert json.loads(done.stdout)["refused"] == [{"id": identity, "reason": "another result has its id: value"}]
        assert other.state()["records"][identity]["value"] == "other"


def test_a_wrong_key_or_address_is_an_error_with_the_variable(api: Api) -> None:
    """A refused key sends nothing, and neither it nor the address's error is a traceback."""
    refused = api.publish(key="wrong")
    assert refused.returncode == 1
    assert "status 401" in refused.stderr
    assert "check PLEXUS_API_URL and PLEXUS_API_KEY" in refused.stderr
    assert "wrong" not in refused.stdout + refused.stderr
    missing = api.publish(key="")
    assert "PLEXUS_API_KEY: not set" in missing.stderr
    plain = Api("http://api.example", api.demo).publish()
    assert "PLEXUS_API_URL: got http://api.example, expected https://" in plain.stderr
    assert api.state()["created"] == 0
