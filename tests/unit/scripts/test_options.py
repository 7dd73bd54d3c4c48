"""What every command has in common: the same options, the same exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts._command import Shell
from scripts._errors import OperationFailed
from scripts._image import read_image
from scripts._local_image import endpoint_of
from scripts._seed import read_card
from tests.golden import commands
from tests.golden.commands import LOOKS, Command

NOT_REHEARSED = {
    "demo": "acts on this machine's own local stage, and is made of commands that have a dry run",
    "infra import": "writes files on this machine and prints what to run; that is the rehearsal of an import",
    "invoke": "the call is all that it does",
    "load": "adds one image to an engine of this machine",
    "run": "starts the image on this machine, and leaves nothing behind",
    "shell": "starts the image on this machine, and leaves nothing behind",
}
"""Commands that do something and have no dry run, with the reason."""

EVERY = commands.every()
each = pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)


@each
def test_every_command_knows_stage_endpoint_and_json(command: Command) -> None:
    """Where to act and how to answer is said in the same way everywhere."""
    assert {"--stage", "--endpoint-url", "--json"} <= command.options


@each
def test_what_acts_can_be_rehearsed(command: Command) -> None:
    """A command has a dry run, and a yes for guarded stages, unless it only looks or is excused here."""
    rehearsed = {"--dry-run", "--yes"} <= command.options
    assert [rehearsed, command.name in LOOKS, command.name in NOT_REHEARSED].count(True) == 1


def test_only_commands_are_excused() -> None:
    """No excuse stays for a command that is gone."""
    assert LOOKS | set(NOT_REHEARSED) <= {command.name for command in EVERY}


@each
def test_misuse_ends_with_two(command: Command) -> None:
    """An option that a command does not know is named, the usage is shown, and the exit code is 2."""
    done = commands.run(*command.words, "--no-such-option")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: python -m scripts.{command.name} ")
    assert "No such option '--no-such-option'" in done.stderr


@pytest.mark.parametrize("script", sorted({one.words[0] for one in EVERY if len(one.words) > 1}))
def test_a_sub_command_that_is_not_there_is_misuse(script: str) -> None:
    """It is named, and the exit code is 2."""
    done = commands.run(script, "no-such-command")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No such command 'no-such-command'" in done.stderr


@pytest.mark.parametrize("words", [(), ("--all", "0a1b")], ids=["none", "all and one"])
def test_deleting_dead_letters_asks_for_names_or_for_all(words: tuple[str, ...]) -> None:
    """Neither and both are misuse, and nothing is looked up for it."""
    done = commands.run("dlq", "delete", *words)
    assert done.exit_code == 2
    assert "name the dead letters to delete, by message or job id, or say --all" in done.stderr


@pytest.mark.parametrize("script", ["logs", "results"])
def test_a_time_that_is_none_is_misuse_before_anything_is_asked(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the forms that there are, also where no local AWS runs."""
    monkeypatch.setenv("LOCAL_AWS_NAME", "no-such-instance")
    done = commands.run(script, "--since", "yesterday")
    assert done.exit_code == 2
    assert "'yesterday' is not a time; write 90s, 10m, 2h, 1d or 2026-01-31T12:00" in done.stderr


def test_an_image_that_is_run_here_talks_to_the_given_address() -> None:
    """An address on the command line goes before that of a local AWS."""
    assert endpoint_of(Shell(endpoint_url="http://127.0.0.1:9")) == "http://127.0.0.1:9"


def test_the_demo_refuses_an_address() -> None:
    """What a command cannot heed is misuse, not passed over."""
    done = commands.run("demo", "--endpoint-url", "http://127.0.0.1:9")
    assert done.exit_code == 2
    assert "the demo starts a local AWS of its own" in done.stderr


@pytest.mark.parametrize(
    ("how", "code", "said"), [("acts=False", 0, ""), ("acts=True", 1, "stopped in the middle")], ids=["looks", "acts"]
)
def test_a_reader_may_have_enough(how: str, code: int, said: str) -> None:
    """`| head` ends a command that looks as if it were done; one that acts says that it was stopped."""
    program = f"""
from scripts._command import verb

@verb({how})
def main(shell):
    for number in range(100_000):
        shell.console.print(number)

main()
"""
    started = subprocess.Popen(
        [sys.executable, "-c", program], cwd=commands.SCRIPTS.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with started as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        told = process.stderr.read().decode()
    assert (process.returncode, "Traceback" in told) == (code, False)
    assert said in told
    assert bool(said) == bool(told)


@pytest.mark.parametrize("url", ["foo", "ftp://host", "http://", "http://[::1", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_misuse(url: str) -> None:
    """The value is named with the form that an address has."""
    done = commands.run("status", "--endpoint-url", url)
    assert done.exit_code == 2
    assert f"{url!r} is no address; write http://HOST:PORT" in done.stderr


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
    """So is what is no number, and one without end."""
    done = commands.run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Invalid value for '{words[-2]}'" in done.stderr


@pytest.mark.parametrize("index", ["{", "[]", '{"manifests": [{"digest": "sha256:../../x", "size": 1}]}'])
def test_a_layout_that_is_none_is_told(tmp_path: Path, index: str) -> None:
    """Whatever stands in its index, the folder is named and nothing is read beside it."""
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(OperationFailed, match="is no OCI image layout"):
        read_image(tmp_path)


def test_a_scorecard_that_is_no_text_is_told(tmp_path: Path) -> None:
    """The file is named, with what it lacks."""
    (tmp_path / "card.yaml").write_bytes(b"name: \xff")
    with pytest.raises(OperationFailed, match=r"card\.yaml: it is not UTF-8"):
        read_card(tmp_path / "card.yaml")
