from hypothesis import given
from hypothesis import strategies as st

from handler import redact
from plexus.exceptions import ScoringFailed

TEXT = "My name is Jane Roe and my card number is 4111 1111 1111 1111."


def test_an_unknown_error_is_told_by_its_class_only() -> None:
    """A library's message may quote its input, so it is not repeated."""
    assert redact.reason(ValueError(f"could not convert {TEXT}"), quotable=False) == "ValueError"


def test_a_quotation_of_the_text_is_left_out() -> None:
    """Even an error of our own does not carry the item's text on."""
    line = redact.reason(ScoringFailed(f"no class in the reply: {TEXT[11:40]}"), True, text=TEXT)
    assert line == "ScoringFailed: no class in the reply: [text]"


def test_secrets_of_the_environment_are_left_out() -> None:
    """The value of a variable whose name says that it is secret never appears."""
    hidden = redact.secrets({"OPENAI_API_KEY": "sk-123456789", "PLEXUS_ACCOUNT_KEY": "acme-limited", "HOME": "/home/x"})
    assert redact.reason(ScoringFailed("refused sk-123456789 of acme-limited"), True, hidden) == (
        "ScoringFailed: refused [secret] of acme-limited"
    )


def test_a_secret_of_several_lines_is_left_out() -> None:
    """A key of several lines is found in the one line of a reason, and one of blanks alone in none."""
    key = "-----BEGIN KEY-----\nMIIBVg\tIBADANBg\n-----END KEY-----\n"
    hidden = redact.secrets({"SIGNING_KEY": key, "BLANK_TOKEN": "\n" * 9})
    assert redact.reason(ScoringFailed(f"refused {key} of Jane"), True, hidden) == (
        "ScoringFailed: refused [secret] of Jane"
    )


@given(st.text(), st.text())
def test_a_reason_fits_the_record(message: str, text: str) -> None:
    """A reason is one printable line of at most 255 characters, whatever the error said."""
    line = redact.reason(ScoringFailed(message), True, text=text)
    assert 0 < len(line) <= 255
    assert line.isprintable()
    line.encode()
