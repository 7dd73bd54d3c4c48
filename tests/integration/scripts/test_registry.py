"""The registry client against a registry that breaks connections, loses chunks and refuses."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.aws.registry import ATTEMPTS, CHUNK_BYTES, Registry
from scripts.checkout.layout import Blob, LocalImage
from scripts.console.errors import NotFound, RegistryFailed
from tests.integration.scripts.registry import Fault, Store, digest, registry

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.fixture
def served() -> Iterator[tuple[Store, Registry]]:
    """Yield a registry's store and a client of its repository `ours/image`."""
    with registry() as (store, url):
        client = Registry(url, "ours/image", "Basic secret", pause_s=0.001)
        yield store, client
        client.close()


def blob(folder: Path, size: int) -> Blob:
    """Return a blob of random bytes in a file."""
    data = random.Random(size).randbytes(size)
    path = folder / f"blob-{size}"
    path.write_bytes(data)
    return Blob(LAYER, digest(data), size, path)


def image(folder: Path) -> LocalImage:
    """Return an image with the manifest `{}`."""
    return LocalImage(digest(b"{}"), "application/json", b"{}", blob(folder, 2), (), "unknown")


def test_a_small_blob_is_one_request(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A blob of up to 8 MiB is uploaded in one PUT, and the reported progress adds up to its size."""
    store, client = served
    file = blob(tmp_path, 1000)
    moved: list[int] = []
    client.upload(file, moved.append)
    assert store.blobs == {file.digest: file.path.read_bytes()}
    assert (store.count("POST"), store.count("PATCH"), store.count("PUT")) == (1, 0, 1)
    assert sum(moved) == 1000


def test_a_large_blob_goes_in_chunks(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A larger blob is uploaded in consecutive chunks."""
    store, client = served
    file = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    client.upload(file)
    assert store.blobs[file.digest] == file.path.read_bytes()
    assert store.count("PATCH") == 3


def test_a_lost_chunk_goes_on_where_the_registry_is(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """After a lost connection the upload resumes at the registry's offset, and the progress adds up."""
    store, client = served
    file = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    moved: list[int] = []
    store.faults = [Fault("PATCH", read=3_000_000, skip=1)]
    client.upload(file, moved.append)
    assert store.blobs[file.digest] == file.path.read_bytes()
    assert store.count("POST") == 1
    assert sum(moved) == file.size


def test_a_registry_that_does_not_say_how_far_it_is_gets_all_again(
    served: tuple[Store, Registry], tmp_path: Path
) -> None:
    """If the registry cannot report the offset, the blob is uploaded from its start."""
    store, client = served
    file = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    store.faults = [Fault("PATCH", read=1_000_000, skip=1), Fault("GET", status=404)]
    client.upload(file)
    assert store.blobs[file.digest] == file.path.read_bytes()
    assert store.count("POST") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", status=503),
        Fault("POST", status=429),
        Fault("POST", status=202),
        Fault("POST"),
        Fault("PUT", status=500),
        Fault("PUT", read=10),
    ],
    ids=["503", "too many", "no place", "no answer", "500", "broken"],
)
def test_what_may_pass_is_tried_again(fault: Fault, served: tuple[Store, Registry], tmp_path: Path) -> None:
    """5xx answers and lost connections are retried."""
    store, client = served
    store.faults, file = [fault], blob(tmp_path, 1000)
    client.upload(file)
    assert file.digest in store.blobs


def test_a_blob_that_arrived_wrong_is_sent_again(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """An upload rejected with DIGEST_INVALID is retried from its start."""
    store, client = served
    store.faults = [Fault("PUT", status=400, body=b'{"errors": [{"code": "DIGEST_INVALID", "message": "x"}]}')]
    file = blob(tmp_path, 1000)
    client.upload(file)
    assert (file.digest in store.blobs, store.count("PUT")) == (True, 2)


def test_it_ends_after_four_tries(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """After four attempts RegistryFailed has the registry's answer and a remedy."""
    store, client = served
    store.faults = [Fault("POST", status=502, times=99)]
    with pytest.raises(RegistryFailed, match=rf"127.0.0.1:\d+: 502.*\({ATTEMPTS} attempts\)") as output:
        client.upload(blob(tmp_path, 10))
    assert "a push sends only what is missing" in str(output.value)
    assert store.count("POST") == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "body", "output"),
    [
        (404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "no"}]}', "has no repository ours/image"),
        (403, b'{"errors": [{"code": "DENIED", "message": "not you"}]}', "DENIED: not you"),
        (401, b"", "your credentials may use"),
        (418, b"<html>teapot</html>", "418 <html>teapot"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(
    status: int, body: bytes, output: str, served: tuple[Store, Registry], tmp_path: Path
) -> None:
    """A permanent refusal is not retried, and the registry's message is reported."""
    store, client = served
    store.faults = [Fault("POST", status=status, body=body)]
    with pytest.raises(RegistryFailed) as refused:
        client.upload(blob(tmp_path, 10))
    assert output in str(refused.value)
    assert store.count("POST") == 1


def test_a_file_that_became_shorter_is_told(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A blob file that shrinks during the push is an error."""
    file = blob(tmp_path, 1000)
    file.path.write_bytes(b"short")
    with pytest.raises(RegistryFailed, match="became shorter during the push"):
        served[1].upload(file)
    file.path.unlink()
    with pytest.raises(RegistryFailed, match="disappeared during the push: No such file"):
        served[1].upload(file)


def test_what_is_there_is_found(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """`has_blob` finds an uploaded blob, and `put_manifest` returns the registry's digest."""
    client = served[1]
    file = blob(tmp_path, 10)
    assert not client.has_blob(file.digest)
    client.upload(file)
    assert client.has_blob(file.digest)
    assert client.put_manifest(image(tmp_path), "tag") == digest(b"{}")


def test_another_digest_is_returned_as_it_is(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """`put_manifest` returns the registry's digest even if it is not the image's."""
    store, client = served
    store.digest_said = "sha256:other"
    assert client.put_manifest(image(tmp_path), "tag") == "sha256:other"


def test_a_stopped_push_ends_soon(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """After stop() no request is sent."""
    store, client = served
    client.stop()
    with pytest.raises(RegistryFailed, match="the push was stopped"):
        client.upload(blob(tmp_path, 1000))
    assert store.requests == []


def test_credentials_go_to_the_registry_only(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A redirected upload carries no credentials."""
    store, client = served
    file = blob(tmp_path, 1000)
    with registry() as (other, url):
        other.uploads["0"] = bytearray()
        store.elsewhere = f"{url}/v2/ours/image/blobs/uploads/0"
        client.upload(file)
    assert other.blobs == {file.digest: file.path.read_bytes()}
    assert (store.authorizations, other.authorizations) == (["Basic secret"], [""])


def test_plain_http_is_for_the_loopback() -> None:
    """Plain HTTP is accepted on the loopback only."""
    with pytest.raises(RegistryFailed, match="got http, expected https"):
        Registry("http://registry.example", "ours/image", "Basic secret")


def test_a_manifest_is_returned_as_it_is_stored(served: tuple[Store, Registry]) -> None:
    """`manifest` returns the media type and the bytes, which a digest can be computed of."""
    store, client = served
    store.manifests["latest"] = b'{"layers": []}'
    assert client.fetch_manifest("latest") == ("application/json", b'{"layers": []}')


def test_a_broken_download_starts_again(served: tuple[Store, Registry]) -> None:
    """A blob whose connection breaks is downloaded again from its start, and is complete."""
    store, client = served
    store.blobs["sha256:0a"] = b"content"
    store.faults = [Fault("GET"), Fault("GET", status=503)]
    with client.open_blob("sha256:0a") as file:
        assert file.read() == b"content"
    assert store.count("GET") == 3


def test_a_redirected_download_carries_no_credentials(served: tuple[Store, Registry]) -> None:
    """The storage that a registry redirects to never receives the registry's credentials."""
    store, client = served
    store.blobs["sha256:0a"] = b"content"
    with registry() as (other, url):
        other.blobs["sha256:0a"] = b"content"
        store.elsewhere = url
        with client.open_blob("sha256:0a") as file:
            assert file.read() == b"content"
    assert (store.authorizations, other.authorizations) == (["Basic secret"], [""])


def test_an_absent_image_is_not_found(served: tuple[Store, Registry]) -> None:
    """NotFound names the registry, the repository and the reference, and is not retried."""
    store, client = served
    with pytest.raises(NotFound, match=r"127.0.0.1:\d+/ours/image has no image v1"):
        client.fetch_manifest("v1")
    assert store.count("GET") == 1
