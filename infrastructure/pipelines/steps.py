"""What a release does, step by step, in words that any runner can follow: CodePipeline and GitHub Actions share them.

Nothing is handed from one runner to the next but a digest: the build is reproducible, so whoever needs the image
builds it, and two that disagree stop the release.
"""

from dataclasses import dataclass

DIGEST = "python3 -c \"import json; print(json.load(open('build/image.json'))['digest'])\""


@dataclass(frozen=True)
class Step:
    """One run on one fresh machine: shell commands, and which rights (a key of `permissions.RIGHTS`) it runs with."""

    name: str
    commands: tuple[str, ...]
    rights: str | None = None
    approval: bool = False
    """Whether a person has to agree before this step, on stages that ask for it."""


@dataclass(frozen=True)
class Phase:
    """Steps that may run at the same time; the next phase starts when all of them have succeeded."""

    name: str
    steps: tuple[Step, ...]


def built(expected: str | None = None) -> tuple[str, ...]:
    """Build the image and lint it; with `expected` (a shell word), stop unless the digest is that one."""
    check = () if expected is None else (f'test "$IMAGE_DIGEST" = {expected}',)
    return ("make build", f"export IMAGE_DIGEST=$({DIGEST})", 'echo "$IMAGE_DIGEST"', *check)


PHASES = (
    Phase("Test", (Step("test", ("make test",)),)),
    Phase("Build", (Step("build", built()), Step("verify", built()))),
    Phase("Push", (Step("push", (*built('"$BUILT"'), 'test "$BUILT" = "$VERIFIED"', "make push"), "push"),)),
    Phase("Compare", (Step("compare", ("make infra-diff",), "read"),)),
    Phase("Shape", (Step("shape", ("make infra-deploy YES=1",), "shape", approval=True),)),
    Phase("Deploy", (Step("deploy", (*built('"$BUILT"'), "make deploy CANARY=10 YES=1", "make drift"), "deploy"),)),
)
"""In order. `make deploy` tries the new version before the alias moves and after a tenth of the traffic has reached it;
whichever step fails, the alias still serves the old version."""
