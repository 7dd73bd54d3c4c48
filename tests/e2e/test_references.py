"""Secrets by reference on the local AWS: the services' own answers."""

from handler import secret_references
from tests.e2e.conftest import Clients


def test_the_services_give_what_the_environment_names(aws: Clients) -> None:
    """A secret, a member of it, and an encrypted parameter stand in the environment afterwards, each by its ARN."""
    manager, parameters = aws("secretsmanager"), aws("ssm")
    arn = manager.create_secret(Name="provider/keys", SecretString='{"openai": "sk-1"}')["ARN"]
    parameters.put_parameter(Name="/provider/key", Value="sk-2", Type="SecureString")
    _, _, _, region, account, *_ = arn.split(":")
    environ = {"WHOLE": arn, "ONE": f"{arn}:openai", "TWO": f"arn:aws:ssm:{region}:{account}:parameter/provider/key"}
    try:
        result = secret_references.resolve(environ, lambda service, _: aws(service))
    finally:
        manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
        parameters.delete_parameter(Name="/provider/key")
    assert sorted(result) == ["sk-1", "sk-2", '{"openai": "sk-1"}']
    assert environ == {"WHOLE": '{"openai": "sk-1"}', "ONE": "sk-1", "TWO": "sk-2"}
