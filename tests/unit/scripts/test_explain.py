"""The SDK's errors, translated."""

import pytest
from botocore import exceptions

import stages
from scripts.aws.clients import explain
from scripts.console.errors import NotRunning, OperationFailed, TooSlow

URL = "http://127.0.0.1:4566/"


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        (exceptions.EndpointConnectionError(endpoint_url=URL), NotRunning, "make local"),
        (exceptions.ConnectTimeoutError(endpoint_url=URL), NotRunning, "make local"),
        (exceptions.ReadTimeoutError(endpoint_url=URL), TooSlow, "run it again; if it stays slow, make stop local"),
    ],
)
def test_a_slow_service_is_distinguished_from_an_absent_one(
    error: Exception, kind: type[OperationFailed], remedy: str
) -> None:
    """A request that was not answered in time is TooSlow; one that no service took is NotRunning."""
    explained = explain(error, stages.load("local"))
    assert (type(explained), explained and explained.remedy) == (kind, remedy)
