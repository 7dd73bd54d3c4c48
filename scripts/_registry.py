"""A client for the part of the OCI distribution specification that a push needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from ._errors import PushFailed
from ._http import LOOPBACK, Answer, Http, NoAnswer
from ._image import Blob, LocalImage

MONOLITHIC_BYTES = 8 << 20  # up to here one request carries the whole blob; above, chunks that can be resumed
CHUNK_BYTES = 8 << 20
READ_BYTES = 256 << 10
ATTEMPTS = 4
WORTH_ANOTHER_TRY = ("DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID")

Moved = Callable[[int], None]
T = TypeVar("T")


class _Broken(Exception):
    """When a request got no answer, or one that says that the same request may work later."""


class _Meter:
    """Reports how far one blob is; going back takes back what was reported."""

    def __init__(self, moved: Moved) -> None:
        self._moved = moved
        self.at = 0

    def set(self, at: int) -> None:
        self._moved(at - self.at)
        self.at = at


class Registry:
    """One repository of a registry.

    `authorization` is the value of the Authorization header; it goes to the registry's own host only.
    Safe to use from several threads. Errors are PushFailed; what may pass by itself is tried again.
    """

    def __init__(self, url: str, repository: str, authorization: str, *, pause_s: float = 0.3) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise PushFailed(
                f"{url} is not https: credentials are sent in the clear on the loopback only",
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
        """Whether the repository holds a blob of this digest."""
        answer = self._repeat(lambda: self._request("HEAD", f"{self._base}/blobs/{digest}"))
        if answer.status == 404:
            return False
        if 200 <= answer.status < 400:  # a redirect leads to where the blob is stored
            return True
        raise self._refused(f"to say whether it holds {digest}", answer)

    def upload(self, blob: Blob, moved: Moved = lambda _: None) -> None:
        """Upload a blob; `moved` is called with the bytes of each piece as it is handed over."""
        meter = _Meter(moved)
        self._repeat(lambda: self._upload(blob, meter))

    def _upload(self, blob: Blob, meter: _Meter) -> None:
        meter.set(0)
        location = self._location(self._expect(202, "an upload", self._request("POST", f"{self._base}/blobs/uploads/")))
        headers, content = _octets(0), self._pieces(blob.path, 0, 0, meter)
        if blob.size > MONOLITHIC_BYTES:
            location = self._upload_chunks(blob, location, meter)
        else:
            headers, content = _octets(blob.size), self._pieces(blob.path, 0, blob.size, meter)
        url = f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': blob.digest})}"
        doing = f"the blob {blob.digest} ({blob.size} bytes)"
        self._expect(201, doing, self._request("PUT", url, headers=headers, content=content))

    def _upload_chunks(self, blob: Blob, location: str, meter: _Meter) -> str:
        """Send a large blob in chunks; after a lost connection go on from the byte that the registry has."""
        lost = 0
        while meter.at < blob.size:
            offset = meter.at
            size = min(CHUNK_BYTES, blob.size - offset)
            headers = _octets(size) | {"Content-Range": f"{offset}-{offset + size - 1}"}
            pieces = self._pieces(blob.path, offset, size, meter)
            try:
                answer = self._request("PATCH", location, headers=headers, content=pieces)
                location, lost = self._location(self._expect(202, f"a chunk of {blob.digest}", answer)), 0
            except _Broken:
                lost += 1
                if lost == ATTEMPTS:
                    raise
                self._pause(lost)
                location, held = self._held(location)
                meter.set(held)
        return location

    def _held(self, location: str) -> tuple[str, int]:
        """Return an unfinished upload's location and how many bytes of it the registry holds.

        A registry that does not say gets the blob from its beginning again.
        """
        answer = self._request("GET", location)
        if answer.status != 204:
            raise _Broken(f"{answer.status} when asked how far an upload is")
        last = int(answer.headers.get("Range", "0-0").rsplit("-", 1)[-1])
        return self._location(answer), last + 1 if last else 0

    def put_manifest(self, image: LocalImage, reference: str) -> str:
        """Store the image's manifest under a tag or digest and return the digest that the registry gives it."""
        url, headers = f"{self._base}/manifests/{reference}", {"Content-Type": image.media_type}
        doing = f"the manifest as {reference}"
        answer = self._repeat(
            lambda: self._expect(201, doing, self._request("PUT", url, headers=headers, content=image.manifest))
        )
        return str(answer.headers.get("Docker-Content-Digest", ""))

    @property
    def _base(self) -> str:
        return f"{self.url}/v2/{self.repository}"

    def _repeat(self, act: Callable[[], T]) -> T:
        """Do what may be done twice, again after a pause that doubles while it is broken."""
        for attempt in range(1, ATTEMPTS):
            try:
                return act()
            except _Broken:
                self._pause(attempt)
        try:
            return act()
        except _Broken as error:
            raise PushFailed(
                f"the registry at {self.url} fails: {error} (tried {ATTEMPTS} times)",
                "check the network and run it again: blobs that are there are not sent again",
            ) from error

    def _request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
    ) -> Answer:
        """Send one request; _Broken when it gets no answer, or one that is the registry's or its load's doing."""
        self._check_stopped()
        own = {"Authorization": self.authorization} if urlsplit(url).netloc == self._host else {}
        self.requests += 1
        try:
            answer = self._http.request(method, url, own | (headers or {}), content)
        except NoAnswer as error:
            raise _Broken(str(error)) from error
        if answer.status >= 500 or answer.status == 429:
            raise _Broken(f"{answer.status} {_reason(answer)}".rstrip())
        return answer

    def _pieces(self, path: Path, offset: int, size: int, meter: _Meter) -> Iterator[bytes]:
        end = offset + size
        try:
            file = path.open("rb")
        except OSError as error:
            raise PushFailed(f"{path} went away during the push: {error.strerror}", "make build push") from error
        with file:
            file.seek(offset)
            while offset < end:
                self._check_stopped()
                piece = file.read(min(READ_BYTES, end - offset))
                if not piece:
                    raise PushFailed(f"{path} became shorter during the push", "make build push")
                yield piece
                offset += len(piece)
                meter.set(offset)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise PushFailed("the push was stopped")

    def _location(self, answer: Answer) -> str:
        if "Location" not in answer.headers:
            raise _Broken(f"{answer.status} without the place of the upload")
        return urljoin(f"{self.url}/", answer.headers["Location"])

    def _pause(self, attempt: int) -> None:
        self._stopped.wait(self._pause_s * 2 ** (attempt - 1))

    def _expect(self, status: int, doing: str, answer: Answer) -> Answer:
        if answer.status == status:
            return answer
        told = _reason(answer)
        if any(code in told for code in WORTH_ANOTHER_TRY) or answer.status == 416:
            raise _Broken(f"{answer.status} {told}")
        raise self._refused(doing, answer)

    def _refused(self, doing: str, answer: Answer) -> PushFailed:
        told = _reason(answer)
        if "NAME_UNKNOWN" in told:
            return PushFailed(f"there is no repository {self.repository} at {self.url}", "make infra-deploy")
        remedy = "make clean build push"
        if answer.status in (401, 403):
            remedy = "check that your credentials may push to this repository, then run it again"
        problem = f"the registry at {self.url} refuses {doing}: {answer.status} {told}".rstrip()
        return PushFailed(problem, remedy)


def _octets(size: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}


def _reason(answer: Answer) -> str:
    """Return what the registry says in the body of an error answer, in one line."""
    if not answer.content:  # a HEAD request's answer has none
        return ""
    try:
        body: Any = answer.json()
        return "; ".join(f"{e.get('code', '')}: {e.get('message', '')}" for e in body["errors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text[:200].replace("\n", " ")
