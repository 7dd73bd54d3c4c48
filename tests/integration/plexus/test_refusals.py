"""A provider that refuses every request stops `plexus run` and `evaluate` at once, and a later command resumes."""

import csv
import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from plexus.commands import evaluate, run
from plexus.running.refusals import IN_A_ROW
from tests.integration.plexus.clients import CLIENTS, card, isolate
from tests.integration.plexus.provider import Answer, Provider, provider

ROWS = 30
#: Rows that are scored at the same time: more requests than these are not on their way when the first is refused.
WORKERS = 8
REFUSED = [
    ("openai", Answer(status=401, code="invalid_api_key"), "check the key and its permissions"),
    ("openai", Answer(status=429, code="insufficient_quota"), "check the plan and the billing"),
    ("openai", Answer(status=404, code="model_not_found"), "check `model_name`"),
    ("openai", Answer(status=403, code="unsupported_country_region_territory"), "PermissionDeniedError (403"),
    ("openai", Answer(status=429, code="rate_limit_exceeded", headers={"Retry-After": "3600"}), "asks to wait 3600 s"),
    ("azure", Answer(status=404, code="DeploymentNotFound"), "check `model_name`"),
    ("anthropic", Answer(status=401, code="authentication_error"), "check the key and its permissions"),
    ("anthropic", Answer(status=404, code="not_found_error"), "NotFoundError (404"),
    ("bedrock", Answer(status=403, code="AccessDeniedException"), "check the key and its permissions"),
    ("bedrock", Answer(status=403, code="ExpiredTokenException"), "(403, ExpiredTokenException)"),
    (
        "bedrock",
        Answer(status=400, code="ValidationException", message="The provided model identifier is invalid."),
        "",
    ),
    ("ollama", Answer(status=404), "(404)"),
]
#: Failures of single texts, or of a moment: the next row may succeed.
OTHERS = [
    ("openai", Answer(status=400, code="content_filter")),
    ("openai", Answer(status=400, code="context_length_exceeded")),
    ("openai", Answer(status=403)),
    ("anthropic", Answer(status=400, code="invalid_request_error")),
    ("bedrock", Answer(status=400, code="ValidationException")),
    ("openai", Answer("Perhaps")),
]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Texts with labels; the scorecard is written by each test."""
    lines = [f"text {number},{'No' if number % 2 else 'Yes'}" for number in range(ROWS)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return tmp_path


def command(server: Provider, client: str, folder: Path, *more: str, verb: click.Command = run.command) -> Result:
    """Return the command on the texts, with a score of the client and one that calls no provider."""
    text = card(server, client, more="maximum_retry_count: 0").document.text
    text += "  - {name: Words, class: KeywordClassifier, keywords: [text]}\n"
    (folder / "card.yaml").write_text(text)
    words = [str(folder / "card.yaml"), "--data", str(folder / "texts.csv"), *more]
    return CliRunner().invoke(verb, words, standalone_mode=False)


def list_values(path: Path) -> list[tuple[str, str, str]]:
    """Return row, value and error of each row of results."""
    with path.open(newline="") as file:
        return [(row["row"], row["Refund"], row["Refund error"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("client", "refusal", "words"), REFUSED)
def test_a_refusal_of_every_request_stops_a_run(client: str, refusal: Answer, words: str, folder: Path) -> None:
    """The rows before it are kept, the message says why and what to do, and the same command finishes the file."""
    output = folder / "out.csv"
    with provider(*[Answer("Yes")] * 10, refusal) as server:
        stopped = command(server, client, folder, "--output", str(output))
        assert len(server.requests) <= 10 + WORKERS
        assert str(stopped.exception).startswith("no further row can be scored: row ")
        assert words in str(stopped.exception)
        assert not output.exists()
        kept = len((folder / "out.csv.part").read_text().splitlines()) - 1
        assert kept <= 10  # how many of them lie before the first that was refused, the threads' speed decides
        assert f"stopped after {kept} of {ROWS} rows" in stopped.stderr
        server.answers[:] = [Answer("Yes")]
        server.requests.clear()
        assert command(server, client, folder, "--output", str(output)).return_value == 0
        assert len(server.requests) == ROWS - kept
    assert list_values(output) == [(str(number), "Yes", "") for number in range(1, ROWS + 1)]
    assert not (folder / "out.csv.part").exists()


@pytest.mark.parametrize(("client", "answer"), OTHERS)
def test_a_failure_of_one_text_stops_nothing(client: str, answer: Answer, folder: Path) -> None:
    """Every row is scored; those that failed have their error."""
    with provider(Answer("Yes"), answer, Answer("Yes")) as server:
        command(server, client, folder, "--output", str(folder / "out.csv"))
    values = list_values(folder / "out.csv")
    assert len(values) == ROWS
    assert [bool(error) for _, _, error in values].count(True) == 1


def test_a_filter_that_refuses_many_rows_in_a_row_stops_a_run(folder: Path) -> None:
    """A 403 without a known code may be about one text, but not about so many."""
    with provider(Answer(status=403)) as server:
        stopped = command(server, "openai", folder, "--output", str(folder / "out.csv"))
        assert IN_A_ROW <= len(server.requests) < IN_A_ROW + WORKERS
    assert "(403, x)" in str(stopped.exception)


def test_a_provider_out_of_reach_stops_a_run_at_its_first_row(folder: Path) -> None:
    """Nothing listens at the address of the scorecard: a mistake, and no trouble of a moment."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        server = Provider([], address=f"http://127.0.0.1:{held.getsockname()[1]}")
        stopped = command(server, "openai", folder, "--output", str(folder / "out.csv"))
    assert str(stopped.exception).endswith("ConnectionError. next: check the network and `base_url`")
    assert (folder / "out.csv.part").read_text().count("\n") == 1


def test_failed_rows_are_not_all_asked_again(folder: Path) -> None:
    """`--retry-failed` stops in the same way; what it has scored is kept, and it can be repeated."""
    output, retry = folder / "out.csv", ["--output", str(folder / "out.csv"), "--retry-failed"]
    filtered = Answer(status=400, code="content_filter")
    with provider(*[Answer("Yes")] * 10, filtered) as server:
        assert command(server, "openai", folder, "--output", str(output)).return_value == 1
        server.answers[:] = [Answer("Yes")] * 10 + [Answer(status=401)]
        server.requests.clear()
        assert command(server, "openai", folder, *retry).exception is not None
        assert len(server.requests) <= 10 + WORKERS
        server.answers[:] = [Answer("Yes")]
        assert command(server, "openai", folder, *retry).return_value == 0
    assert {value for _, value, _ in list_values(output)} == {"Yes"}


@pytest.mark.parametrize("more", [(), ("--workers", "2")])
def test_printed_rows_end_before_a_refusal(more: tuple[str, ...], folder: Path) -> None:
    """Without an output, and with several processes, the command fails with the same message."""
    with provider(Answer(status=401)) as server:
        stopped = command(server, "openai", folder, *more)
        assert len(server.requests) <= 2 * WORKERS
    assert "(401, x). next: check the key" in str(stopped.exception)
    assert len(stopped.stdout.splitlines()) == 1  # the header


def test_a_refusal_stops_an_evaluation(folder: Path) -> None:
    """No figure of the texts before it is printed: they are not the texts of the table."""
    with provider(*[Answer("Yes")] * 10, Answer(status=401)) as server:
        stopped = command(server, "openai", folder, "--score", "Refund", verb=evaluate.command)
        assert len(server.requests) <= 10 + WORKERS
    assert "(401, x). next: check the key" in str(stopped.exception)
    assert stopped.stdout == ""


def test_every_client_has_a_refusal() -> None:
    """No provider's client is left out of these tests."""
    assert {client for client, *_ in REFUSED} == set(CLIENTS)
