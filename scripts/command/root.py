"""The command group of all verbs, which imports a verb's module only when the verb is run."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from ..console.errors import OperationFailed
from .image_code import explain_imports
from .verb import Verb, Verbs

SCRIPTS = Path(__file__).resolve().parents[1]
SECTIONS = {
    "Get started": ("demo",),
    "Image": (
        *("build", "lint-image", "run", "shell", "load", "reproducible", "sbom", "vulnerabilities", "lock", "archive"),
        "cache",
    ),
    "Local AWS": ("local",),
    "Ship": (
        *("infra", "login", "push", "deploy", "rollback", "unlock", "history", "drift", "attest", "verify"),
        "configure",
        "release",
    ),
    "Operate": (
        "invoke",
        "logs",
        "status",
        "enqueue",
        "results",
        "shadow",
        "versions",
        "artifacts",
        "publish",
        "dlq",
        "costs",
        "dashboard",
        "doctor",
    ),
    "Shell": ("completion",),
}
"""The sections of `make help`, in its order."""

PROGRAMS = {
    "build": ("nix.build", "Fetch pinned inputs, assemble the image, lint it, and print its digest."),
    "cache": ("nix.cache_command", "Show the cache of inputs and layers, or prune what no lock needs."),
    "local": ("local_aws", "Start, stop or inspect the local AWS."),
    "lock": ("nix.locking", "Update the pins and print what moved."),
    "reproducible": ("nix.reproducible", "Rebuild as other machines, users and Nix would, and compare digests."),
    "sbom": ("nix.sbom", "Print the image's bill of materials."),
    "vulnerabilities": ("nix.vulnerabilities", "List known vulnerabilities of all pinned packages."),
}
"""Verbs that run without the development environment: the module that parses their words, and a summary."""


class Root(Verbs):
    """All verbs. Only the named one is imported: importing all takes longer than most verbs run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs, section by section."""
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb of this name, or None if there is none."""
        if cmd_name in PROGRAMS:
            return create_program_verb(cmd_name, *PROGRAMS[cmd_name])
        if cmd_name not in self.list_commands(ctx):
            return None
        module = cmd_name.replace("-", "_")
        package = (SCRIPTS / module).is_dir()
        try:
            with explain_imports():
                command = import_module(f"scripts.{module}.command" if package else f"scripts.{module}").main
        except OperationFailed as problem:
            return create_broken_verb(cmd_name, problem)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section of the help for each section of verbs."""
        for section, names in SECTIONS.items():
            self.write_section(section, names, ctx, formatter)


def create_program_verb(name: str, module: str, summary: str) -> click.Command:
    """Return a verb that hands its words to a module's own command line.

    The process is replaced: exit code, signals and standard streams are the module's. No option is read here, `--help`
    included.
    """

    @click.command(name, help=summary, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> None:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606 - the same interpreter

    return command


def create_broken_verb(name: str, problem: OperationFailed) -> click.Command:
    """Return the verb of a module that does not load: the help and the completion of all others must work.

    Run with any words, it raises `problem`.
    """

    @click.command(
        name,
        cls=Verb,
        help=f"Not available: {problem.problem}",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever the words are
        raise problem

    return command


@click.command(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="score-processor", message="%(prog)s %(version)s")
def root() -> None:
    """Build, ship and operate Score Processor.

    Every verb acts on the local AWS unless --stage (or STAGE) names another stage under stages/. `score-processor
    VERB --help` describes one verb.
    """
