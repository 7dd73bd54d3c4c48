"""Help texts equal the transcripts under `tests/golden/help`, so that a change shows in the diff."""

from pathlib import Path

import pytest

from tests.golden import commands
from tests.golden.transcripts import Golden

ROOT = Path(__file__).resolve().parents[3]


def transcript(*words: str) -> str:
    """Return the transcript of a command's `--help`."""
    done = commands.run(*words, "--help")
    assert done.exit_code == 0, done.output
    return f"{commands.format_line(*words, '--help')}\n{done.output}"


@pytest.mark.parametrize("verb", commands.verbs())
def test_a_verbs_help_equals_its_transcript(verb: str, golden: Golden) -> None:
    """The help of a verb, and that of each of its sub-commands, equals the transcript to the letter."""
    below = [command.words for command in commands.commands(verb) if len(command.words) > 1]
    golden.check(f"help/{verb}", "\n".join(transcript(*words) for words in ((verb,), *below)))


def test_the_overview_equals_its_transcript(golden: Golden) -> None:
    """`score-processor --help` lists every verb in its section."""
    golden.check("help/score-processor", transcript())


@pytest.mark.parametrize("words", [(), ("infra",)], ids=["overview", "infra"])
def test_a_list_of_verbs_has_whole_sentences(words: tuple[str, ...]) -> None:
    """No description in a list of verbs is cut short."""
    assert "..." not in transcript(*words).replace("[ARGS]...", "")


def test_every_transcript_belongs_to_a_verb(golden: Golden) -> None:
    """No transcript is left of a verb that was removed."""
    golden.check_names("help", [*commands.verbs(), "score-processor"])


@pytest.mark.parametrize("verb", commands.verbs())
def test_no_help_names_a_path_of_this_machine(verb: str) -> None:
    """Defaults are shown as paths of the repository."""
    assert not [command.name for command in commands.commands(verb) if str(ROOT) in transcript(*command.words)]
