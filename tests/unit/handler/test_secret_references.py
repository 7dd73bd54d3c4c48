"""Secrets by reference: each ARN in the environment is resolved once, and no secret is logged."""

import json
from typing import Any

import pytest

import plexus
from handler import secret_references
from handler.exceptions import Misconfigured, Unavailable
from plexus.exceptions import ScoringFailed
from tests.memory.wire import Refused, Wire
from tests.memory.world import World, scoring

SECRET = "arn:aws:secretsmanager:us-west-2:000000000000:secret:provider-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:000000000000:parameter/provider/key"
NOT_A_MEMBER = "A_KEY: its secret is not a JSON object with a string at 'other'"
LINE = 41  # of the wire: no other test uses it


class Kept:
    """Secrets Manager and Parameter Store in one."""

    def __init__(self, **kept: Any) -> None:
        self.kept = kept

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a secret or a parameter, or refuse."""
        if operation == "GetParameter":
            assert request == {"Name": PARAMETER, "WithDecryption": True}
            return {"Parameter": {"Value": self.kept["parameter"]}}
        assert request == {"SecretId": SECRET}
        if isinstance(self.kept["secret"], Exception):
            raise self.kept["secret"]
        return {"SecretBinary" if "binary" in self.kept else "SecretString": self.kept["secret"]}


def resolve_names(environ: dict[str, str], **kept: Any) -> tuple[str, ...]:
    """Resolve the environment, with these secrets; a client is created in the region of the ARN."""

    def client(service: str, region: str) -> Any:
        assert (service, region) in (("secretsmanager", "us-west-2"), ("ssm", "eu-west-1"))
        return Wire(LINE).client(service, Kept(**kept))

    return secret_references.resolve(environ, client)


def test_a_reference_is_replaced_with_its_secret() -> None:
    """The ARN of a secret, of a member or of a parameter is replaced; other variables are unchanged."""
    whole, member = {"A_KEY": SECRET, "PLAIN": "arn:aws:sqs:x"}, {"A_KEY": f"{SECRET}:openai", "B_KEY": f"{SECRET}:b::"}
    assert resolve_names(whole, secret="sk-1") == ("sk-1",)
    assert whole == {"A_KEY": "sk-1", "PLAIN": "arn:aws:sqs:x"}
    assert resolve_names(member, secret=json.dumps({"openai": "sk-2", "b": "sk-3"})) == ("sk-2", "sk-3")
    assert member == {"A_KEY": "sk-2", "B_KEY": "sk-3"}
    parameter = {"A_KEY": PARAMETER}
    assert resolve_names(parameter, parameter="sk-4") == ("sk-4",)
    assert parameter == {"A_KEY": "sk-4"}


@pytest.mark.parametrize(
    ("value", "kept", "said"),
    [
        (f"{SECRET}:other", {"secret": '{"openai": "sk-secret"}'}, NOT_A_MEMBER),
        (f"{SECRET}:other", {"secret": "sk-secret"}, NOT_A_MEMBER),
        (SECRET, {"secret": "c2stc2VjcmV0", "binary": True}, "A_KEY: its secret is binary, expected text"),
        (SECRET, {"secret": Refused("AccessDeniedException")}, "was refused: AccessDeniedException"),
        ("arn:aws:ssm:somewhere", {}, "A_KEY: got arn:aws:ssm:somewhere, expected the ARN"),
    ],
    ids=["no such member", "no object", "binary", "refused", "no ARN"],
)
def test_every_unreadable_secret_is_reported_by_its_variable(value: str, kept: dict[str, Any], said: str) -> None:
    """Every variable is reported with the reason, none is changed, and no secret is quoted."""
    environ = {"A_KEY": value, "B_KEY": value}
    with pytest.raises(Misconfigured, match=said) as caught:
        resolve_names(environ, **kept)
    assert all(name in str(caught.value) for name in environ)
    assert "sk-" not in str(caught.value)
    assert set(environ.values()) == {value}


def test_a_throttled_service_is_unavailable_and_not_misconfigured() -> None:
    """A throttled call raises `Unavailable`, so that the next invocation retries it."""
    with pytest.raises(Unavailable, match="read the secret of A_KEY: ThrottlingException"):
        resolve_names({"A_KEY": SECRET}, secret=Refused("ThrottlingException"))


def test_a_resolved_secret_is_never_stored_or_logged(world: World) -> None:
    """A provider's error that quotes a resolved secret is stored and logged without it, whatever its variable."""

    def leak(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise ScoringFailed("the provider refuses the login pool:hunter2hunter2")

    runtime = world.runtime(score=scoring(leak), secrets=("pool:hunter2hunter2",))
    world.send_jobs(world.job())
    assert len(world.batch(runtime)) == 1
    message = world.dynamodb.fields("ScoringJob", "job-1")["errorMessage"]
    assert "the provider refuses the login [secret]" in message
    assert "hunter2" not in message + world.output.getvalue()
