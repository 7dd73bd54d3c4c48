"""What every verb shares: options, output for people or as JSON, exit codes, and a clean end on Ctrl-C."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, NoReturn, SupportsBytes, TextIO, TypeVar

import click

from ._aws import Aws, clients, translated
from ._errors import OperationFailed, Refused
from ._options import address
from ._stage import Stage, load_stage
from ._text import UNSHOWN, printable

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Shell:
    """What a verb is given: its stage's clients, how to speak, and whether it may act."""

    stage_name: str = "local"
    endpoint_url: str | None = None
    as_json: bool = False
    dry_run: bool = False
    yes: bool = False

    @cached_property
    def stage(self) -> Stage:
        """The stage, read when first asked for."""
        return load_stage(self.stage_name)

    @cached_property
    def aws(self) -> Aws:
        """The stage's clients."""
        return clients(self.stage, self.endpoint_url)

    @cached_property
    def console(self) -> Any:
        """Where results for people go: standard output."""
        from ._console import Printer

        return Printer()

    def print(self, text: str, **style: Any) -> None:
        """Print text on standard output, in click's styles; what prints no table need not wait for `console`."""
        text = printable(text)
        click.echo(click.style(text, **style) if style and _coloured(sys.stdout) else text)

    def say(self, text: str) -> None:
        """Tell a step on standard error, so that standard output holds only the result."""
        click.echo(printable(text), err=True)

    def confirm(self, what: str) -> None:
        """Ask before a change of a guarded stage; raise Refused without a yes, or in another account."""
        if self.dry_run or not self.stage.is_guarded:
            return
        if not self.yes and not sys.stdin.isatty():
            raise Refused(
                f"stage {self.stage.name} changes only with a yes, and nobody is here to ask: {what}",
                "add --yes (make: YES=1)",
            )
        from ._guard import require_account

        require_account(self.aws)  # names are alike in every account: a yes to the wrong one would be carried out
        if not self.yes and not click.confirm(f"{what}\nGo on in stage {self.stage.name}?", err=True):
            raise Refused("nothing was changed", "run it again when you are sure")


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: dataclasses as objects, times as ISO 8601, decimals as numbers.

    Bytes are Base64, as in DynamoDB's own JSON.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, SupportsBytes):
        return base64.b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, Path) else value


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output; what a terminal would obey, or cannot show, is escaped."""
    in_unicode = sys.stdout is not None and sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(plain(value), indent=indent, ensure_ascii=not in_unicode)
    click.echo(UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _end(main: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> NoReturn:
    """Run a click main and end with our exit codes and at most one message on standard error."""
    code: Any = FAILED
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that has no arrow still gets the rest
    try:
        code = main(*args, **options | {"standalone_mode": False})
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        error.show()
        code = MISUSED
    except OperationFailed as error:
        _complain(str(error))
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        _complain(f"stopped in the middle: nobody reads the output any longer, or a connection broke ({error})")
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else DONE)


def _complain(text: str) -> None:
    coloured = _coloured(sys.stderr)
    head = click.style("error", fg="red") if coloured else "error"
    click.echo(f"{head}: {printable(text)}", err=True, color=coloured)


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ


class Verb(click.Command):
    """One verb."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run, and end the process with 0 (done), 1 (failed), 2 (misused) or 130 (interrupted)."""
        _end(super().main, args, options)


class Verbs(click.Group):
    """A verb with sub-commands."""

    command_class = Verb

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """As Verb.main."""
        _end(super().main, args, options)


def verb(
    *,
    acts: bool = False,
    render: Callable[[Any, Shell], None] | None = None,
    group: click.Group | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Verb]:
    """Make a click command of a function that takes a Shell and its own options, and returns a value.

    The value is printed by `render`, or as JSON with --json. `acts` adds --dry-run and --yes.
    """

    def decorate(function: Callable[..., Any]) -> Verb:
        @wraps(function)
        def callback(stage: str, endpoint_url: str | None, as_json: bool, **options: Any) -> int:
            acting = {key: options.pop(key) for key in ("dry_run", "yes") if acts}
            shell = Shell(stage, endpoint_url, as_json, **acting)
            return _run(function, shell, render, options, acts)

        for option in reversed(_options(acts)):
            callback = option(callback)
        made = click.command(name or function.__name__, cls=Verb)(callback)
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def _options(acts: bool) -> list[Callable[[F], F]]:
    options = [
        click.option("--stage", envvar="STAGE", default="local", show_default=True, help="A name under stages/."),
        click.option("--endpoint-url", callback=address, help="Talk to this address instead of the stage's own."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else."),
    ]
    if acts:
        options += [
            click.option("--dry-run", is_flag=True, envvar="DRY_RUN", help="Say what would be done, and do nothing."),
            click.option("--yes", "-y", is_flag=True, envvar="YES", help="Do not ask before changing a guarded stage."),
        ]
    return options


def _run(
    function: Callable[..., Any], shell: Shell, render: Callable[[Any, Shell], None] | None, options: Any, acts: bool
) -> int:
    value: Any = None
    with nullcontext() if acts else _until_nobody_reads(), translated(shell.stage):
        value = function(shell, **options)
    with _until_nobody_reads():
        if value is not None:  # otherwise the verb has printed as it went
            if shell.as_json:
                print_json(value)
            elif render is not None:
                render(value, shell)
    return int(getattr(value, "exit_code", DONE))


@contextmanager
def _until_nobody_reads() -> Iterator[None]:
    """End the block early, and without an error, when whoever read standard output has enough, as `| head` has."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLOUT)
        if not any(event & select.POLLERR for _, event in poll.poll(0)):
            raise  # it was another pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
