"""An OCI registry in this process, with injected faults."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Fault:
    """A fault of the first `times` requests with a method, after `skip` of them succeeded.

    With `status` the registry answers with it and `body`. Without, the connection breaks after `read` bytes of the
    request's body, which the registry keeps.
    """

    method: str
    status: int = 0
    body: bytes = b""
    read: int = 0
    times: int = 1
    skip: int = 0


@dataclass
class Store:
    """The registry's contents, and all requests as (method, path)."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    digest_said: str = ""  # in place of the true one, for a manifest
    elsewhere: str = ""  # the address that uploads and downloads are redirected to

    def count(self, method: str) -> int:
        """Return the number of requests with a method."""
        return sum(one == method for one, _ in self.requests)


@contextmanager
def registry() -> Iterator[tuple[Store, str]]:
    """Yield a store and the URL of the registry that serves it."""
    store = Store()
    server = _Server(store)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield store, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def digest(data: bytes) -> str:
    """Return the digest of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store) -> None:
        self.store = store
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        self.server.store.requests.append((self.command, self.path))
        self.server.store.authorizations.append(self.headers.get("Authorization", ""))
        if not self._faulty():
            getattr(self, f"_{self.command.lower()}")(urlsplit(self.path).path)

    do_HEAD = do_GET = do_POST = do_PATCH = do_PUT = handle_any

    def _faulty(self) -> bool:
        for fault in self.server.store.faults:
            if fault.method != self.command or not fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                return False
            fault.times -= 1
            if fault.status:
                self._body()
                self._answer(fault.status, fault.body)
            else:
                upload = self.server.store.uploads.get(self.path.rpartition("/")[2])
                data = self.rfile.read(fault.read)
                if upload is not None:
                    upload += data
                self.close_connection = True
                self.connection.close()
            return True
        return False

    def _head(self, path: str) -> None:
        kind, name = re.findall(r"/(blobs|manifests)/(.+)$", path)[0]
        self._answer(
            200 if name in (self.server.store.blobs if kind == "blobs" else self.server.store.manifests) else 404
        )

    def _get(self, path: str) -> None:
        kind, name = re.findall(r"/(blobs|manifests)/(.+)$", path)[0]
        store = self.server.store
        result = (store.blobs if kind == "blobs" else store.manifests).get(name)
        if name.startswith("uploads/"):
            self._get_upload(path)
        elif result is not None and store.elsewhere:
            self._answer(307, Location=f"{store.elsewhere}{path}")
        elif result is not None:
            self._answer(200, result, **{"Content-Type": "application/json"})
        else:
            self._answer(404)

    def _get_upload(self, path: str) -> None:
        upload = self.server.store.uploads[path.rpartition("/")[2]]
        self._answer(204, Location=path, Range=f"0-{max(len(upload) - 1, 0)}")

    def _post(self, path: str) -> None:
        name = str(len(self.server.store.uploads))
        self.server.store.uploads[name] = bytearray()
        self._answer(202, Location=self.server.store.elsewhere or f"{path}{name}")

    def _patch(self, path: str) -> None:
        upload = self.server.store.uploads[path.rpartition("/")[2]]
        start = int(self.headers["Content-Range"].partition("-")[0])
        data = self._body()
        if start != len(upload):
            self._answer(416)
            return
        upload += data
        self._answer(202, Location=path)

    def _put(self, path: str) -> None:
        data = self._body()
        if "/manifests/" in path:
            self.server.store.manifests[digest(data)] = data
            output = {"Docker-Content-Digest": self.server.store.digest_said or digest(data)}
            self._answer(201, b"", **output)
            return
        whole = bytes(self.server.store.uploads[path.rpartition("/")[2]]) + data
        (wanted,) = parse_qs(urlsplit(self.path).query)["digest"]
        if digest(whole) != wanted:
            self._answer(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "other bytes"}]}')
            return
        self.server.store.blobs[wanted] = whole
        self._answer(201)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
