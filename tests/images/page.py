"""The page of the corpus, docs/reference/lint-corpus.md: every image, and how often each rule was right.

python -m tests.images.page LAYOUT PAGE      (writes the page; exits with 1 if the linter gave a wrong answer)

Needs nothing but Python's standard library, so that a check of the flake can run it.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nix.oci.lint import Level, Problem, lint
from tests.images.corpus import GROUPS
from tests.images.recipe import (
    ACCEPTED,
    DOCUMENTED,
    LABS,
    MANUALS,
    OCI,
    REPORTED,
    RUN,
    Base,
    answer,
    base_of,
    with_programs,
)
from tests.unit.oci.elves import elf

SOURCES = {
    RUN: "start",
    DOCUMENTED: "AWS",
    REPORTED: "users",
    OCI: "OCI",
    "ld.so(8)": "ld.so(8)",
    LABS: "AWS Labs",
    MANUALS: "manual",
}
HEAD = """# Images that the linter is measured on

`python -m bench.lint` lints each of these images, starts those whose source is a start, and compares:
[image lint](checks.md#lint). Each image is a few files and settings above one Python with the runtime client;
`tests/images` has the recipes. They were chosen to be difficult, so that nothing here is a rate for ordinary images.
`python -m tests.images.page build/image docs/reference/lint-corpus.md` regenerates this page.

| source | who says what Lambda does with the image |
|---|---|
| start | the runtime client, in the sandbox |
| AWS | AWS's pages on container images, and on their problems |
| users | messages of Lambda that users published |
| OCI | the OCI image specification 1.1 |
| ld.so(8) | the manual page of the dynamic loader |
| AWS Labs | the documentation and source of the Lambda Web Adapter and of the runtime interface emulator |
| manual | the manual of the program that the image starts with, or of Linux |

Nobody has published what Lambda does with an `undocumented` image: the linter's answer has to be unknown.
"""
OUTCOMES = ("broken, and Lambda refuses it or it fails", "broken, and it works", "unknown")


def lint_all(base: Base, work: Path) -> dict[str, list[Problem]]:
    """Lint every image of the corpus in the new folder `work`; return the problems by its name."""
    work.mkdir()
    with_shell = with_programs(base, work, {name: elf() for name in ("bin/sh", "usr/bin/env")})
    problems = {}
    for recipe in (recipe for group in GROUPS.values() for recipe in group):
        below = with_shell if recipe.needs_shell else base
        problems[recipe.name] = lint(below.image(below.write(recipe, work / recipe.name)))
    return problems


def page(problems: Mapping[str, Sequence[Problem]]) -> str:
    """Render the page; `problems` are the linter's, by the image's name."""
    return "\n".join([HEAD, *figures(problems), *(line for title in GROUPS for line in images(title, problems)), ""])


def figures(problems: Mapping[str, Sequence[Problem]]) -> list[str]:
    """Render how often each rule was broken or unknown, and the images that no rule objected to in error."""
    wants = {recipe.name: recipe.want for group in GROUPS.values() for recipe in group}
    counts = Counter(
        (problem.rule, 2 if problem.level == Level.UNKNOWN else int(wants[name] == ACCEPTED))
        for name, several in problems.items()
        for problem in {(problem.rule, problem.level): problem for problem in several}.values()
        if problem.level != Level.ADVISORY
    )
    false_alarms = sum(count for (_, kind), count in counts.items() if kind == 1)
    misses = sum(answer(several) == ACCEPTED != wants[name] for name, several in problems.items())
    rows = [[rule, *(str(counts[rule, kind]) for kind in range(3))] for rule in sorted({rule for rule, _ in counts})]
    return [
        "## Rules",
        "",
        f"{len(problems)} images: {false_alarms} false alarms, {misses} misses.",
        "",
        f"| rule | {' | '.join(OUTCOMES)} |",
        "|---|---:|---:|---:|",
        *(f"| `{row[0]}` | {' | '.join(row[1:])} |" for row in rows),
        "",
    ]


def images(title: str, problems: Mapping[str, Sequence[Problem]]) -> list[str]:
    """Render one group of images."""
    rows = [
        f"| {recipe.name} | {recipe.want} | {answer(problems[recipe.name])} | {SOURCES[recipe.source]} |"
        for recipe in GROUPS[title]
    ]
    return [f"## {title}", "", "| image | Lambda | linter | source |", "|---|---|---|---|", *rows, ""]


def wrong_answers(problems: Mapping[str, Sequence[Problem]]) -> dict[str, str]:
    """Return the linter's answers that are neither right nor unknown, by the image's name."""
    wants = {recipe.name: recipe.want for group in GROUPS.values() for recipe in group}
    answers = {name: answer(several) for name, several in problems.items()}
    return {name: got for name, got in answers.items() if got not in (wants[name], "unknown")}


def main(layout: Path, output: Path) -> int:
    """Lint the corpus on the base of a built image, and write the page."""
    with tempfile.TemporaryDirectory(prefix="score-processor-") as work:
        problems = lint_all(base_of(layout, Path(work)), Path(work) / "images")
    output.write_text(page(problems), encoding="utf-8")
    wrong = wrong_answers(problems)
    for name, got in wrong.items():
        print(f"{name}: the linter's answer is {got}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
