"""Each test of the CDK app runs for every stage, in the environment with the CDK."""

import importlib.util

import pytest

import stages

if importlib.util.find_spec("aws_cdk") is None:
    # Not an error where all of tests/ is run with the development environment.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(params=stages.list_stages())
def stage(request: pytest.FixtureRequest) -> str:
    """Each stage in turn."""
    return str(request.param)
