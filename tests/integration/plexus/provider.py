"""A provider on the loopback interface that speaks as much of each protocol as the official client needs.

The path of a request selects the protocol: OpenAI's and Azure's chat completions, Anthropic's messages, Bedrock's
Converse, and Ollama's chat. Shapes are those of the providers' public API references.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "the text was: secret words"
#: Each protocol's word for a complete reply.
_COMPLETE = {"openai": "stop", "anthropic": "end_turn", "bedrock": "end_turn", "ollama": "stop"}


@dataclass
class Answer:
    """What one request gets: a reply's text, an error or a raw body, after `delay_s` seconds.

    An error is an answer with a `status` above 399, or with a `code` inside a 200.
    """

    text: str = ""
    status: int = 200
    delay_s: float = 0.0
    raw: bytes | None = None
    finish_reason: str = ""
    refusal: str | None = None
    reasoning_tokens: int = 0
    code: str = ""
    parameter: str | None = None
    message: str = SECRET
    headers: dict[str, str] = field(default_factory=dict)
    has_usage: bool = True
    tier: str = ""
    hour_tokens: int = 0

    def body(self, protocol: str) -> bytes:
        """Return the response as bytes."""
        if self.raw is not None:
            return self.raw
        content = self._error(protocol) if self.status != 200 or self.code else getattr(self, f"_{protocol}")()
        return json.dumps(content).encode() + (b"\n" if protocol == "ollama" else b"")

    def _error(self, protocol: str) -> dict[str, Any]:
        if protocol == "openai":
            error = {"message": self.message, "type": "x", "code": self.code or None, "param": self.parameter}
            return {"error": error}
        if protocol == "anthropic":
            return {"type": "error", "error": {"type": self.code or "api_error", "message": self.message}}
        return {"message": self.message} if protocol == "bedrock" else {"error": self.message}

    def _reason(self, protocol: str) -> str:
        return self.finish_reason or _COMPLETE[protocol]

    def _openai(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        choice = {"index": 0, "message": message, "finish_reason": self._reason("openai"), "logprobs": None}
        usage: dict[str, Any] = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
        usage["prompt_tokens_details"] = {"cached_tokens": 8}
        usage["completion_tokens_details"] = {"reasoning_tokens": self.reasoning_tokens}
        head = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "choices": [choice]}
        head |= {"service_tier": self.tier} if self.tier else {}
        return {**head, "usage": usage} if self.has_usage else head

    def _anthropic(self) -> dict[str, Any]:
        # Anthropic's input tokens are those that were not read from the cache.
        usage: dict[str, Any] = {"input_tokens": 3, "cache_read_input_tokens": 8, "output_tokens": 3}
        written = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": self.hour_tokens}
        usage |= {"cache_creation_input_tokens": self.hour_tokens, "cache_creation": written}
        usage |= {"service_tier": self.tier or "standard"}
        content = [{"type": "text", "text": self.text}]
        head = {"id": "1", "type": "message", "role": "assistant", "model": "claude", "content": content}
        return {**head, "stop_reason": self._reason("anthropic"), "stop_sequence": None, "usage": usage}

    def _bedrock(self) -> dict[str, Any]:
        usage: dict[str, Any] = {"inputTokens": 3, "cacheReadInputTokens": 8, "outputTokens": 3, "totalTokens": 14}
        if self.hour_tokens:
            usage |= {"cacheWriteInputTokens": self.hour_tokens, "totalTokens": 14 + self.hour_tokens}
            usage["cacheDetails"] = [{"ttl": "1h", "inputTokens": self.hour_tokens}]
        output = {"message": {"role": "assistant", "content": [{"text": self.text}]}}
        head = {"output": output, "stopReason": self._reason("bedrock"), "usage": usage, "metrics": {"latencyMs": 1}}
        return {**head, "serviceTier": {"type": self.tier}} if self.tier else head

    def _ollama(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text}
        counts = {"prompt_eval_count": 11, "eval_count": 3} if self.has_usage else {}
        head = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True}
        return {**head, "done_reason": self._reason("ollama"), **counts}


@dataclass
class Provider:
    """Gives the answers in order, the last one for ever; `requests` holds the bodies that came, `paths` their paths."""

    answers: list[Answer]
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def url(self) -> str:
        """The base address of OpenAI's protocol."""
        return f"{self.address}/v1"

    def record(self, content: dict[str, Any], path: str, key: str) -> Answer:
        """Keep a request, and return the answer to it; the last answer is repeated."""
        self.requests.append(content)
        self.paths.append(path)
        self.keys.append(key)
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


def _protocol(path: str) -> str:
    if path.endswith("/converse"):
        return "bedrock"
    return {"/v1/messages": "anthropic", "/api/chat": "ollama"}.get(path, "openai")


@contextmanager
def provider(*answers: Answer) -> Iterator[Provider]:
    """Run a provider on a free port until the block ends."""
    created = Provider(list(answers))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            protocol = _protocol(self.path.partition("?")[0])
            with lock:
                answer = created.record(content, self.path, self.headers.get("Authorization", ""))
            time.sleep(answer.delay_s)
            body = answer.body(protocol)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if protocol == "bedrock" and answer.code:
                self.send_header("x-amzn-ErrorType", f"{answer.code}:http://internal.amazon.com/coral/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    created.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield created
    finally:
        server.shutdown()
        server.server_close()
