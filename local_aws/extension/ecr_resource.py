"""CloudFormation's AWS::ECR::Repository, created, updated and deleted through the ECR API."""

import contextlib
import json
from typing import ClassVar

import localstack.services.cloudformation.provider_utils as util
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)


class RepositoryProvider(ResourceProvider):
    """Resource provider, including lifecycle, repository policy, tag mutability, scanning, encryption and tags."""

    TYPE = "AWS::ECR::Repository"
    SCHEMA: ClassVar = {
        "typeName": TYPE,
        "primaryIdentifier": ["/properties/RepositoryName"],
        "readOnlyProperties": ["/properties/Arn", "/properties/RepositoryUri"],
        "createOnlyProperties": ["/properties/RepositoryName", "/properties/EncryptionConfiguration"],
        "properties": {},
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Create the repository and its settings."""
        model, ecr = request.desired_state, request.aws_client_factory.ecr
        if not model.get("RepositoryName"):
            name = util.generate_default_name(request.stack_name, request.logical_resource_id)
            model["RepositoryName"] = name.lower()
        answer = ecr.create_repository(
            repositoryName=model["RepositoryName"],
            imageTagMutability=model.get("ImageTagMutability") or "MUTABLE",
            imageScanningConfiguration=_scanning(model),
            tags=model.get("Tags") or [],
            **_encryption(model),
        )["repository"]
        _policies(ecr, model, {})
        return _success({**model, "Arn": answer["repositoryArn"], "RepositoryUri": answer["repositoryUri"]})

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Update an existing repository to the desired state."""
        model, before, ecr = request.desired_state, request.previous_state, request.aws_client_factory.ecr
        name = before["RepositoryName"]
        ecr.put_image_tag_mutability(
            repositoryName=name, imageTagMutability=model.get("ImageTagMutability") or "MUTABLE"
        )
        ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration=_scanning(model))
        fixed = {key: before[key] for key in ("RepositoryName", "Arn", "RepositoryUri") if key in before}
        _policies(ecr, {**model, **fixed}, before)
        _tags(ecr, before.get("Arn"), model.get("Tags") or [], before.get("Tags") or [])
        return _success({**model, **fixed})

    def read(self, request: ResourceRequest) -> ProgressEvent:
        """Return the repository as ECR describes it."""
        ecr, name = request.aws_client_factory.ecr, request.desired_state["RepositoryName"]
        description = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
        return _success(
            {
                "RepositoryName": name,
                "Arn": description["repositoryArn"],
                "RepositoryUri": description["repositoryUri"],
                "ImageTagMutability": description["imageTagMutability"],
                "ImageScanningConfiguration": {"ScanOnPush": description["imageScanningConfiguration"]["scanOnPush"]},
            }
        )

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Delete the repository. One that contains images is kept unless EmptyOnDelete is set."""
        model, ecr = request.previous_state or request.desired_state, request.aws_client_factory.ecr
        with contextlib.suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=model["RepositoryName"], force=bool(model.get("EmptyOnDelete")))
        return _success(model)


def _success(model: dict) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _scanning(model: dict) -> dict:
    wanted = (model.get("ImageScanningConfiguration") or {}).get("ScanOnPush")
    return {"scanOnPush": str(wanted).lower() == "true"}


def _encryption(model: dict) -> dict:
    configuration = model.get("EncryptionConfiguration")
    if not configuration:
        return {}
    words = {"EncryptionType": "encryptionType", "KmsKey": "kmsKey"}
    return {"encryptionConfiguration": {words[key]: value for key, value in configuration.items()}}


def _policies(ecr, model: dict, before: dict) -> None:
    name = model["RepositoryName"]
    if text := (model.get("LifecyclePolicy") or {}).get("LifecyclePolicyText"):
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
    elif (before.get("LifecyclePolicy") or {}).get("LifecyclePolicyText"):
        ecr.delete_lifecycle_policy(repositoryName=name)
    if policy := model.get("RepositoryPolicyText"):
        text = policy if isinstance(policy, str) else json.dumps(policy)
        ecr.set_repository_policy(repositoryName=name, policyText=text)
    elif before.get("RepositoryPolicyText"):
        ecr.delete_repository_policy(repositoryName=name)


def _tags(ecr, arn: str | None, wanted: list[dict], before: list[dict]) -> None:
    kept = {tag["Key"] for tag in wanted}
    if arn and (gone := [tag["Key"] for tag in before if tag["Key"] not in kept]):
        ecr.untag_resource(resourceArn=arn, tagKeys=gone)
    if arn and wanted:
        ecr.tag_resource(resourceArn=arn, tags=wanted)
