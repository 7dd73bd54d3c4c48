"""The push's client against a registry that breaks connections, loses chunks and refuses."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts._errors import PushFailed
from scripts._image import Blob, LocalImage
from scripts._registry import ATTEMPTS, CHUNK_BYTES, Registry
from tests.unit.scripts.registry import Fault, Store, digest, registry

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.fixture
def served() -> Iterator[tuple[Store, Registry]]:
    """A registry and a client of its repository `ours/image`."""
    with registry() as (store, url):
        client = Registry(url, "ours/image", "Basic secret", pause_s=0.001)
        yield store, client
        client.close()


def blob(folder: Path, size: int) -> Blob:
    """A file of random bytes as a blob."""
    data = random.Random(size).randbytes(size)
    path = folder / f"blob-{size}"
    path.write_bytes(data)
    return Blob(LAYER, digest(data), size, path)


def image(folder: Path) -> LocalImage:
    """An image whose manifest is two words."""
    return LocalImage(digest(b"{}"), "application/json", b"{}", blob(folder, 2), (), "unknown")


def test_a_small_blob_is_one_request(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """Up to 8 MiB a blob goes in one PUT, and what was moved adds up to its size."""
    store, client = served
    one = blob(tmp_path, 1000)
    moved: list[int] = []
    client.upload(one, moved.append)
    assert store.blobs == {one.digest: one.path.read_bytes()}
    assert (store.count("POST"), store.count("PATCH"), store.count("PUT")) == (1, 0, 1)
    assert sum(moved) == 1000


def test_a_large_blob_goes_in_chunks(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """Above that it goes in chunks, each after the last."""
    store, client = served
    one = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    client.upload(one)
    assert store.blobs[one.digest] == one.path.read_bytes()
    assert store.count("PATCH") == 3


def test_a_lost_chunk_goes_on_where_the_registry_is(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """After a broken connection only what the registry lacks is sent again, and what was moved still adds up."""
    store, client = served
    one = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    moved: list[int] = []
    store.faults = [Fault("PATCH", read=3_000_000, skip=1)]
    client.upload(one, moved.append)
    assert store.blobs[one.digest] == one.path.read_bytes()
    assert store.count("POST") == 1
    assert sum(moved) == one.size


def test_a_registry_that_does_not_say_how_far_it_is_gets_all_again(
    served: tuple[Store, Registry], tmp_path: Path
) -> None:
    """Where a lost chunk's upload is gone or cannot be asked for, the blob is sent from its beginning."""
    store, client = served
    one = blob(tmp_path, CHUNK_BYTES * 2 + 5)
    store.faults = [Fault("PATCH", read=1_000_000, skip=1), Fault("GET", status=404)]
    client.upload(one)
    assert store.blobs[one.digest] == one.path.read_bytes()
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
    """A failing registry and a lost connection are met with another try."""
    store, client = served
    store.faults, one = [fault], blob(tmp_path, 1000)
    client.upload(one)
    assert one.digest in store.blobs


def test_a_blob_that_arrived_wrong_is_sent_again(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """DIGEST_INVALID may be the network's doing: the whole blob is sent once more."""
    store, client = served
    store.faults = [Fault("PUT", status=400, body=b'{"errors": [{"code": "DIGEST_INVALID", "message": "x"}]}')]
    one = blob(tmp_path, 1000)
    client.upload(one)
    assert (one.digest in store.blobs, store.count("PUT")) == (True, 2)


def test_it_ends_after_four_tries(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A registry that stays broken ends in one sentence with its answer and what to do."""
    store, client = served
    store.faults = [Fault("POST", status=502, times=99)]
    with pytest.raises(PushFailed, match=rf"fails: 502.*\(tried {ATTEMPTS} times\)") as told:
        client.upload(blob(tmp_path, 10))
    assert "blobs that are there are not sent again" in str(told.value)
    assert store.count("POST") == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "no"}]}', "there is no repository ours/image"),
        (403, b'{"errors": [{"code": "DENIED", "message": "not you"}]}', "DENIED: not you"),
        (401, b"", "your credentials may push"),
        (418, b"<html>teapot</html>", "418 <html>teapot"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(
    status: int, body: bytes, told: str, served: tuple[Store, Registry], tmp_path: Path
) -> None:
    """What will not pass by itself ends at once with the registry's own words."""
    store, client = served
    store.faults = [Fault("POST", status=status, body=body)]
    with pytest.raises(PushFailed) as refused:
        client.upload(blob(tmp_path, 10))
    assert told in str(refused.value)
    assert store.count("POST") == 1


def test_a_file_that_became_shorter_is_told(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A blob that a build replaced during the push ends the push."""
    one = blob(tmp_path, 1000)
    one.path.write_bytes(b"short")
    with pytest.raises(PushFailed, match="became shorter during the push"):
        served[1].upload(one)
    one.path.unlink()
    with pytest.raises(PushFailed, match="went away during the push: No such file"):
        served[1].upload(one)


def test_what_is_there_is_found(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """has_blob asks for the digest, and put_manifest returns what the registry says."""
    client = served[1]
    one = blob(tmp_path, 10)
    assert not client.has_blob(one.digest)
    client.upload(one)
    assert client.has_blob(one.digest)
    assert client.put_manifest(image(tmp_path), "tag") == digest(b"{}")


def test_another_digest_is_returned_as_it_is(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """A registry that changes a manifest cannot hide it: its own digest comes back, for the push to compare."""
    store, client = served
    store.digest_said = "sha256:other"
    assert client.put_manifest(image(tmp_path), "tag") == "sha256:other"


def test_a_stopped_push_ends_soon(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """After stop() no further request goes out."""
    store, client = served
    client.stop()
    with pytest.raises(PushFailed, match="the push was stopped"):
        client.upload(blob(tmp_path, 1000))
    assert store.requests == []


def test_credentials_go_to_the_registry_only(served: tuple[Store, Registry], tmp_path: Path) -> None:
    """An upload that the registry sends elsewhere is followed without the registry's credentials."""
    store, client = served
    one = blob(tmp_path, 1000)
    with registry() as (other, url):
        other.uploads["0"] = bytearray()
        store.elsewhere = f"{url}/v2/ours/image/blobs/uploads/0"
        client.upload(one)
    assert other.blobs == {one.digest: one.path.read_bytes()}
    assert (store.authorizations, other.authorizations) == (["Basic secret"], [""])


def test_plain_http_is_for_the_loopback() -> None:
    """Credentials never leave this machine in the clear."""
    with pytest.raises(PushFailed, match="is not https"):
        Registry("http://registry.example", "ours/image", "Basic secret")
