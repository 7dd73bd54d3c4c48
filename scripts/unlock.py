"""Remove the deploy lock of a deploy that was killed.

score-processor unlock
"""

from __future__ import annotations

from dataclasses import dataclass

from .aws import lock
from .aws.account import require_account
from .command.shell import Shell
from .command.verb import verb


@dataclass(frozen=True)
class Unlocked:
    """The result; `action` is `unlocked`, `unchanged` or `would unlock`; `who` held the lock for `seconds`."""

    action: str
    who: str = ""
    seconds: int = 0


def _render(done: Unlocked, shell: Shell) -> None:
    text = {
        "unchanged": "nothing to do: no deploy holds the lock",
        "unlocked": f"removed the deploy lock of {done.who}, held for {done.seconds} s",
        "would unlock": f"would remove the deploy lock of {done.who}, held for {done.seconds} s",
    }[done.action]
    shell.print(text)
    if done.action == "unlocked":
        shell.say("if that deploy still runs, it ends in a conflict before it moves the alias")


@verb(acts=True, render=_render)
def main(shell: Shell) -> Unlocked:
    """Remove the deploy lock of any holder: for a deploy that was killed on another host."""
    require_account(shell.aws)
    holder, now = lock.read(shell.aws)
    if holder is None:
        return Unlocked("unchanged")
    seconds = max(0, int(now - holder.since))
    shell.confirm(f"Removes the deploy lock of {holder.who}, held for {seconds} s.")
    if not shell.dry_run:
        lock.unlock(shell.aws)
    return Unlocked("would unlock" if shell.dry_run else "unlocked", holder.who, seconds)
