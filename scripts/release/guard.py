"""Checks before a change: the AWS account; for production, also a commit on main that rebuilds to the same image."""

from __future__ import annotations

from pathlib import Path

from ..aws import ledger
from ..aws.account import require_account
from ..aws.clients import Aws, create_clients, make
from ..aws.stage import load_stage
from ..checkout import ROOT, git
from ..command.shell import Shell
from ..console.errors import OperationFailed, Refused

SKIPPED = "unverified: --skip-verify"
UNSTAGED = "not staged: --skip-staging"


def commit_problems(revision: str, folder: Path = ROOT) -> list[str]:
    """Return why production rejects an image of this commit, by the clone in `folder`; empty if it accepts it.

    The commit must be on `main` or `origin/main` as this clone knows them: nothing is fetched. A dirty work tree is a
    problem of its own, whatever the image was built from.
    """
    problems = []
    if git.is_uncommitted(revision):
        problems.append(f"the image was built from a work tree with uncommitted changes ({revision})")
    elif revision == git.UNKNOWN:
        problems.append("the image names no commit")
    elif not git.is_on_main(revision, folder):
        problems.append(f"commit {git.shorten_revision(revision)} is not on main or origin/main")
    if git.is_dirty(folder):
        problems.append("the work tree has uncommitted changes")
    return problems


def guard_push(shell: Shell, revision: str) -> None:
    """Raise Refused, with all reasons, if the stage rejects an image of this commit.

    The account is checked in every stage, the commit in production only.
    """
    require_account(shell.aws)
    if not shell.stage.is_production:
        return
    problems = commit_problems(revision)
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise Refused(
            f"{shell.stage.name} accepts only commits on main:{listed}", "commit, merge into main, then make build push"
        )


def require_lint(shell: Shell, digest: str) -> None:
    """Raise Refused if an image of the stage's registry breaks one of Lambda's rules.

    An image that this checkout built and linted is not read again: a digest identifies its bytes.
    """
    from ..checkout.layout import LAYOUT, find_local_image
    from ..images.image_lint import has_passed_at_build

    built = find_local_image()
    if built is not None and built.digest == digest and has_passed_at_build(LAYOUT):
        return
    from ..images.image_check import FATAL, check, read_registry_image

    shell.say("linting the image in the registry")
    result = check(read_registry_image(shell.aws, digest), digest)
    if result.exit_code:
        broken = sorted({problem.rule for problem in result.problems if problem.level in FATAL})
        raise Refused(
            f"the image {digest} breaks Lambda's rules: {', '.join(broken)}",
            make(f"lint-image IMAGE={digest}", shell.stage) + " shows where",
        )


def require_served(earlier: Aws, digest: str) -> str:
    """Raise Refused unless the stage `earlier` has served the image, and has not rolled back from it since.

    Returns a note on when it was served. Reads that stage's ledger only.
    """
    before = earlier.stage.name
    entry = ledger.find_serving(earlier, digest)
    problem = ""
    if entry is None:
        problem = f"stage {before} has not served it"
    elif entry.digest != digest:
        problem = f"stage {before} rolled back from it at {entry.at[:19]}, to version {entry.version}"
    if entry is None or problem:
        raise Refused(
            f"{digest} cannot be deployed yet: {problem}",
            f"{make('deploy', earlier.stage)} DIGEST={digest}; SKIP_STAGING=1 deploys it anyway",
        )
    return f"served by {before} since {entry.at[:19]}"


def guard_deploy(shell: Shell, digest: str, revision: str, *, skip_verify: bool, skip_staging: bool = False) -> str:
    """Check as guard_push does, and that the stage before has served the image. Return the note for the ledger.

    For production, lint the image and rebuild its commit, too.
    """
    guard_push(shell, revision)
    staged, before = "", shell.stage.release.after
    if before and skip_staging:
        shell.say(f"stage {before} is not asked (--skip-staging); the ledger records it")
        staged = UNSTAGED
    elif before:
        staged = require_served(create_clients(load_stage(before), shell.endpoint_url), digest)
    if not shell.stage.is_production or shell.dry_run:
        return staged
    return "; ".join(filter(None, (staged, _verify_image(shell, digest, revision, skip_verify=skip_verify))))


def _verify_image(shell: Shell, digest: str, revision: str, *, skip_verify: bool) -> str:
    """Lint the image and rebuild its commit; return the note for the ledger."""
    require_lint(shell, digest)
    if skip_verify:
        shell.say("verification skipped (--skip-verify); the ledger records it")
        return SKIPPED
    from .statements import require_enough
    from .verification import verify

    verdict = verify(shell.aws, digest, say=shell.say)
    if not verdict.equal:
        raise OperationFailed(
            f"commit {git.shorten_revision(revision)}: got {verdict.rebuilt} by a rebuild, expected {digest}",
            f"{make('verify', shell.stage)} DIGEST={digest} lists the differences; --skip-verify deploys it anyway",
        )
    require_enough(verdict.statements, digest)
    return f"verified, {verdict.statements.builders} builders" if verdict.statements.trusted else "verified"
