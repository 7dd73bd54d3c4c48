import json
from dataclasses import dataclass

from tests.infrastructure.templates import Template, read_template, resources


@dataclass(frozen=True)
class Image:
    """An image as the lifecycle policy sees it."""

    name: str
    tags: tuple[str, ...]
    age_days: int


def list_expired(rules: list[Template], images: list[Image]) -> set[str]:
    """Return the images that the rules expire, with ECR's semantics: by priority, one rule per image."""
    visited: set[str] = set()
    gone: set[str] = set()
    for rule in sorted(rules, key=lambda one: one["rulePriority"]):
        selection = rule["selection"]
        matched = [image for image in images if image.name not in visited and matches(selection, image)]
        visited |= {image.name for image in matched}
        if selection["countType"] == "sinceImagePushed":
            gone |= {image.name for image in matched if image.age_days > selection["countNumber"]}
        else:
            newest = sorted(matched, key=lambda image: image.age_days)
            gone |= {image.name for image in newest[selection["countNumber"] :]}
    return gone


def matches(selection: Template, image: Image) -> bool:
    """Return whether a rule's selection matches an image."""
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not image.tags
    return all(any(tag.startswith(prefix) for tag in image.tags) for prefix in selection["tagPrefixList"])


def lifecycle(stage: str) -> list[Template]:
    """Return the rules of the stage's repository."""
    (repository,) = resources(read_template(stage, "repositories"), "AWS::ECR::Repository").values()
    rules: list[Template] = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    return rules


def test_tags_are_immutable_and_images_scanned(stage: str) -> None:
    """Tags are immutable, and images are scanned on push."""
    (repository,) = resources(read_template(stage, "repositories"), "AWS::ECR::Repository").values()
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}


def test_a_deployed_image_never_expires(stage: str) -> None:
    """An image with a `deployed-` tag never expires, at any age and with any number of newer images."""
    deployed = [Image(f"d{n}", (f"git-{n:012x}", f"deployed-{n:012x}"), 10_000 - n) for n in range(3_000)]
    assert list_expired(lifecycle(stage), deployed) == set()


def test_an_image_that_was_never_deployed_expires(stage: str) -> None:
    """An image that was never deployed expires after the stage's days, an untagged one after two weeks."""
    images = [
        Image("old build", ("git-0123456789ab",), 4_000),
        Image("new build", ("git-ba9876543210",), 1),
        Image("old untagged", (), 15),
        Image("new untagged", (), 13),
    ]
    assert list_expired(lifecycle(stage), images) == {"old build", "old untagged"}
