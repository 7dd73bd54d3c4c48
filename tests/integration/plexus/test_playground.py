"""`plexus serve`: what the server answers, to whom, and what it refuses."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import plexus
from plexus.artifacts import FolderArtifacts
from plexus.commands import serve
from plexus.exceptions import PlexusError
from plexus.playground import page
from plexus.playground.answers import Playground
from plexus.playground.server import MAXIMUM_BYTES, Server, listen
from plexus.publishing import publish

ROOT = Path(__file__).resolve().parents[3]
SATISFACTION = ROOT / "examples" / "scorecards" / "satisfaction.yaml"
HANDOVER = ROOT / "examples" / "scorecards" / "handover.yaml"
CARD = """
name: Reviews
key: reviews
processors: [{class: RemoveSpeakerIdentifiers}]
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund, 返金]
  - name: Angry
    class: KeywordClassifier
    depends_on: {Refund: "Yes"}
    keywords: [never again]
"""

GRAPH = (
    "{name: A, class: LangGraphScore, model_provider: PROVIDER, model_name: m, "
    "graph: [{name: n, class: Generator, user_message: '{{ text }}'}]}"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A playground of a card in a folder of its own, on a free port."""
    (tmp_path / "card.yaml").write_text(CARD, encoding="utf-8")
    with running(tmp_path / "card.yaml", tmp_path / "store") as started:
        yield started


@contextmanager
def running(card: Path, store: Path) -> Iterator[Server]:
    """Serve a card until the test is done."""
    context = plexus.Context(artifacts=FolderArtifacts(store), offline=True)
    with Server(Playground(card, context, store)) as started:
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield started
        finally:
            started.shutdown()
            thread.join()


def request(
    server: Server, method: str, path: str, content: object = None, **headers: str | None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Send a request as the page does; `headers` replace its own, None leaves one out."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = {"Host": server.hosts[0], "X-Plexus-Key": server.key, "Content-Type": "application/json"}
    fields["Content-Length"] = str(len(body))
    sent = {**fields, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection(server.hosts[0], timeout=120)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body if method == "POST" else None)
    response = connection.getresponse()
    result = response.status, response.read(), response.headers
    connection.close()
    return result


def score(server: Server, text: str, card: str | None = None, metadata: str = "") -> dict[str, Any]:
    """The server's answers to a text."""
    content = {"card": card if card is not None else CARD, "text": text, "metadata": metadata}
    status, body, _ = request(server, "POST", "/score", content)
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_each_score_is_answered_with_what_it_read(server: Server) -> None:
    """Values and places of the words are the library's; places count characters of the processed text."""
    refund, angry = score(server, "Customer: 😀 I want a 返金 now")["scores"]
    assert (refund["value"], refund["class"]) == ("Yes", "KeywordClassifier")
    assert [refund["processed_text"][begin:end] for begin, end in refund["trace"]["matches"]] == ["返金"]
    assert "Customer" not in refund["processed_text"]
    assert angry["value"] == "No"
    (_, skipped) = score(server, "fine")["scores"]
    assert skipped["error"] == "NotApplicable"


def test_the_card_of_the_page_is_scored_and_no_file_is_written(server: Server, tmp_path: Path) -> None:
    """An edited card gives other values; the file stays."""
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert score(server, "fine", CARD.replace("refund,", "fine,"))["scores"][0]["value"] == "Yes"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_broken_card_is_answered_with_its_problems(server: Server) -> None:
    """Lint has line and column of every problem; scoring lists the errors in lines."""
    broken = CARD.replace("keywords: [never", "keyword: [never")
    _, body, _ = request(server, "POST", "/lint", {"card": broken})
    problems = json.loads(body)["problems"]
    lines = broken.splitlines()
    assert problems
    assert any("keyword" in lines[problem["line"] - 1] or "Angry" in lines[problem["line"] - 1] for problem in problems)
    assert score(server, "fine", broken)["errors"][0].startswith("card.yaml:")
    assert json.loads(request(server, "POST", "/lint", {"card": CARD})[1])["problems"] == []


@pytest.mark.parametrize("metadata", ["{", "[1]", "9" * 5000, "[" * 100_000])
def test_metadata_that_is_no_object_is_refused(server: Server, metadata: str) -> None:
    """The error says what is wrong with the metadata."""
    assert score(server, "fine", None, metadata)["errors"][0].startswith("the metadata: ")


def test_a_graph_is_answered_with_its_path_prompts_and_replies(tmp_path: Path) -> None:
    """Each call of the replayed example has its messages and its reply, as the cassette has them; edges are listed."""
    card = HANDOVER.read_text(encoding="utf-8")
    with running(HANDOVER, tmp_path) as server:
        (answer,) = score(server, "Shall we do it? Yes I agree to that. Thank you.", card)["scores"]
        assert answer["value"] == "Not At All"
        assert answer["trace"]["path"] == ["agreement", "earlier", "terms", "missing"]
        assert answer["graph"][0]["edges"] == [
            {"to": "END", "when": 'state: "found", value: false'},
            {"to": "earlier", "when": ""},
        ]
    published = publish(plexus.load_file(SATISFACTION), FolderArtifacts(tmp_path))
    cassette = json.loads((ROOT / "examples" / "cassettes" / "satisfaction.json").read_text(encoding="utf-8"))
    known = {(entry["request"]["messages"][-1]["content"], entry["reply"]["content"]) for entry in cassette["entries"]}
    text = plexus.load_file(SATISFACTION).scores[0].configuration.tests[0].text
    with running(SATISFACTION, tmp_path) as server:
        answer = score(server, text, published.text)["scores"][0]
        exchanges = [each for node in answer["trace"]["nodes"].values() for each in node.get("exchanges", [])]
        assert exchanges
        assert {(each["messages"][-1][1], each["reply"]) for each in exchanges} <= known


def test_a_failed_graph_shows_how_far_it_came(tmp_path: Path) -> None:
    """A request without a recorded reply fails, with the message and the path up to there."""
    with running(SATISFACTION, tmp_path) as server:
        published = publish(plexus.load_file(SATISFACTION), FolderArtifacts(tmp_path))
        answer = score(server, "No cassette has this.", published.text)["scores"][0]
        assert answer["error"] == "CassetteMiss"
        assert len(answer["trace"]["path"]) == 1


def test_the_page_allows_its_own_script_alone(server: Server) -> None:
    """The page has the card as data, no address, and a policy without `unsafe-inline` for scripts."""
    status, body, headers = request(server, "GET", f"/?key={server.key}")
    page = body.decode()
    assert status == 200
    assert "返金" in page
    assert "://" not in page.replace("http://www.w3.org", "")
    policy = headers["Content-Security-Policy"]
    assert "script-src 'sha256-" in policy
    assert "default-src 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"


REFUSED: list[tuple[str, str, dict[str, str | None], int]] = [
    ("GET", "/?key={key}", {"Host": "evil.example"}, 421),
    ("GET", "/?key={key}", {"Host": "127.0.0.1:1"}, 421),
    ("GET", "/?key={key}", {"Host": None}, 421),
    ("GET", "/", {}, 403),
    ("GET", "/?key=wrong", {}, 403),
    ("GET", "/?key=%C3%A9", {}, 403),
    ("GET", "/other?key={key}", {}, 404),
    ("POST", "/lint", {"Origin": "http://evil.example"}, 421),
    ("POST", "/lint", {"Origin": "null"}, 421),
    ("POST", "/lint", {"Origin": "https://{host}"}, 421),
    ("POST", "/lint", {"Host": "localhost.evil.example"}, 421),
    ("POST", "/lint", {"X-Plexus-Key": None}, 403),
    ("POST", "/lint?key={key}", {"X-Plexus-Key": ""}, 403),
    ("POST", "/lint", {"Content-Type": "text/plain"}, 415),
    ("POST", "/lint", {"Content-Length": None}, 411),
    ("POST", "/lint", {"Content-Length": "-1"}, 411),
    ("POST", "/lint", {"Content-Length": str(MAXIMUM_BYTES + 1)}, 413),
    ("POST", "/lint", {"Content-Length": "9" * 5000}, 413),
    ("POST", "/other", {}, 404),
    ("PUT", "/lint", {}, 405),
    ("OPTIONS", "/lint", {}, 405),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED)
def test_a_foreign_request_is_refused(
    server: Server, method: str, path: str, headers: dict[str, str | None], status: int
) -> None:
    """Other names, other origins, requests without the key, and requests that a form could send get no answer."""
    places = {"key": server.key, "host": server.hosts[0]}
    filled = {name: value.format(**places) if value else value for name, value in headers.items()}
    got, body, _ = request(server, method, path.format(**places), {"card": CARD}, **filled)
    assert (got, b"Reviews" in body) == (status, False)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"card": 1}', b'"card"', b"\xff", b"[" * 100_000])
def test_a_malformed_request_is_answered_in_a_line(server: Server, body: bytes) -> None:
    """A body that is not a JSON object with a card gets an error, and the server continues."""
    status, answer, _ = request(server, "POST", "/lint", body)
    assert status == 400 or "the request" in json.loads(answer)["errors"][0]
    assert request(server, "POST", "/lint", {"card": CARD})[0] == 200


def test_a_page_whose_card_was_removed_is_answered_with_the_reason(server: Server) -> None:
    """The page is read from the file at each request: a card that was moved is an error, not a closed connection."""
    server.playground.path.unlink()
    status, body, _ = request(server, "GET", f"/?key={server.key}")
    assert (status, b"cannot read the scorecard: No such file" in body) == (500, True)


@pytest.mark.parametrize(
    ("scores", "offline", "said"),
    [
        ("{name: A, class: KeywordClassifier, keywords: [a]}", False, "No score of this card calls a provider. One"),
        ("{name: A, class: SVMClassifier, data: {file: none.csv}}", False, "No score of this card calls a provider."),
        (GRAPH.replace("PROVIDER", "ollama"), False, "Scoring may call providers, with your keys and at your cost."),
        (GRAPH.replace("PROVIDER", "ollama"), True, "Language models are replayed; no provider is called."),
        ("{name: A, class: Unknown}", False, "Scoring may call providers, with your keys and at your cost."),
    ],
)
def test_the_page_warns_of_costs_that_the_card_can_cause(scores: str, offline: bool, said: str, tmp_path: Path) -> None:
    """Of a card without models, and of one that does not load, it says what is known."""
    (tmp_path / "card.yaml").write_text(f"name: C\nkey: c\nscores:\n  - {scores}\n")
    playground = Playground(tmp_path / "card.yaml", plexus.Context(offline=offline), tmp_path)
    assert said in page.render(playground, "key")[0]


def test_own_origin_and_localhost_are_answered(server: Server) -> None:
    """The page's own requests are answered, under either name of this machine."""
    for host in server.hosts:
        assert request(server, "POST", "/lint", {"card": CARD}, Host=host, Origin=f"http://{host}")[0] == 200


def test_a_port_in_use_is_named(server: Server) -> None:
    """The error names the port and the option; without the option a free one is found."""
    port = server.server_address[1]
    with pytest.raises(PlexusError, match=f"port {port} is in use. next: another --port"):
        listen(server.playground, int(port))
    with listen(server.playground) as first, listen(server.playground) as second:
        assert first.server_address != second.server_address


def test_a_card_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """The command fails before it serves anything."""
    result = CliRunner().invoke(serve.command, [str(tmp_path / "none.yaml")], standalone_mode=False)
    assert isinstance(result.exception, PlexusError)
    assert "none.yaml:1:1: cannot read the scorecard: No such file" in str(result.exception)
