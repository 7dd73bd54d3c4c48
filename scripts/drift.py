"""What differs between the repository and what runs: exit code 1 when anything does.

python -m scripts.drift
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import _drift_function, _drift_queues, infra
from ._aws import Aws, make
from ._command import DONE, FAILED, Shell, verb
from ._difference import Difference


@dataclass(frozen=True)
class Drift:
    """Every difference; `looked_at` are the things that were compared."""

    differences: tuple[Difference, ...]
    looked_at: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 when anything differs."""
        return FAILED if self.differences else DONE


LOOKS = {
    "release": _drift_function.release,
    "function": _drift_function.settings,
    "role": _drift_function.role,
    "event source": _drift_function.event_source,
    "queues": _drift_queues.queues,
}


def drift(aws: Aws) -> Drift:
    """Compare what runs with the ledger, the stage file and the templates."""
    found = [difference for look in LOOKS.values() for difference in look(aws)]
    return Drift((*found, *stacks(aws)), (*LOOKS, "stacks"))


def stacks(aws: Aws) -> Iterator[Difference]:
    """Stacks that were made from other templates than the repository has."""
    for outcome in infra.diff(aws):
        if outcome.action != "unchanged":
            changes = ", ".join(str(change) for change in outcome.changes) or "absent"
            yield Difference(f"stack {outcome.stack}", "template", "as infrastructure/templates has it", changes)


def _render(found: Drift, shell: Shell) -> None:
    for difference in found.differences:
        shell.console.print(str(difference), markup=False)
    looked = ", ".join(found.looked_at)
    count = len(found.differences)
    if not count:
        shell.console.print(f"no drift: {looked} are as the repository says", markup=False)
        return
    shell.console.print(f"{count} difference{'s' * (count > 1)} in: {looked}", markup=False)
    shell.say(
        f"next: {make('config', shell.stage)} for settings, {make('infra-deploy', shell.stage)} for stacks and queues, "
        f"{make('deploy', shell.stage)} for what the alias names"
    )


@verb(render=_render)
def main(shell: Shell) -> Drift:
    """Compare what runs with the repository; exit code 1 when anything differs."""
    return drift(shell.aws)


if __name__ == "__main__":
    main()
