"""Verbs in a checkout whose edit of the image's code broke production: no module of `handler` or `plexus` loads."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

import pytest

from scripts.command.root import SECTIONS

ROOT = Path(__file__).resolve().parents[3]
OPERATING = (
    *("doctor", "status", "history", "drift", "unlock", "configure", "logs --no-follow", "rollback 3"),
    *("results", "costs", "infra diff", "deploy --digest sha256:0"),
)
NEEDING = ("dlq list", "enqueue items.csv --scorecard card.yaml", "publish", "dashboard --html page.html")
EDITS = {
    "exit": ("raise SystemExit(3)\n", "got SystemExit: 3"),
    "syntax error": ("def (\n", "got SyntaxError: invalid syntax"),
    "exception": ("import os\n\nos.environ['no such variable of the stage']\n", "got KeyError: "),
    "missing name": ("from handler.clock import no_such_name\n", "got ImportError: "),
}


IDENTITY = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn>
<Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
HEAD = "error: import of this checkout's image code: "


class Refusal(BaseHTTPRequestHandler):
    """An AWS endpoint that names its caller, and denies every other request."""

    def respond(self) -> None:
        """Respond with AccessDenied, which no client retries."""
        request = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, body = 403, b'{"__type": "AccessDeniedException", "message": "denied"}'
        if b"Action=GetCallerIdentity" in request:
            status, body = 200, IDENTITY
        elif b"Action=" in request:
            body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>denied</Message></Error></ErrorResponse>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = respond

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of an AWS that denies requests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this checkout's packages, without Git."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in ("handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def break_modules(checkout: Path, text: str, *, below: bool) -> None:
    """Replace every module of the image's code by `text`; with `below`, all but the packages' own `__init__.py`."""
    for package in ("handler", "plexus"):
        shutil.rmtree(checkout / package)
        shutil.copytree(ROOT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (checkout / package).rglob("*.py"):
            if not (below and path == checkout / package / "__init__.py"):
                path.write_text(text, encoding="utf-8")


def run(checkout: Path, endpoint: str, words: str, **variables: str) -> tuple[int, str, str]:
    """Run a verb of a checkout, or without an endpoint the whole command; return its exit code and what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("STAGE", "TO", "PYTHONPATH")}
    command = [sys.executable, "-m", "scripts", *words.split(), *(("--endpoint-url", endpoint) if endpoint else ())]
    done = subprocess.run(
        command, cwd=checkout, env=environment | variables, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_operating_a_stage_needs_no_image_code(checkout: Path, endpoint: str) -> None:
    """Verbs that diagnose a stage or roll it back do in a broken checkout what they do in an intact one."""
    break_modules(checkout, "raise SystemExit(3)\n", below=False)
    broken = {words: run(checkout, endpoint, words) for words in OPERATING}
    assert broken == {words: run(ROOT, endpoint, words) for words in OPERATING}
    assert all(code in (1, 3) and "denied" in stdout + stderr for code, stdout, stderr in broken.values())


@pytest.mark.parametrize("below", [False, True], ids=["packages", "modules"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_verb_that_needs_image_code_names_the_broken_module(
    checkout: Path, endpoint: str, edit: str, below: bool
) -> None:
    """A verb that needs a module of the image's code names its file, the error, and how to set the edit aside."""
    text, reason = EDITS[edit]
    break_modules(checkout, text, below=below)
    for words in NEEDING:
        code, _, stderr = run(checkout, endpoint, words)
        assert code == 1, words
        assert stderr.startswith(
            (
                "error: import of this checkout's image code: handler/",
                "error: import of this checkout's image code: plexus/",
            )
        ), stderr
        assert reason in stderr
        assert "next: git stash push handler plexus" in stderr


@pytest.mark.parametrize("edit", EDITS)
def test_the_help_and_the_completion_list_every_verb(checkout: Path, edit: str) -> None:
    """The help lists the verbs of a broken checkout, those that do not load with the reason, and so does completion."""
    text, reason = EDITS[edit]
    break_modules(checkout, text, below=False)
    code, printed, stderr = run(checkout, "", "--help")
    assert (code, stderr) == (0, "")
    assert set(chain(*SECTIONS.values())) <= set(printed.split())
    assert "Not available: import of this checkout's image code" in " ".join(printed.split())
    assert reason in " ".join(printed.split())
    words = {"COMP_WORDS": "score-processor do", "COMP_CWORD": "1", "_SCORE_PROCESSOR_COMPLETE": "bash_complete"}
    code, printed, stderr = run(checkout, "", "", **words)
    assert ("plain,doctor" in printed.splitlines(), stderr) == (True, "")
