"""Synthesizes the templates of every stage and of the pipelines: `python -m infrastructure.app [--check] [STAGE...]`.

Needs no account and no network.
"""

import argparse
import difflib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import stages
from infrastructure.node import use_wheel_node
from stages import StageError

if TYPE_CHECKING:
    from infrastructure.stacks.base import StageStack

TEMPLATES = Path(__file__).resolve().parent / "templates"
PIPELINES = "pipelines"
"""The folder of the release pipelines, which are made once by hand and not with a stage's own stacks."""
RENEW = "make infra"


def folders() -> list[str]:
    """What there is to synthesize: every stage, and the pipelines."""
    return [*stages.stage_names(), PIPELINES]


def synthesize(folder: str) -> dict[str, str]:
    """The templates of a stage, or of `pipelines`, as the text of files: `<stack name>.template.json` → JSON."""
    use_wheel_node()
    from aws_cdk import App

    from infrastructure.pipelines.base_pipeline import PIPELINES as KINDS
    from infrastructure.stacks import STACKS

    with tempfile.TemporaryDirectory(prefix="score-processor-synth-") as work:
        app = App(outdir=work, analytics_reporting=False, stack_traces=False, tree_metadata=False)
        if folder == PIPELINES:
            stacks: list[StageStack] = [kind(app, stages.load(stage)) for stage, kind in KINDS.items()]
        else:
            settings = stages.load(folder)
            stacks = [stack(app, settings) for stack in STACKS]
        assembly = app.synth()
        return {
            f"{stack.stack_name}.template.json": _text(assembly.get_stack_by_name(stack.stack_name).template)
            for stack in stacks
        }


def write(stage: str, files: dict[str, str], folder: Path = TEMPLATES) -> list[Path]:
    """Make `folder/<stage>` hold exactly these files; returns those that changed or went."""
    target = folder / stage
    target.mkdir(parents=True, exist_ok=True)
    changed = [path for path in sorted(target.glob("*.template.json")) if path.name not in files]
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


def differences(stage: str, files: dict[str, str], folder: Path = TEMPLATES) -> str:
    """A unified diff from the committed templates of a stage to these; empty when they are equal."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in (folder / stage).glob("*.template.json")}
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
    """Command line: 0 done (or nothing differs), 1 failed (or something differs), 2 misused."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.app", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="which stages (default: all of stages/)")
    parser.add_argument("--check", action="store_true", help="write nothing; print what differs from what is committed")
    parser.add_argument("--templates", type=Path, default=TEMPLATES, metavar="FOLDER", help="where the templates lie")
    options = parser.parse_args(arguments)
    try:
        return max(_one(stage, options.templates, check=options.check) for stage in options.stages or folders())
    except StageError as problem:
        print(problem, file=sys.stderr)
        return 1


def _one(stage: str, folder: Path, *, check: bool) -> int:
    files = synthesize(stage)
    if check:
        difference = differences(stage, files, folder)
        print(difference or f"{stage}: the committed templates are what the code synthesizes")
        if difference:
            print(f"{stage}: renew the committed templates with: {RENEW}", file=sys.stderr)
        return int(bool(difference))
    changed = write(stage, files, folder)
    print(f"{stage}: {len(files)} templates, {len(changed)} changed")
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
