"""A provider on the loopback interface that speaks as much of OpenAI's chat protocol as its own client needs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What one request gets: a reply's text or a raw body, after `delay_s` seconds."""

    text: str = ""
    status: int = 200
    delay_s: float = 0.0
    raw: bytes | None = None

    def body(self) -> bytes:
        """The response as bytes."""
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": {"message": "the text was: secret words", "type": "x"}}).encode()
        message = {"role": "assistant", "content": self.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
        head = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
        return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


@dataclass
class Provider:
    """Gives the answers in order, the last one for ever; `requests` holds the bodies that came."""

    answers: list[Answer]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def provider(*answers: Answer) -> Iterator[Provider]:
    """A running provider."""
    made = Provider(list(answers))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                made.requests.append(content)
                made.keys.append(self.headers.get("Authorization", ""))
                answer = made.answers[min(len(made.requests), len(made.answers)) - 1]
            time.sleep(answer.delay_s)
            body = answer.body()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
