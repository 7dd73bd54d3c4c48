"""The client of an OCI registry: one repository, read and written as the OCI distribution specification defines."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlencode, urljoin, urlsplit

from nix.oci.media_types import INDEXES, MANIFESTS

from ..checkout.layout import Blob, LocalImage
from ..console.errors import NotFound, RegistryFailed
from .backoff import generate_pauses
from .http import LOOPBACK, Http, NoAnswer, Response

MONOLITHIC_BYTES = 8 << 20  # up to this size one request carries the blob; above, chunks that can be resumed
CHUNK_BYTES = 8 << 20
READ_BYTES = 256 << 10  # often enough for a smooth progress bar
ATTEMPTS = 4
REDIRECTS = 5  # ECR needs one, to S3; the others are for proxies, and a loop must end
RETRIABLE = ("DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID")
ACCEPTED = ", ".join((*MANIFESTS, *INDEXES))

Moved = Callable[[int], None]
T = TypeVar("T")


class _Transient(Exception):
    """A request failed in a way that the same request may not fail again."""


class _Meter:
    """Reports the progress of one blob; going back reports a negative number."""

    def __init__(self, moved: Moved) -> None:
        self._moved = moved
        self.at = 0

    def set(self, at: int) -> None:
        self._moved(at - self.at)
        self.at = at


class Registry:
    """One repository of a registry. Safe to use from several threads.

    `authorization` is the value of the Authorization header; it is sent to the registry's own host only, never to a
    host that the registry redirects to. Transient failures (no answer, 5xx, 429, a damaged upload) are retried up to
    ATTEMPTS times with exponential backoff; every other failure raises RegistryFailed, or NotFound for what is absent.
    """

    def __init__(self, url: str, repository: str, authorization: str, *, pause_s: float = 0.3) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise RegistryFailed(
                f"registry {url}: got {parts.scheme or 'no scheme'}, expected https: credentials are sent in the clear "
                "on the loopback only",
                "name the registry by https",
            )
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.repository = repository
        self.requests = 0
        self._host = parts.netloc
        self.authorization = authorization
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._http = Http()

    def stop(self) -> None:
        """Make every upload end at its next piece."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository holds a blob of this digest."""
        answer = self._retry(lambda: self._request("HEAD", f"{self._base}/blobs/{digest}"))
        if answer.status == 404:
            return False
        if 200 <= answer.status < 400:  # a redirect leads to where the blob is stored
            return True
        raise self._refusal(f"to look up blob {digest}", answer)

    def fetch_manifest(self, reference: str) -> tuple[str, bytes]:
        """Return (media type, bytes) of the manifest or index under a tag or digest; NotFound if there is none."""
        return self._retry(lambda: self._manifest(reference))

    def _manifest(self, reference: str) -> tuple[str, bytes]:
        with self._get(f"manifests/{reference}") as (answer, pieces):
            return answer.headers.get("Content-Type", ""), b"".join(pieces)

    @contextmanager
    def open_blob(self, digest: str) -> Iterator[BinaryIO]:
        """Yield a blob as a temporary file, positioned at its start; NotFound if there is none.

        The bytes are not compared with the digest: that is the caller's, who may read only a part.
        """
        with tempfile.TemporaryFile() as file:
            self._retry(lambda: self._download(digest, cast(BinaryIO, file)))
            file.seek(0)
            yield cast(BinaryIO, file)

    def _download(self, digest: str, file: BinaryIO) -> None:
        file.seek(0)
        file.truncate()
        with self._get(f"blobs/{digest}") as (_, pieces):
            for piece in pieces:
                file.write(piece)

    @contextmanager
    def _get(self, path: str) -> Iterator[tuple[Response, Iterator[bytes]]]:
        """Yield the answer to a GET and its body in pieces, with redirects followed."""
        url = f"{self._base}/{path}"
        for _ in range(REDIRECTS):
            with self._open(url) as (answer, pieces):
                if 300 <= answer.status < 400 and "Location" in answer.headers:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status == 404:
                    kind, _, name = path.partition("/")
                    raise NotFound(
                        f"{self.url}/{self.repository} has no {'image' if kind == 'manifests' else 'blob'} {name}",
                        "make history lists the deployed images; make push uploads the last build",
                    )
                if answer.status != 200:
                    raise self._refusal(f"to return {path}", answer)
                yield answer, pieces
                return
        raise RegistryFailed(f"{self.url}: {path}: more than {REDIRECTS} redirects", "check the registry")

    @contextmanager
    def _open(self, url: str) -> Iterator[tuple[Response, Iterator[bytes]]]:
        self.requests += 1
        try:
            with self._http.stream("GET", url, self._authorization(url) | {"Accept": ACCEPTED}) as (answer, pieces):
                yield self._transient(answer), pieces
        except NoAnswer as error:
            raise _Transient(str(error)) from error

    def upload(self, blob: Blob, moved: Moved = lambda _: None) -> None:
        """Upload a blob; `moved` is called with the size of each piece when it is handed over. Idempotent."""
        meter = _Meter(moved)
        self._retry(lambda: self._upload(blob, meter))

    def _upload(self, blob: Blob, meter: _Meter) -> None:
        meter.set(0)
        location = self._location(self._expect(202, "an upload", self._request("POST", f"{self._base}/blobs/uploads/")))
        headers, content = _octets(0), self._pieces(blob.path, 0, 0, meter)
        if blob.size > MONOLITHIC_BYTES:
            location = self._upload_chunks(blob, location, meter)
        else:
            headers, content = _octets(blob.size), self._pieces(blob.path, 0, blob.size, meter)
        url = f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': blob.digest})}"
        doing = f"blob {blob.digest} ({blob.size} bytes)"
        self._expect(201, doing, self._request("PUT", url, headers=headers, content=content))

    def _upload_chunks(self, blob: Blob, location: str, meter: _Meter) -> str:
        """Upload a large blob in chunks; after a lost connection resume at the byte that the registry has."""
        lost = 0
        waits = generate_pauses(self._pause_s, float("inf"))
        while meter.at < blob.size:
            offset = meter.at
            size = min(CHUNK_BYTES, blob.size - offset)
            headers = _octets(size) | {"Content-Range": f"{offset}-{offset + size - 1}"}
            pieces = self._pieces(blob.path, offset, size, meter)
            try:
                answer = self._request("PATCH", location, headers=headers, content=pieces)
                location, lost = self._location(self._expect(202, f"a chunk of {blob.digest}", answer)), 0
                waits = generate_pauses(self._pause_s, float("inf"))
            except _Transient:
                lost += 1
                if lost == ATTEMPTS:
                    raise
                self._stopped.wait(next(waits))
                location, offset = self._upload_offset(location)
                meter.set(offset)
        return location

    def _upload_offset(self, location: str) -> tuple[str, int]:
        """Return an unfinished upload's location and how many bytes of it the registry has.

        A registry that does not report it gets the blob from its start again.
        """
        answer = self._request("GET", location)
        if answer.status != 204:
            raise _Transient(f"{answer.status} for the status of an upload")
        last = int(answer.headers.get("Range", "0-0").rsplit("-", 1)[-1])
        return self._location(answer), last + 1 if last else 0

    def put_manifest(self, image: LocalImage, reference: str) -> str:
        """Store the image's manifest under a tag or digest; return the digest that the registry computed.

        Retried, since the same manifest under the same reference is the same state. All of its blobs must be in the
        repository already. RegistryFailed, with the registry's reason, if it answers anything but 201.
        """
        url, headers = f"{self._base}/manifests/{reference}", {"Content-Type": image.media_type}
        answer = self._retry(
            lambda: self._expect(
                201,
                f"manifest {reference}",
                self._request("PUT", url, headers=headers, content=image.manifest),
            )
        )
        return str(answer.headers.get("Docker-Content-Digest", ""))

    @property
    def _base(self) -> str:
        return f"{self.url}/v2/{self.repository}"

    def _retry(self, act: Callable[[], T]) -> T:
        """Call an idempotent function until it succeeds, at most ATTEMPTS times."""
        for attempt, pause_s in enumerate(generate_pauses(self._pause_s, float("inf")), start=1):
            try:
                return act()
            except _Transient as error:
                if attempt == ATTEMPTS:
                    raise RegistryFailed(
                        f"registry {self.url}: {error} ({ATTEMPTS} attempts)",
                        "check the network, then run it again; a push sends only what is missing",
                    ) from error
            self._stopped.wait(pause_s)
        raise AssertionError("pauses never end")

    def _request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
    ) -> Response:
        """Send one request; raise _Transient if it fails for the network's or the registry's load."""
        self._check_stopped()
        self.requests += 1
        try:
            answer = self._http.request(method, url, self._authorization(url) | (headers or {}), content)
        except NoAnswer as error:
            raise _Transient(str(error)) from error
        return self._transient(answer)

    def _authorization(self, url: str) -> dict[str, str]:
        return {"Authorization": self.authorization} if urlsplit(url).netloc == self._host else {}

    def _transient(self, answer: Response) -> Response:
        if answer.status >= 500 or answer.status == 429:
            raise _Transient(f"{answer.status} {answer.reason}".rstrip())
        return answer

    def _pieces(self, path: Path, offset: int, size: int, meter: _Meter) -> Iterator[bytes]:
        end = offset + size
        try:
            file = path.open("rb")
        except OSError as error:
            raise RegistryFailed(f"{path} disappeared during the push: {error.strerror}", "make build push") from error
        with file:
            file.seek(offset)
            while offset < end:
                self._check_stopped()
                piece = file.read(min(READ_BYTES, end - offset))
                if not piece:
                    raise RegistryFailed(f"{path} became shorter during the push", "make build push")
                yield piece
                offset += len(piece)
                meter.set(offset)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise RegistryFailed("the push was stopped")

    def _location(self, answer: Response) -> str:
        if "Location" not in answer.headers:
            raise _Transient(f"{answer.status} without the location of the upload")
        return urljoin(f"{self.url}/", answer.headers["Location"])

    def _expect(self, status: int, doing: str, answer: Response) -> Response:
        if answer.status == status:
            return answer
        if any(code in answer.reason for code in RETRIABLE) or answer.status == 416:
            raise _Transient(f"{answer.status} {answer.reason}")
        raise self._refusal(doing, answer)

    def _refusal(self, doing: str, answer: Response) -> RegistryFailed:
        if "NAME_UNKNOWN" in answer.reason:
            return RegistryFailed(f"registry {self.url} has no repository {self.repository}", "make infra-deploy")
        remedy = "make clean build push"
        if answer.status in (401, 403):
            remedy = "check that your credentials may use this repository, then run it again"
        return RegistryFailed(f"registry {self.url} refuses {doing}: {answer.status} {answer.reason}".rstrip(), remedy)


def _octets(size: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
