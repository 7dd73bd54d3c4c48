"""Compare the running stage with the repository.

score-processor drift
"""

from __future__ import annotations

from ..aws.clients import make
from ..command.shell import Shell
from ..command.verb import verb
from ..console.text import pluralize
from .comparison import Drift, find_drift


def _render(result: Drift, shell: Shell) -> None:
    for difference in result.differences:
        shell.console.print(str(difference), markup=False)
    looked = ", ".join(result.looked_at)
    count = len(result.differences)
    if not count:
        shell.console.print(f"no drift in {looked}", markup=False)
        return
    shell.console.print(f"{pluralize(count, 'difference')} in {looked}", markup=False)
    shell.say(
        f"next: {make('config', shell.stage)} for settings, {make('infra-deploy', shell.stage)} for stacks and queues, "
        f"{make('deploy', shell.stage)} for the alias"
    )


@verb(render=_render)
def main(shell: Shell) -> Drift:
    """Compare the running stage with the repository; exit code 3 on a difference."""
    return find_drift(shell.aws)
