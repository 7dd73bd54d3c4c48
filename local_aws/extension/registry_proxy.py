"""The reverse proxy in front of the registry: ECR's login, and its refusal of unknown repositories and moved tags.

h11 parses both sides. Every decision is made on the decoded, normalised path, and that path is what the registry gets,
so that no other spelling of an address (absolute form, percent-encoding, dot segments) reaches it unchecked.
"""

import base64
import contextlib
import json
import os
import posixpath
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import h11

from local_aws import browsers
from local_aws.extension import registry_storage, repositories
from nix.oci.digest import sha256

USER = "AWS"
MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
WRITE = re.compile(r"/v2/(?P<name>.+)/(?:blobs/uploads|manifests)(?:/.*)?")
WRITING_METHODS = ("PUT", "POST", "PATCH")
BLOCK = 1 << 18
PAUSE_S = 0.1
TLS = b"\x16"  # the first byte of a TLS handshake: clients try it first, and wait long for an answer
# Valid for one hop only (RFC 9110, section 7.6.1); this proxy answers Expect itself.
HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te", b"trailer", b"expect"})


class Refusal(Exception):
    """A request that ECR would not carry out: the status and the registry error that answer it."""

    def __init__(self, status: int, code: str, text: str, challenge: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.body = json.dumps({"errors": [{"code": code, "message": text}]}).encode()
        self.headers = [("Content-Type", "application/json"), ("Docker-Distribution-Api-Version", "registry/2.0")]
        if challenge:
            self.headers.append(("WWW-Authenticate", challenge))


@dataclass
class Peer:
    """One end of a connection: a socket and the HTTP/1.1 state of what passes through it."""

    socket: socket.socket
    http: h11.Connection

    def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """Return the next event, reading as much as it needs."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            if self.http.they_are_waiting_for_100_continue:
                self.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            self.http.receive_data(self.socket.recv(BLOCK))
        return event

    def body(self) -> Iterator[bytes]:
        """Yield the message's body in blocks, to its end.

        Raises RemoteProtocolError if the connection ends inside the message.
        """
        while not isinstance(event := self.next_event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise h11.RemoteProtocolError("the peer hung up inside a message")
            yield bytes(event.data)

    def send(self, event: h11.Event) -> None:
        """Write one event to the socket."""
        if data := self.http.send(event):
            self.socket.sendall(data)

    def close(self) -> None:
        """Shut the connection down; closing it again does nothing."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Proxy:
    """Listens on loopback, answers what ECR would refuse, and forwards the rest to the registry's socket.

    `wait_ready` blocks until the registry answers, and raises RuntimeError if it does not start.
    """

    def __init__(self, host: str, socket_name: str, wait_ready: Callable[[], None]) -> None:
        self.password = secrets.token_urlsafe(32)
        self._token = "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        self._socket_name, self._wait_ready = socket_name, wait_ready
        address, port = host.split(":")
        self._listener = socket.create_server((address, int(port)), backlog=64)
        threading.Thread(target=self._accept, name="registry-proxy", daemon=True).start()

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
                time.sleep(PAUSE_S)  # the client hung up at once, or too many files are open
                continue
            threading.Thread(target=self._serve, args=(client,), name="registry-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client, upstream = Peer(connection, h11.Connection(h11.SERVER)), None
        try:
            if connection.recv(1, socket.MSG_PEEK) == TLS:
                client.http.receive_data(b"GET / HTTP/1.1\r\nHost: tls\r\n\r\n")  # so that h11 has a request to answer
                client.next_event()
                answer(client, 400, [("Content-Type", "text/plain")], b"this registry speaks plain HTTP\n")
                return
            self._wait_ready()
            upstream = Peer(connect(registry_storage.FOLDER, self._socket_name), h11.Connection(h11.CLIENT))
            while self._exchange(client, upstream):
                client.http.start_next_cycle()
                upstream.http.start_next_cycle()
        except (OSError, RuntimeError, h11.RemoteProtocolError, h11.LocalProtocolError):
            pass  # either side hung up
        finally:
            for peer in (upstream, client):
                if peer:
                    peer.close()

    def _exchange(self, client: Peer, upstream: Peer) -> bool:
        """Serve one request; return whether the connection can carry another."""
        request = client.next_event()
        if not isinstance(request, h11.Request):
            return False
        try:
            check_sender(request)
            target = normalise(request.target)
            self._check_login(request)
            relay(client, upstream, request, target)
        except Refusal as refusal:
            if client.http.their_state is h11.SEND_BODY and not client.http.they_are_waiting_for_100_continue:
                for _ in client.body():  # or the client would be reset before it reads the answer
                    pass
            answer(client, refusal.status, refusal.headers, refusal.body)
            return False
        return client.http.our_state is h11.DONE and upstream.http.their_state is h11.DONE

    def _check_login(self, request: h11.Request) -> None:
        headers = dict(request.headers)
        if not secrets.compare_digest(headers.get(b"authorization", b""), self._token.encode()):
            realm = f"http://{headers.get(b'host', b'').decode('latin-1')}/"
            challenge = f'Basic realm="{realm}",service="ecr.amazonaws.com"'
            raise Refusal(401, "UNAUTHORIZED", "authentication required", challenge)


def check_sender(request: h11.Request) -> None:
    """Raise Refusal for a request that a web page made a browser send."""
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    if problem := browsers.find_refusal(request.method.decode(), request.target.decode("latin-1"), fields):
        raise Refusal(403, "DENIED", problem)


def normalise(target: bytes) -> str:
    """Return a request target in origin form, its path decoded, without dot segments, and encoded again.

    Refusal for a path that is still encoded after decoding it once: the registry would read it otherwise than this
    proxy.
    """
    parts = urlsplit(target.decode("ascii"))
    path = unquote(parts.path)
    if "\0" in path or "%" in path:
        raise Refusal(400, "NAME_INVALID", f"invalid path: {target.decode('ascii')}")
    # A trailing slash means something here: POST …/blobs/uploads/ begins an upload.
    path = posixpath.normpath("/" + path.lstrip("/")) + ("/" if path.endswith("/") and path.strip("/") else "")
    return quote(path, safe="/:@") + (f"?{parts.query}" if parts.query else "")


def relay(client: Peer, upstream: Peer, request: h11.Request, target: str) -> None:
    """Forward a request; raise Refusal for an unknown repository or for a tag that may not move.

    A manifest is read whole before it is forwarded, since its digest decides; anything else is streamed.
    """
    method, path = request.method.decode(), unquote(urlsplit(target).path)
    written = WRITE.fullmatch(path)
    if method in WRITING_METHODS and written and not repositories.exists(written["name"]):
        text = f"The repository with name '{written['name']}' does not exist in the registry"
        raise Refusal(404, "NAME_UNKNOWN", text)
    match = MANIFEST.fullmatch(path)
    if method != "PUT" or not match:
        forward(request, target, client.body(), upstream)
        return_response(upstream, client)
        return
    manifest = b"".join(client.body())
    with registry_storage.TAGGING:
        if problem := repositories.find_refusal_to_move(match["name"], match["reference"], sha256(manifest)):
            raise Refusal(400, "TAG_INVALID", problem)
        forward(request, target, [manifest], upstream)
        return_response(upstream, client)


def forward(request: h11.Request, target: str, body: Iterable[bytes], upstream: Peer) -> None:
    """Send the request to the registry, which may answer before it has read the whole body."""
    upstream.send(h11.Request(method=request.method, target=target, headers=end_to_end(request.headers)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for block in body:
            upstream.send(h11.Data(data=block))
        upstream.send(h11.EndOfMessage())


def return_response(upstream: Peer, client: Peer) -> None:
    """Stream the registry's response to the client.

    Raises RemoteProtocolError if the registry hangs up before its response ends.
    """
    while not isinstance(response := upstream.next_event(), h11.Response):
        if not isinstance(response, h11.InformationalResponse):
            raise h11.RemoteProtocolError("the registry hung up")
    client.send(
        h11.Response(status_code=response.status_code, reason=response.reason, headers=end_to_end(response.headers))
    )
    for block in upstream.body():
        client.send(h11.Data(data=block))
    client.send(h11.EndOfMessage())


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers that pass through a proxy."""
    return [(name, value) for name, value in headers if name not in HOP_BY_HOP]


def answer(client: Peer, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    """Answer a request here and announce that the connection ends."""
    framing = [("Content-Length", str(len(body))), ("Connection", "close")]
    reason = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}[status]
    client.send(h11.Response(status_code=status, reason=reason.encode(), headers=[*headers, *framing]))
    client.send(h11.Data(data=body))
    client.send(h11.EndOfMessage())


def connect(folder: Path, name: str) -> socket.socket:
    """Connect to a socket by its folder's descriptor: the path itself may be longer than an address holds."""
    descriptor = os.open(folder, os.O_PATH)
    try:
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(f"/proc/self/fd/{descriptor}/{name}")
        return upstream
    finally:
        os.close(descriptor)
