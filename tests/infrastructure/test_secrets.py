"""Secrets by reference: the role may read exactly the secrets that the stage file references."""

import dataclasses
from typing import Any

import stages
from infrastructure import security
from tests.infrastructure.templates import Template, as_list, statements
from tests.infrastructure.test_tracing import synthesize

SECRET = "arn:aws:secretsmanager:us-west-2:000000000000:secret:provider-AbCdEf"
PARAMETER = "arn:aws:ssm:us-west-2:000000000000:parameter/provider/key"


def rights(template: Template) -> dict[str, Any]:
    """Return what the role may read from Secrets Manager and Parameter Store."""
    return {
        action: statement["Resource"]
        for statement in statements(template)
        for action in as_list(statement["Action"])
        if action.startswith(("secretsmanager:", "ssm:"))
    }


def test_the_role_asks_the_models_that_the_stage_names(stage: str) -> None:
    """Each model is allowed by its ARN; a stage without models has no such permission."""
    settings = stages.load(stage)
    names = ["arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0", "arn:aws:bedrock:eu-west-1::foundation-model/c"]
    asked = dataclasses.replace(settings, function=dataclasses.replace(settings.function, models=" ".join(names)))
    assert "bedrock" not in str(synthesize(settings))
    (statement,) = [each for each in statements(synthesize(asked)) if "bedrock" in str(each)]
    assert (as_list(statement["Action"]), statement["Resource"]) == (["bedrock:InvokeModel"], names)
    assert security.violations(asked) == set(security.accepted_violations(asked))


def test_the_role_reads_what_the_environment_names(stage: str) -> None:
    """Each ARN is allowed once, without the key of a member; a stage without references has no such permission."""
    settings = stages.load(stage)
    assert rights(synthesize(settings)) == {}
    named = {"A_KEY": f"{SECRET}:openai", "B_KEY": f"{SECRET}:anthropic", "C_KEY": PARAMETER}
    function = dataclasses.replace(settings.function, environment={**settings.function.environment, **named})
    secret = dataclasses.replace(settings, function=function)
    assert rights(synthesize(secret)) == {"secretsmanager:GetSecretValue": SECRET, "ssm:GetParameter": PARAMETER}
    assert security.violations(secret) == set(security.accepted_violations(secret))
