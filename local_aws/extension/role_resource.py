"""CloudFormation's AWS::IAM::Role with updates of trust and inline policies, which LocalStack writes only once."""

import json

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.iam.resource_providers.aws_iam_role import IAMRoleProvider


class RoleProvider(IAMRoleProvider):
    """LocalStack's provider, with updates of trust and inline policies."""

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Put the template's trust and policies, and delete those that only the previous template had."""
        model = super().update(request).resource_model
        iam, name = request.aws_client_factory.iam, model["RoleName"]
        before, wanted = (_policies(state) for state in (request.previous_state, request.desired_state))
        for policy in before.keys() - wanted.keys():
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy, document in wanted.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        if trust := request.desired_state.get("AssumeRolePolicyDocument"):
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        model = {**model, "Policies": request.desired_state.get("Policies", [])}
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _policies(state: dict) -> dict[str, dict]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in state.get("Policies") or []}
