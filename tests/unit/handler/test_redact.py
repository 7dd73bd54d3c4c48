import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import redact
from plexus.exceptions import ScoringFailed

TEXT = "My name is Jane Roe and my card number is 4111 1111 1111 1111."


def test_an_error_that_is_not_quotable_is_described_by_its_class() -> None:
    """The message of a library's error may quote its input, so it is dropped."""
    assert redact.describe_error(ValueError(f"could not convert {TEXT}"), quotable=False) == "ValueError"


def test_a_quotation_of_the_text_is_removed() -> None:
    """The description of an error does not quote the item's text."""
    line = redact.describe_error(ScoringFailed(f"no class in the reply: {TEXT[11:40]}"), True, text=TEXT)
    assert line == "ScoringFailed: no class in the reply: [text]"


def test_secrets_of_the_environment_are_removed() -> None:
    """The value of a variable whose name suggests a secret is removed."""
    secrets = redact.find_secret_values(
        {"OPENAI_API_KEY": "sk-123456789", "PLEXUS_ACCOUNT_KEY": "acme-limited", "HOME": "/home/x"}
    )
    assert redact.describe_error(ScoringFailed("refused sk-123456789 of acme-limited"), True, secrets) == (
        "ScoringFailed: refused [secret] of acme-limited"
    )


def test_a_secret_of_several_lines_is_removed() -> None:
    """A key of several lines is removed from the single line of a description; a secret of blanks is ignored."""
    key = "-----BEGIN KEY-----\nMIIBVg\tIBADANBg\n-----END KEY-----\n"
    secrets = redact.find_secret_values({"SIGNING_KEY": key, "BLANK_TOKEN": "\n" * 9})
    assert redact.describe_error(ScoringFailed(f"refused {key} of Jane"), True, secrets) == (
        "ScoringFailed: refused [secret] of Jane"
    )


@given(st.text(), st.text())
def test_a_reason_fits_the_record(message: str, text: str) -> None:
    """A description is one printable line of 1 to 255 characters, whatever the error's message is."""
    line = redact.describe_error(ScoringFailed(message), True, text=text)
    assert 0 < len(line) <= 255
    assert line.isprintable()
    line.encode()


@pytest.mark.parametrize("quoted", [TEXT, TEXT[:17], TEXT[-16:], TEXT[5:30] + TEXT[20:50], "\n".join(TEXT.split())])
@pytest.mark.parametrize("around", ["", "x" * 3, "My n"])
def test_no_sixteen_characters_of_a_text_remain(quoted: str, around: str) -> None:
    """A quotation from any part of the text leaves no sixteen characters of it."""
    line = redact.describe_error(ScoringFailed(around + quoted + around), True, text=TEXT)
    assert [TEXT[at : at + 16] for at in range(len(TEXT) - 15) if TEXT[at : at + 16] in line] == []
    assert "[text]" in line


@given(st.text(alphabet="ab ", max_size=300), st.text(alphabet="ab ", min_size=16, max_size=300))
def test_every_run_that_is_in_the_text_is_found(line: str, text: str) -> None:
    """The runs are those that a search for each of them finds."""
    runs = {line[at : at + 16] for at in range(len(line) - 15)}
    assert redact.find_quoted(line, text) == {run for run in runs if run in text}


def test_a_short_text_is_removed_whole() -> None:
    """A text of 8 to 15 characters is removed where all of it is quoted."""
    text = "+1 555 010 4477"
    assert redact.describe_error(ScoringFailed(f"got {text}."), True, text=text) == "ScoringFailed: got [text]."


def test_characters_that_are_replaced_hide_no_quotation() -> None:
    """Control characters in the text are replaced in the error's line, which does not keep the rest of a quotation."""
    text = "Jane\0Roe\x07card\0number\0" * 3
    assert redact.describe_error(ScoringFailed(f"got {text}"), True, text=text) == "ScoringFailed: got [text]"


class Counting(str):
    """A text that counts the characters that are looked at."""

    seen = 0

    def __getitem__(self, key: Any) -> str:
        """Count and return a part."""
        part = str.__getitem__(self, key)
        Counting.seen += len(part)
        return part

    def __contains__(self, part: str) -> bool:  # type: ignore[override]  # what a search would cost
        """Count a search of the whole text."""
        Counting.seen += len(self)
        return str.__contains__(self, part)


CHANCE = random.Random(18)
LONG = {
    "one letter": ("a" * 1000, "a" * 40_000),
    "almost one letter": (("a" * 15 + "b") * 60, "a" * 40_000),
    "two letters": ("".join(CHANCE.choices("ab", k=1000)), "".join(CHANCE.choices("ab", k=40_000))),
    "words": ("no such words " * 70, "some other words of a long text " * 1200),
}


@pytest.mark.parametrize("name", LONG)
def test_the_work_grows_with_the_text_and_not_with_the_line(name: str) -> None:
    """The search compares at most 20 times the text's length, for any length of the line and any number of matches."""
    line, text = LONG[name]
    for length in (100, 1000):
        Counting.seen = 0
        redact.find_quoted(line[:length], Counting(text))
        assert 0 < Counting.seen <= 20 * len(text)
