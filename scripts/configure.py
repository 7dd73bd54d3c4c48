"""Apply the stage file's settings to the function.

score-processor configure
"""

from __future__ import annotations

import click

from .aws.account import require_account
from .command.shell import Shell
from .command.verb import verb
from .console.text import pluralize
from .release.configuration import ConfigurationResult, configure, parse_settings


def _render(configured: ConfigurationResult, shell: Shell) -> None:
    kept = f" (not in the stage file, kept: {', '.join(configured.kept)})" if configured.kept else ""
    settings = pluralize(len(configured.differences), "setting")
    version = (
        f"; alias {shell.stage.function.alias} now points at version {configured.version}" if configured.version else ""
    )
    text = {
        "unchanged": f"nothing to configure: the function matches stages/{shell.stage.name}.toml{kept}",
        "would configure": f"would change {settings}{kept}",
        "configured": f"changed {settings}{version}{kept}",
    }[configured.action]
    shell.console.print(text, markup=False)


@verb(acts=True, render=_render)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set another variable; repeatable.")
def main(shell: Shell, settings: tuple[str, ...]) -> ConfigurationResult:
    """Apply environment, timeout, memory and tracing of the stage file, and show the differences."""
    extra = parse_settings(settings)
    require_account(shell.aws)
    if shell.stage.is_guarded and not shell.dry_run:
        planned = configure(shell.aws, extra=extra, dry_run=True, say=shell.say)
        if planned.action == "unchanged":
            return planned
        shell.confirm(f"Changes {pluralize(len(planned.differences), 'setting')} of {shell.stage.function.name}.")
    return configure(shell.aws, extra=extra, dry_run=shell.dry_run, say=shell.say)
