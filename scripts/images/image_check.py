"""Lint an image and describe the result; the library half of `lint-image`."""

from __future__ import annotations

import fnmatch
import io
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..aws.clients import Aws
from ..console.errors import DONE, FOUND, NotFound, OperationFailed

if TYPE_CHECKING:
    from nix.oci.lint import Image, Problem


LOG_LINES = 8  # of the image's last output, with a failed start
FATAL = ("refused", "fails")


@dataclass(frozen=True)
class ReportedProblem:
    """A broken rule with its entry in RULES, as `--json` prints it; `service` is Lambda's error message."""

    rule: str
    level: str
    where: str
    text: str
    service: str
    remedy: str


@dataclass(frozen=True)
class LintResult:
    """The result of linting one image; `unpacked_size` in bytes, `ignored` as by --ignore, `started` by --run."""

    image: str
    problems: tuple[ReportedProblem, ...]
    ignored: int
    layers: int
    unpacked_size: int
    strict: bool
    started: bool = False

    @property
    def exit_code(self) -> int:
        """3 if Lambda would refuse the image or the function would fail; with `strict`, for any problem."""
        return FOUND if any(self.strict or problem.level in FATAL for problem in self.problems) else DONE


def check(
    image: Image,
    name: str,
    *,
    ignore: Sequence[str] = (),
    strict: bool = False,
    start: Callable[[], list[Problem]] | None = None,
) -> LintResult:
    """Lint an image; `ignore` has entries RULE or RULE=PATTERN, a shell pattern for the problem's place.

    `start` starts the image and returns what is wrong then. Its answer replaces the unknown ones that a start decides,
    except for images that Lambda refuses, which are not started.
    """
    from nix.oci.lint import Level, lint

    problems = lint(image)
    started = start is not None and not any(problem.level == Level.REFUSED for problem in problems)
    if start is not None and started:
        problems = [problem for problem in problems if not (problem.unknown and problem.is_tried)] + start()
    kept = [problem for problem in problems if not any(matches(problem, rule) for rule in ignore)]
    return LintResult(
        image=name,
        problems=tuple(describe_problem(problem) for problem in kept),
        ignored=len(problems) - len(kept),
        layers=len(image.layers),
        unpacked_size=sum(scan.unpacked_size for scan in image.scans if scan is not None),
        strict=strict,
        started=started,
    )


def start_problems(path: Path) -> list[Problem]:
    """Start the image of a layout or archive in isolation, and return why it does not ask for an invocation, or [].

    Raises OperationFailed if no image can be started here.
    """
    from local_aws import first_start
    from nix.cache.folder import in_use
    from nix.oci.lint import Problem

    from .local_run import translate_local_errors

    with translate_local_errors(), tempfile.TemporaryDirectory() as work, in_use():
        engine = first_start.choose_isolating_engine()
        start = first_start.watch_first_start(first_start.open_image(path, Path(work)), engine)
    log = "".join(f"\n      | {line}" for line in start.log[-LOG_LINES:])
    if start.outcome == "timeout":
        text = f"the runtime did not ask for an invocation within {first_start.LIMIT_S:.0f} s{log}"
        return [Problem("start", "image", text, unknown=True)]
    return [] if start.outcome == "ready" else [Problem("start", "image", f"{start.error_type}: {start.text}{log}")]


def matches(problem: Problem, rule: str) -> bool:
    """Return whether an --ignore option, RULE or RULE=PATTERN, matches a problem."""
    name, mark, pattern = rule.partition("=")
    return problem.rule == name and (not mark or fnmatch.fnmatchcase(problem.where, pattern))


def describe_problem(problem: Problem) -> ReportedProblem:
    """Combine a problem with its rule's entry in RULES."""
    return ReportedProblem(
        problem.rule, str(problem.level), problem.where, problem.text, problem.message, problem.remedy
    )


def open_image(name: str, aws: Callable[[], Aws]) -> Image:
    """Read the image of a path, or of a reference (`aws` is called for those only).

    Raises OperationFailed if there is none.
    """
    from nix.oci.exceptions import OciError
    from nix.oci.lint import read_image

    path = Path(name)
    try:
        if path.is_dir() or path.is_file():
            return read_image(path)
    except OciError as problem:
        raise OperationFailed(str(problem)) from problem
    if name.startswith(("/", ".")) or path.suffix in (".tar", ".gz"):
        raise OperationFailed(f"no such image: {name}", "name a layout directory, an archive or a reference")
    try:
        session = aws()
    except OperationFailed as problem:
        raise OperationFailed(f"no such file: {name}; as a reference: {problem.problem}", problem.remedy) from problem
    return read_registry_image(session, name)


def read_registry_image(aws: Aws, name: str) -> Image:
    """Read the image of a reference in the stage's registry.

    A blob is downloaded when it is read, into a temporary file that is removed afterwards. NotFound if the reference
    does not exist; missing blobs are findings.
    """
    from nix.oci.lint import read_reference

    from ..aws.repository import open_reference

    source, reference = open_reference(aws, name)
    media_type, data = source.fetch_manifest(reference.name)

    def open_blob(digest: str) -> AbstractContextManager[BinaryIO] | None:
        if source.has_blob(digest):
            return source.open_blob(digest)
        try:  # an index names manifests, which registries serve at another path than blobs
            return io.BytesIO(source.fetch_manifest(digest)[1])
        except NotFound:
            return None

    return read_reference(media_type, data, open_blob)


def render_rules() -> str:
    """Return the rules as the Markdown table in docs/reference/checks.md.

    Rules are in the order of their modules. A test compares the page with it.
    """
    from nix.oci.lint import RULES

    rows = ["| rule | requirement | if broken | Lambda's message | source | remedy |", "|---|---|---|---|---|---|"]
    for name, rule in RULES.items():
        message = f"`{rule.message.replace('`', chr(39))}`" if rule.message else "—"
        rows.append(f"| `{name}` | {rule.requirement} | {rule.level} | {message} | {rule.evidence} | {rule.remedy} |")
    return "\n".join(rows)
