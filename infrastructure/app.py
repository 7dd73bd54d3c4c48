"""Synthesizes the templates of every stage: `python -m infrastructure.app [--check] [STAGE...]`.

Needs no account and no network.
"""

import argparse
import difflib
import json
import sys
import tempfile
from pathlib import Path

from infrastructure import stage_file
from infrastructure.exceptions import InfrastructureError
from infrastructure.node import use_wheel_node
from infrastructure.settings import Settings

TEMPLATES = Path(__file__).resolve().parent / "templates"
RENEW = "make infra"


def synthesize(settings: Settings) -> dict[str, str]:
    """The stage's templates, as the text of files: `<stack name>.template.json` → JSON, in the order of deployment."""
    use_wheel_node()
    from aws_cdk import App

    from infrastructure.stacks import STACKS

    with tempfile.TemporaryDirectory(prefix="score-processor-synth-") as folder:
        app = App(outdir=folder, analytics_reporting=False, stack_traces=False, tree_metadata=False)
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
        settings = [stage_file.load(stage) for stage in options.stages or stage_file.stage_names()]
        return max(_one(one, options.templates, check=options.check) for one in settings)
    except InfrastructureError as problem:
        print(problem, file=sys.stderr)
        return 1


def _one(settings: Settings, folder: Path, *, check: bool) -> int:
    files = synthesize(settings)
    if check:
        difference = differences(settings.stage, files, folder)
        print(difference or f"{settings.stage}: the committed templates are what the code synthesizes")
        if difference:
            print(f"{settings.stage}: renew the committed templates with: {RENEW}", file=sys.stderr)
        return int(bool(difference))
    changed = write(settings.stage, files, folder)
    print(f"{settings.stage}: {len(files)} templates, {len(changed)} changed")
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
