"""The steps of a release as shell commands, which CodePipeline and GitHub Actions share.

A runner passes nothing to the next one but a digest: the build is reproducible, so each step that needs the image
builds it again, and a release stops if two builds differ.
"""

from dataclasses import dataclass

CHANGE_SET = "CHANGE_SET=release-$(git rev-parse --short=12 HEAD)"
"""The change sets that are shown to the approver are those that are executed; the commit names them."""
DIGEST = "python3 -c \"import json; print(json.load(open('build/image.json'))['digest'])\""


@dataclass(frozen=True)
class Step:
    """Shell commands that run on one fresh machine; `rights` is the argument of `permissions.statements`, if any."""

    name: str
    commands: tuple[str, ...]
    rights: str | None = None
    approval: bool = False
    """Whether a person has to approve this step, on stages with approvals."""


@dataclass(frozen=True)
class Phase:
    """Steps that may run at the same time; the next phase starts after all of them have succeeded."""

    name: str
    steps: tuple[Step, ...]


def build_commands(expected: str | None = None) -> tuple[str, ...]:
    """Return the commands that build and lint the image, and fail unless its digest is `expected` (a shell word)."""
    check = () if expected is None else (f'test "$IMAGE_DIGEST" = {expected}',)
    return ("make build", f"export IMAGE_DIGEST=$({DIGEST})", 'echo "$IMAGE_DIGEST"', *check)


PHASES = (
    Phase("Test", (Step("test", ("make test",)),)),
    Phase("Build", (Step("build", build_commands()), Step("verify", build_commands()))),
    Phase(
        "Push", (Step("push", (*build_commands('"$BUILT"'), 'test "$BUILT" = "$VERIFIED"', "make push YES=1"), "push"),)
    ),
    Phase("Compare", (Step("compare", (f"make infra-diff {CHANGE_SET}",), "read"),)),
    Phase("Shape", (Step("shape", (f"make infra-deploy YES=1 {CHANGE_SET}",), "shape", approval=True),)),
    Phase(
        "Deploy",
        (Step("deploy", (*build_commands('"$BUILT"'), "make deploy CANARY=10 YES=1", "make drift"), "deploy"),),
    ),
)
"""In order. `make deploy` tests the new version before any traffic reaches it, and again with a tenth of the
traffic. If any step fails, the alias still points at the old version."""
