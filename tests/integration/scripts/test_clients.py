"""The AWS clients of a stage."""

from typing import Any

import botocore.session
import pytest

from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage

ENDPOINT = "http://127.0.0.1:1"
SERVICES = ("cloudformation", "cloudwatch", "dynamodb", "ecr", "iam", "lambda", "logs", "s3", "sns", "sqs", "sts")


@pytest.mark.parametrize("service", SERVICES)
def test_a_given_endpoint_is_called_as_the_sdk_calls_it(service: str) -> None:
    """A client of a given endpoint signs for the service and region that the SDK's own list of endpoints names."""
    stage = load_stage("local")
    session = botocore.session.Session()
    session.set_credentials("test", "test")
    plain: Any = session.create_client(service, region_name=stage.region, endpoint_url=ENDPOINT)
    client: Any = Aws(stage, ENDPOINT).client(service)
    for name in ("signing_name", "region_name", "signature_version"):
        assert getattr(client._request_signer, name) == getattr(plain._request_signer, name)
    assert (client.meta.endpoint_url, client.meta.region_name) == (ENDPOINT, plain.meta.region_name)
