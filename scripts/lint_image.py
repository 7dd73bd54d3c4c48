"""Check an image against Lambda's rules: ours, or one that any other builder made.

python -m scripts.lint_image [IMAGE]

IMAGE is a folder (OCI image layout), a file (OCI or Docker archive), or a reference in the stage's registry:
repository:tag, repository@sha256:…, or sha256:… alone. Nothing is pushed, pulled or unpacked to the disk.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from . import _nix
from ._command import DONE, FAILED, Shell, verb
from ._errors import NotFound, OperationFailed
from ._image import LAYOUT

if TYPE_CHECKING:
    from oci.rules import Problem
    from oci.source import Image

assert _nix  # makes `oci` importable
SHOWN = 5


@dataclass(frozen=True)
class Found:
    """One broken rule, with everything that is known about it."""

    rule: str
    level: str
    where: str
    text: str
    service: str
    remedy: str


@dataclass(frozen=True)
class Verdict:
    """What lint says about an image: sizes in bytes. `ignored` counts the problems that options took away."""

    image: str
    problems: tuple[Found, ...]
    ignored: int
    layers: int
    unpacked_size: int
    strict: bool

    @property
    def exit_code(self) -> int:
        """1 when Lambda refuses the image or the function would fail; with `strict`, for any problem."""
        return FAILED if any(self.strict or found.level != "careful" for found in self.problems) else DONE


def check(image: Image, name: str, *, ignore: Sequence[str] = (), strict: bool = False) -> Verdict:
    """Lint an image. Each of `ignore` is RULE or RULE=PATTERN, a pattern of where the problem is."""
    from oci.lint import lint

    problems = lint(image)
    kept = [problem for problem in problems if not any(matches(problem, rule) for rule in ignore)]
    return Verdict(
        image=name,
        problems=tuple(described(problem) for problem in kept),
        ignored=len(problems) - len(kept),
        layers=len(image.layers),
        unpacked_size=sum(scan.unpacked_size for scan in image.scans if scan is not None),
        strict=strict,
    )


def matches(problem: Problem, rule: str) -> bool:
    """Whether an option `RULE` or `RULE=PATTERN` speaks of a problem."""
    name, mark, pattern = rule.partition("=")
    return problem.rule == name and (not mark or fnmatch.fnmatchcase(problem.where, pattern))


def described(problem: Problem) -> Found:
    """A problem with what its rule says."""
    return Found(problem.rule, str(problem.level), problem.where, problem.text, problem.service, problem.remedy)


def open_image(shell: Shell, name: str) -> Image:
    """The image of a path or a reference; OperationFailed when there is none."""
    from oci.archives import archive_image
    from oci.exceptions import OciError
    from oci.source import layout_image

    path = Path(name)
    try:
        if path.is_dir():
            return layout_image(path)
        if path.is_file():
            return archive_image(path)
    except OciError as problem:
        raise OperationFailed(str(problem)) from problem
    if name.startswith(("/", ".")) or path.suffix in (".tar", ".gz"):
        raise OperationFailed(f"there is no {name}", "name a layout folder, an archive or a reference")
    return registry_image(shell, name)


def registry_image(shell: Shell, name: str) -> Image:
    """The image of a reference in the stage's registry."""
    from oci.source import reference_image

    from ._pull import open_reference

    source, reference = open_reference(shell.aws, name)
    media_type, data = source.manifest(reference.name)

    def blob(digest: str) -> AbstractContextManager[BinaryIO] | None:
        if source.has_blob(digest):
            return source.blob(digest)
        try:  # what an index names is a manifest, which registries keep apart from blobs
            return io.BytesIO(source.manifest(digest)[1])
        except NotFound:
            return None

    return reference_image(media_type, data, blob)


HEADS = {
    "refused": "Lambda refuses this image",
    "fails": "Lambda takes this image, and the function fails",
    "careful": "Lambda takes it; worth a look",
}


def render(verdict: Verdict, shell: Shell) -> None:
    """Problems by what becomes of the image, then by rule; a rule with many shows its first."""
    for level, head in HEADS.items():
        found = sorted((one for one in verdict.problems if one.level == level), key=lambda one: one.rule)
        if found:
            shell.console.print(f"{head}: {len(found)} problem{'s' * (len(found) > 1)}", style="bold", markup=False)
        for rule, group in groupby(found, key=lambda one: one.rule):
            show_rule(rule, list(group), shell.console)
    size = f"{verdict.layers} layers, {verdict.unpacked_size / 1e6:.1f} MB unpacked"
    ignored = f", {verdict.ignored} ignored" if verdict.ignored else ""
    count = len(verdict.problems)
    problems = f"{count} problem{'s' * (count > 1)}" if count else "no problem"
    taken = ": Lambda takes this image" if not any(one.level != "careful" for one in verdict.problems) else ""
    shell.console.print(f"{problems}{taken} ({size}{ignored})", markup=False)


def show_rule(rule: str, found: list[Found], console: Any) -> None:
    """One rule's problems, the service's words and the remedy."""
    for one in found[:SHOWN]:
        console.print(f"  {rule}: {one.where}: {one.text}", markup=False)
    if len(found) > SHOWN:
        console.print(f"  {rule}: and {len(found) - SHOWN} more (--json shows all)", markup=False)
    said = f"Lambda: {found[0].service}" if found[0].service else "Lambda says nothing about it."
    console.print(f"      {said}\n      next: {found[0].remedy}", markup=False)


def rules_table() -> str:
    """The rules as the table in docs/checks.md."""
    from oci.rules import RULES

    rows = ["| rule | asks for | if not | the service's words | known | next |", "|---|---|---|---|---|---|"]
    for name, rule in RULES.items():
        says = f"`{rule.says.replace('`', chr(39))}`" if rule.says else "—"
        rows.append(f"| `{name}` | {rule.asks} | {rule.level} | {says} | {rule.source} | {rule.remedy} |")
    return "\n".join(rows)


@verb(render=render)
@click.argument("image", required=False)
@click.option("--strict", is_flag=True, help="Fail for what is only worth a look, too: the rule for our own images.")
@click.option("--ignore", multiple=True, metavar="RULE[=PATH]", help="Leave out a rule, or it at paths like this.")
@click.option("--rules", is_flag=True, help="Print the table of rules, and check nothing.")
def main(shell: Shell, image: str | None, strict: bool, ignore: tuple[str, ...], rules: bool) -> Verdict | None:
    """Check an image (default: build/image) against Lambda's rules for container images.

    IMAGE: an OCI layout folder, an OCI or Docker archive, or a reference in the stage's registry.
    """
    from oci.rules import RULES

    if rules:
        click.echo(rules_table())
        return None
    unknown = [rule for rule in ignore if rule.partition("=")[0] not in RULES]
    if unknown:
        raise click.BadParameter(f"no rule is named {unknown[0].partition('=')[0]}; --rules lists them")
    if image is None and not (LAYOUT / "index.json").is_file():
        raise OperationFailed("no image has been built yet", "make build")
    name = image or str(LAYOUT)
    return check(open_image(shell, name), name, ignore=ignore, strict=strict or image is None)


if __name__ == "__main__":
    main()
