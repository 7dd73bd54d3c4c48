"""Options and exit codes that all verbs share."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.checkout.layout import read_image
from scripts.command.shell import Shell
from scripts.console.errors import OperationFailed
from scripts.images.local_run import find_endpoint
from scripts.jobs.seeding import read_card
from tests.golden import commands
from tests.golden.commands import LOOKS, Command

ROOT = Path(__file__).resolve().parents[3]

NOT_REHEARSED = {
    "demo": "acts on this machine's own local stage, and is made of commands that have a dry run",
    "infra import": "writes files on this machine and prints what to run; that is the rehearsal of an import",
    "invoke": "the call is all that it does",
    "release": "changes this checkout, not a stage, so that there is nothing to confirm",
    "load": "adds one image to an engine of this machine",
    "run": "starts the image on this machine, and leaves nothing behind",
    "shell": "starts the image on this machine, and leaves nothing behind",
    "versions": "writes files to a new folder of this machine, and only reads the stage",
}
"""Commands that do something and have no dry run, with the reason."""

EVERY = commands.every()
every_command = pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)


@every_command
def test_every_command_knows_stage_endpoint_and_json(command: Command) -> None:
    """Every verb has --stage, --endpoint-url and --json."""
    assert {"--stage", "--endpoint-url", "--json"} <= command.options


@every_command
def test_what_acts_can_be_rehearsed(command: Command) -> None:
    """A verb has --dry-run and --yes, unless it only reads or is listed here with a reason."""
    rehearsed = {"--dry-run", "--yes"} <= command.options
    assert [rehearsed, command.name in LOOKS, command.name in NOT_REHEARSED].count(True) == 1


def test_only_commands_are_excused() -> None:
    """The lists of exceptions have existing verbs only."""
    assert LOOKS | set(NOT_REHEARSED) <= {command.name for command in EVERY}


@every_command
def test_misuse_ends_with_two(command: Command) -> None:
    """An unknown option prints its name and the usage, and exits with 2."""
    done = commands.run(*command.words, "--no-such-option")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: score-processor {command.name} ")
    assert "No such option '--no-such-option'" in done.stderr


@pytest.mark.parametrize("script", sorted({one.words[0] for one in EVERY if len(one.words) > 1}))
def test_a_sub_command_that_is_not_there_is_misuse(script: str) -> None:
    """An unknown subcommand prints its name and exits with 2."""
    done = commands.run(script, "no-such-command")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No such command 'no-such-command'" in done.stderr


@pytest.mark.parametrize("words", [(), ("--all", "0a1b")], ids=["none", "all and one"])
def test_deleting_dead_letters_asks_for_names_or_for_all(words: tuple[str, ...]) -> None:
    """`dlq delete` needs either names or --all, and checks that before it contacts AWS."""
    done = commands.run("dlq", "delete", *words)
    assert done.exit_code == 2
    assert "name the dead letters to delete, by message or job id, or use --all" in done.stderr


@pytest.mark.parametrize("script", ["logs", "results"])
def test_a_time_that_is_none_is_misuse_before_anything_is_asked(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid time is rejected with the accepted forms before AWS is contacted."""
    monkeypatch.setenv("LOCAL_AWS_NAME", "no-such-instance")
    done = commands.run(script, "--since", "yesterday")
    assert done.exit_code == 2
    assert "--since: got 'yesterday', expected a time: 90s, 10m, 2h, 1d or 2026-01-31T12:00" in done.stderr


def test_an_image_that_is_run_here_talks_to_the_given_address() -> None:
    """--endpoint-url takes precedence over the local AWS's endpoint."""
    assert find_endpoint(Shell(endpoint_url="http://127.0.0.1:9")) == "http://127.0.0.1:9"


def test_the_demo_refuses_an_address() -> None:
    """`demo` rejects --endpoint-url."""
    done = commands.run("demo", "--endpoint-url", "http://127.0.0.1:9")
    assert done.exit_code == 2
    assert "the demo starts its own local AWS" in done.stderr


@pytest.mark.parametrize(
    ("how", "code", "said"), [("acts=False", 0, ""), ("acts=True", 1, "stopped midway")], ids=["looks", "acts"]
)
def test_a_reader_may_have_enough(how: str, code: int, said: str) -> None:
    """A closed standard output ends a read-only verb with 0, and one that changes something with an error."""
    program = f"""
from scripts.command.verb import verb

@verb({how})
def main(shell):
    for number in range(100_000):
        shell.console.print(number)

main()
"""
    started = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with started as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        output = process.stderr.read().decode()
    assert (process.returncode, "Traceback" in output) == (code, False)
    assert said in output
    assert bool(said) == bool(output)


@pytest.mark.parametrize("url", ["foo", "ftp://host", "http://", "http://[::1", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_misuse(url: str) -> None:
    """An invalid URL is rejected with the expected form."""
    done = commands.run("status", "--endpoint-url", url)
    assert done.exit_code == 2
    assert f"{url!r}, expected http://HOST:PORT" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("costs", "--hours", "nan"),
        ("dlq", "redrive", "--rate", "nan"),
        ("deploy", "--canary", "nan"),
        ("deploy", "--watch", "nan"),
        ("deploy", "--watch", "inf"),
        ("run", "--port", "65536"),
        ("dashboard", "--port", "0"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_its_range_is_misuse(words: tuple[str, ...]) -> None:
    """Numbers out of range, NaN and infinity are rejected."""
    done = commands.run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Invalid value for '{words[-2]}'" in done.stderr


@pytest.mark.parametrize("index", ["{", "[]", '{"manifests": [{"digest": "sha256:../../x", "size": 1}]}'])
def test_a_layout_that_is_none_is_told(tmp_path: Path, index: str) -> None:
    """A malformed layout is an error with the folder's name, and no file outside of it is read."""
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(OperationFailed, match="is not an OCI image layout"):
        read_image(tmp_path)


def test_a_scorecard_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A scorecard that is not UTF-8 is an error with the file's name."""
    (tmp_path / "card.yaml").write_bytes(b"name: \xff")
    with pytest.raises(OperationFailed, match=r"card\.yaml: not UTF-8"):
        read_card(tmp_path / "card.yaml")
