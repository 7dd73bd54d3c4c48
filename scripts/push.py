"""Push the built image.

score-processor push
"""

from __future__ import annotations

from pathlib import Path

import click

from .checkout.layout import LAYOUT, read_local_image
from .command.shell import Shell
from .command.verb import verb
from .console.text import format_megabytes
from .images.image_lint import require_lint_passed
from .images.push import PushResult, push
from .release import guard


def _render(pushed: PushResult, shell: Shell) -> None:
    sizes = f"{format_megabytes(pushed.sent_bytes)} of {format_megabytes(pushed.total_bytes)}"
    done = {
        "pushed": f"pushed {sizes} in {pushed.seconds:.1f} s",
        "unchanged": "nothing to push: the registry has this image",
        "would push": f"would push {sizes}",
    }[pushed.action]
    shell.print(f"{done}\n{pushed.image_uri}")


@verb(acts=True, render=_render)
@click.option("--layout", type=click.Path(path_type=Path), help="An OCI image layout (default: build/image).")
def main(shell: Shell, layout: Path | None) -> PushResult:
    """Lint the built image and upload its missing blobs to the stage's registry."""
    image = read_local_image(layout)
    require_lint_passed(layout or LAYOUT)
    guard.guard_push(shell, image.revision)
    shell.confirm(f"Pushes {image.digest} to {shell.stage.repository}.")
    return push(shell.aws, image, dry_run=shell.dry_run, progress=shell.count_bytes, say=shell.say)
