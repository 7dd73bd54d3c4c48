"""The gate before the registry: ECR's login, its refusal of unknown repositories and of tags that may not move."""

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import socket
import threading
import time
from pathlib import Path

from local_aws.extension import repositories

USER = "AWS"
MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)$")
WRITE = re.compile(r"/v2/(?P<name>.+)/(?:blobs/uploads/|manifests/)")
BLOCK = 1 << 18
PAUSE_S = 0.1
EXPECT = re.compile(rb"^expect:.*\r\n", re.IGNORECASE | re.MULTILINE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TLS = b"\x16"  # how a handshake begins: clients try it first, and wait long for an answer
PLAIN = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 32\r\n\r\nthis registry speaks plain HTTP\n"


class Gate:
    """Listens on loopback, answers what ECR would refuse, and passes the rest to the registry's socket unchanged."""

    def __init__(self, host: str, folder: Path, name: str) -> None:
        self.password = secrets.token_urlsafe(32)
        self._token = "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        self._folder, self._name = folder, name
        address, port = host.split(":")
        self._listener = socket.create_server((address, int(port)), backlog=64)
        threading.Thread(target=self._accept, name="registry-gate", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._listener.fileno() < 0:  # closed
                    return
                time.sleep(PAUSE_S)  # a client that hung up at once, or too many files are open
                continue
            threading.Thread(target=self._serve, args=(client,), name="registry-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        from local_aws.extension import registry

        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream = None
        try:
            if client.recv(1, socket.MSG_PEEK) == TLS:
                client.sendall(PLAIN)
                return
            registry.wait_ready()
            upstream = connect(self._folder, self._name)
            threading.Thread(target=_pump, args=(upstream, client), daemon=True).start()
            reader = client.makefile("rb", buffering=BLOCK)
            while head := _read_head(reader):
                if not self._request(head, reader, client, upstream):
                    break
        except (OSError, RuntimeError, ValueError):
            pass  # either side hung up
        finally:
            for end in (upstream, client):
                if end:
                    _shut(end)

    def _request(self, head: bytes, reader, client: socket.socket, upstream: socket.socket) -> bool:
        """Pass one request on, or answer it; False when the connection ends with it."""
        line, headers = _parse(head)
        method, target, _ = line.split(" ", 2)
        path = target.partition("?")[0]
        answer = self._refusal(method, path, headers)
        if answer is None and method == "PUT" and (found := MANIFEST.match(path)):
            if headers.get("expect", "").lower() == "100-continue":  # the registry is not asked before the body is here
                client.sendall(CONTINUE)
                head = EXPECT.sub(b"", head)
            body: list[bytes] = []
            _copy_body(headers, reader, body.append)
            answer = _tag_refusal(found["name"], found["reference"], b"".join(body))
            if answer is None:
                upstream.sendall(head + b"".join(body))
                return True
            client.sendall(answer)
            return False
        if answer is None:
            upstream.sendall(head)
            _copy_body(headers, reader, upstream.sendall)
            return True
        if headers.get("expect", "").lower() != "100-continue":  # then the body is not sent
            _copy_body(headers, reader, lambda block: None)
        client.sendall(answer)
        return False

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> bytes | None:
        if not secrets.compare_digest(headers.get("authorization", "").encode(), self._token.encode()):
            challenge = f'WWW-Authenticate: Basic realm="http://{headers.get("host", "")}/",service="ecr.amazonaws.com"'
            return _error(401, "UNAUTHORIZED", "authentication required", challenge)
        if (
            method in ("PUT", "POST", "PATCH")
            and (found := WRITE.match(path))
            and not repositories.exists(found["name"])
        ):
            text = f"The repository with name '{found['name']}' does not exist in the registry"
            return _error(404, "NAME_UNKNOWN", text)
        return None


def _tag_refusal(name: str, tag: str, manifest: bytes) -> bytes | None:
    """ECR's refusal to move an immutable tag; pushing what the tag holds already is no move."""
    from local_aws.extension import storage

    holds = storage.tags(name).get(tag)
    if holds is None or not repositories.immutable(name, tag):
        return None
    if holds == "sha256:" + hashlib.sha256(manifest).hexdigest():
        return None
    text = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten"
    return _error(400, "TAG_INVALID", f"{text} because the tag is immutable.")


def connect(folder: Path, name: str) -> socket.socket:
    """Connect to a socket by its folder's descriptor: the path itself may be longer than an address holds."""
    descriptor = os.open(folder, os.O_PATH)
    try:
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(f"/proc/self/fd/{descriptor}/{name}")
        return upstream
    finally:
        os.close(descriptor)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while block := source.recv(BLOCK):
            sink.sendall(block)
    except OSError:
        pass
    _shut(sink)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _read_head(reader) -> bytes:
    lines = []
    while line := reader.readline(1 << 16):
        lines.append(line)
        if line in (b"\r\n", b"\n"):
            if len(lines) == 1:  # an empty line between requests
                lines = []
                continue
            return b"".join(lines)
    return b""


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    line, *rest = head.decode("latin-1").splitlines()
    pairs = (entry.partition(":") for entry in rest if entry)
    return line, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _copy_body(headers: dict[str, str], reader, write) -> None:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while True:
            line = reader.readline()
            write(line)
            size = int(line.split(b";")[0], 16)
            _copy(size, reader, write)
            if size == 0:
                break
            write(reader.readline())
        while (line := reader.readline()) not in (b"\r\n", b"\n", b""):
            write(line)
        write(line)
    else:
        _copy(int(headers.get("content-length", 0)), reader, write)


def _copy(size: int, reader, write) -> None:
    while size:
        block = reader.read1(min(size, BLOCK))
        if not block:
            raise ValueError("the client hung up")
        write(block)
        size -= len(block)


def _error(status: int, code: str, text: str, header: str = "") -> bytes:
    body = json.dumps({"errors": [{"code": code, "message": text}]}).encode()
    reasons = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}
    lines = [
        f"HTTP/1.1 {status} {reasons[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Docker-Distribution-Api-Version: registry/2.0",
        "Connection: close",
        *([header] if header else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
