"""Synthesize the templates of every stage and of the pipelines: `python -m infrastructure.app [--check] [STAGE...]`.

Needs neither an AWS account nor a network.
"""

import argparse
import difflib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import stages
from infrastructure.node import use_wheel_node
from stages import StageError

if TYPE_CHECKING:
    from infrastructure.stacks.base import StageStack

TEMPLATES = Path(__file__).resolve().parent / "templates"
DIGEST = "stage.sha256"
"""The file beside a stage's templates with the digest of the settings that they were synthesized from."""
PIPELINES = "pipelines"
"""The folder of the release pipelines, which are created once by hand and not with a stage's own stacks."""


def folders() -> list[str]:
    """Return the folders of templates: one for each stage, and one for the pipelines."""
    return [*stages.list_stages(), PIPELINES]


def synthesize(folder: str) -> dict[str, str]:
    """Synthesize the templates of a stage, or of `pipelines`; returns file name → text.

    A stack's template is `<stack name>.template.json`; beside those of a stage lies the digest of its settings.
    """
    with tempfile.TemporaryDirectory(prefix="score-processor-synth-") as work:
        digest = {} if folder == PIPELINES else {DIGEST: f"{stages.hash_stage(folder)}\n"}
        templates = assemble([folder], work)
        return {f"{name}.template.json": _text(template) for name, template in templates.items()} | digest


def assemble(wanted: Sequence[str], work: str) -> dict[str, object]:
    """Write the cloud assembly of these stages to the folder `work`; returns stack name → template."""
    use_wheel_node()
    from aws_cdk import App

    from infrastructure.pipelines.base_pipeline import PIPELINES as KINDS
    from infrastructure.stacks import STACKS

    app = App(outdir=work, analytics_reporting=False, stack_traces=False, tree_metadata=False)
    stacks: list[StageStack] = []
    for folder in wanted:
        if folder == PIPELINES:
            stacks += [kind(app, stages.load(stage)) for stage, kind in KINDS.items()]
        else:
            settings = stages.load(folder)
            stacks += [stack(app, settings) for stack in STACKS]
    assembly = app.synth()
    return {stack.stack_name: assembly.get_stack_by_name(stack.stack_name).template for stack in stacks}


def write(stage: str, files: dict[str, str], folder: Path = TEMPLATES) -> list[Path]:
    """Write exactly these files to `folder/<stage>`; returns those that were changed or removed."""
    target = folder / stage
    target.mkdir(parents=True, exist_ok=True)
    changed = [path for path in _files(target) if path.name not in files]
    for path in changed:
        path.unlink()
    for name, text in files.items():
        path = target / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            new = path.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(path)
            changed.append(path)
    return changed


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.template.json"), *folder.glob(DIGEST)])


def differences(stage: str, files: dict[str, str], folder: Path = TEMPLATES) -> str:
    """Return a unified diff from a stage's committed templates to these, empty if they are equal."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in _files(folder / stage)}
    parts: list[str] = []
    for name in sorted(committed | files):
        parts.extend(
            difflib.unified_diff(
                committed.get(name, "").splitlines(keepends=True),
                files.get(name, "").splitlines(keepends=True),
                f"committed/{stage}/{name}",
                f"synthesized/{stage}/{name}",
            )
        )
    return "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Synthesize, or compare with --check; returns 1 on an error or a difference, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.app", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="stages, or pipelines (default: all)")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; print the differences from the committed templates"
    )
    parser.add_argument("--templates", type=Path, default=TEMPLATES, metavar="FOLDER", help="folder of the templates")
    options = parser.parse_args(arguments)
    try:
        if (folder := os.environ.get("CDK_OUTDIR")) and not options.check:
            assemble(options.stages or folders(), folder)
            return 0
        return max(_run(stage, options.templates, check=options.check) for stage in options.stages or folders())
    except StageError as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(stage: str, folder: Path, *, check: bool) -> int:
    files = synthesize(stage)
    if check:
        difference = differences(stage, files, folder)
        print(difference or f"{stage}: the committed templates are up to date")
        if difference:
            print(f"{stage}: the committed templates are out of date. next: make infra", file=sys.stderr)
        return int(bool(difference))
    changed = write(stage, files, folder)
    print(f"{stage}: {len(files)} files, {len(changed)} changed")
    for path in changed:
        print(f"  {path.name}{'' if path.exists() else ' (removed)'}")
    return 0


def _text(template: object) -> str:
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
