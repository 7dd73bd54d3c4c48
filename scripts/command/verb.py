"""The decorator `verb`: shared options, output as text or JSON, exit codes, and cleanup on Ctrl-C."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any, NoReturn, TypeVar

import click

from nix.command import forget_interrupt

from ..aws.clients import translate_errors
from ..console.errors import DONE, FAILED, INTERRUPTED, MISUSED, OperationFailed
from ..console.interrupts import interruptible
from ..console.options import check_address
from ..console.output import is_coloured, print_json
from ..console.text import escape_controls
from .image_code import explain_imports
from .shell import Shell

F = TypeVar("F", bound=Callable[..., Any])


def _end(main: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> NoReturn:
    """Run click's main and exit with one of our codes and at most one message on standard error."""
    code: Any = FAILED
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal whose encoding has no → prints an escape instead of failing.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with interruptible(), explain_imports():
            code = main(*args, **options | {"standalone_mode": False})
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        error.show()
        code = MISUSED
        _report(error.format_message(), "", "Misused", code, args, options)
    except OperationFailed as error:
        _complain(str(error))
        _report(error.problem, error.remedy, type(error).__name__, FAILED, args, options)
    except BrokenPipeError as error:
        _discard_stdout()
        _complain(f"stopped midway: the output's reader exited, or a connection broke ({error})")
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _complain(problem)
        _report(problem, "", "OperationFailed", FAILED, args, options)
    except (KeyboardInterrupt, click.Abort):
        forget_interrupt()
        _complain("interrupted")
        code = INTERRUPTED
        _report("interrupted", "run it again", "Interrupted", code, args, options)
    sys.exit(code if isinstance(code, int) else DONE)


def _report(problem: str, remedy: str, kind: str, code: int, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """With --json, print an error on standard output, too: as an object with the single key `error`."""
    words = options.get("args") or (args[0] if args else None) or sys.argv[1:]
    if "--json" in words:
        with contextlib.suppress(OSError):  # the output's reader may be what failed
            print_json({"error": {"kind": kind, "problem": problem, "remedy": remedy, "exit_code": code}})


def _complain(text: str) -> None:
    in_colour = is_coloured(sys.stderr)
    head = click.style("error", fg="red") if in_colour else "error"
    click.echo(f"{head}: {escape_controls(text)}", err=True, color=in_colour)


class Verb(click.Command):
    """A verb, which ends the process with one of the project's exit codes."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run, and exit with 0 (success), 1 (failure), 2 (wrong usage), 3 (problem found) or 130 (interrupted)."""
        _end(super().main, args, options)


SENTENCE = 200  # characters: longer than the first sentence of any verb's help


class Verbs(click.Group):
    """A verb with subcommands."""

    command_class = Verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands, each with the whole first sentence of its help."""
        self.write_section("Commands", self.list_commands(ctx), ctx, formatter)

    def write_section(
        self, title: str, names: Sequence[str], ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write a section of the help; click would cut each sentence to one line."""
        commands = ((name, self.get_command(ctx, name)) for name in names)
        with formatter.section(title):
            formatter.write_dl([(name, command.get_short_help_str(SENTENCE)) for name, command in commands if command])

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run, and exit as Verb.main does."""
        _end(super().main, args, options)


def verb(
    *,
    acts: bool = False,
    render: Callable[[Any, Shell], None] | None = None,
    group: click.Group | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Verb]:
    """Return a decorator that makes a click command of a function `(shell, **options) -> result`.

    The result is printed by `render`, or as JSON with --json; None prints nothing. Its attribute `exit_code`, if it
    has one, becomes the exit code. `acts` marks verbs that change something: it adds --dry-run and --yes, and a
    closed standard output is then an error, since the work may be half done.
    """

    def decorate(function: Callable[..., Any]) -> Verb:
        @wraps(function)
        def callback(stage: str, endpoint_url: str | None, as_json: bool, **options: Any) -> int:
            acting = {key: options.pop(key) for key in ("dry_run", "yes") if acts}
            shell = Shell(stage, endpoint_url, as_json, **acting)
            return _run(function, shell, render, options, acts)

        for option in reversed(_options(acts)):
            callback = option(callback)
        command = click.command(name or function.__name__, cls=Verb)(callback)
        if group is not None:
            group.add_command(command)
        return command

    return decorate


def _options(acts: bool) -> list[Callable[[F], F]]:
    options = [
        click.option(
            "--stage", envvar="STAGE", default="local", show_default=True, help="The stage, one of stages/*.toml."
        ),
        click.option(
            "--endpoint-url", callback=check_address, help="Use this AWS endpoint instead of the stage's own."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else."),
    ]
    if acts:
        options += [
            click.option("--dry-run", is_flag=True, envvar="DRY_RUN", help="Print what would be done, and do nothing."),
            click.option(
                "--yes", "-y", is_flag=True, envvar="YES", help="Do not ask for confirmation in a guarded stage."
            ),
        ]
    return options


def _run(
    function: Callable[..., Any], shell: Shell, render: Callable[[Any, Shell], None] | None, options: Any, acts: bool
) -> int:
    value: Any = None
    with nullcontext() if acts else _ignore_epipe(), translate_errors(shell.stage):
        value = function(shell, **options)
    with _ignore_epipe():
        if value is not None:  # None: the verb has printed its output itself
            if shell.as_json:
                print_json(value)
            elif render is not None:
                render(value, shell)
    return int(getattr(value, "exit_code", DONE))


@contextmanager
def _ignore_epipe() -> Iterator[None]:
    """Ignore EPIPE on standard output, so that `| head` ends a read-only command without an error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLOUT)
        if not any(event & select.POLLERR for _, event in poll.poll(0)):
            raise  # another pipe than standard output
        _discard_stdout()


def _discard_stdout() -> None:
    """Send further output to the null device; otherwise the interpreter reports the broken pipe again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
