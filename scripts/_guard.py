"""What a stage asks before it is changed: the right account; for production, a commit that anybody can build again."""

from __future__ import annotations

from pathlib import Path

from . import _git
from ._aws import ROOT, Aws, make
from ._command import Shell
from ._errors import OperationFailed, Refused

PRODUCTION = "production"
SKIPPED = "unverified: --skip-verify"


def require_account(aws: Aws) -> None:
    """Refused unless the credentials are of the account that the stage file names."""
    if aws.stage.is_local:
        return
    account = str(aws.client("sts").get_caller_identity()["Account"])
    if account != aws.stage.account:
        raise Refused(
            f"these credentials are of the account {account}, and stage {aws.stage.name} is the account "
            f"{aws.stage.account}",
            "sign in to the right account (AWS_PROFILE=…), or correct stages/" + f"{aws.stage.name}.toml",
        )


def commit_problems(revision: str, folder: Path = ROOT) -> list[str]:
    """Why production does not take an image of this commit, as the clone in `folder` knows it; empty when it does."""
    problems = []
    if revision.endswith("-dirty"):
        problems.append(f"the image was built from a work tree with changes that no commit holds ({revision})")
    elif revision == _git.UNKNOWN:
        problems.append("the image names no commit")
    elif not _git.is_on_main(revision, folder):
        problems.append(f"the commit {_git.short_revision(revision)} is not on main, here or at the origin")
    if _git.is_dirty(folder):
        problems.append("the work tree differs from its commit")
    return problems


def before_push(shell: Shell, revision: str) -> None:
    """Refused, with all reasons at once, where the stage does not take an image of this commit."""
    require_account(shell.aws)
    if shell.stage.name != PRODUCTION:
        return
    problems = commit_problems(revision)
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise Refused(
            f"production takes only what main holds:{listed}", "commit, merge into main, then make build push"
        )


def require_lint(shell: Shell, digest: str) -> None:
    """Refused when an image of the stage's registry breaks one of Lambda's rules.

    What was built here and found sound by this build is not read again: a registry holds a digest's very bytes.
    """
    from ._image import LAYOUT, find_local_image
    from ._sound import found_sound

    built = find_local_image()
    if built is not None and built.digest == digest and found_sound(LAYOUT):
        return
    from .lint_image import check, registry_image

    shell.say("reading the image from the registry, to check it against Lambda's rules")
    verdict = check(registry_image(shell, digest), digest)
    if verdict.exit_code:
        broken = sorted({problem.rule for problem in verdict.problems if problem.level != "careful"})
        raise Refused(
            f"the image {digest} breaks Lambda's rules: {', '.join(broken)}",
            make(f"lint-image IMAGE={digest}", shell.stage) + " shows where",
        )


def before_deploy(shell: Shell, digest: str, revision: str, *, skip_verify: bool) -> str:
    """As before_push, and production's image is linted and built again from its commit; a note for the ledger."""
    before_push(shell, revision)
    if shell.stage.name != PRODUCTION or shell.dry_run:
        return ""
    require_lint(shell, digest)
    if skip_verify:
        shell.say("the image is not verified, as you asked; the ledger will say so")
        return SKIPPED
    from .verify import verify

    verdict = verify(shell.aws, digest, say=shell.say)
    if not verdict.equal:
        raise OperationFailed(
            f"the commit {_git.short_revision(revision)} builds {verdict.rebuilt}, not {digest}",
            f"make verify STAGE=production DIGEST={digest} shows what differs; --skip-verify deploys it all the same",
        )
    return "verified"
