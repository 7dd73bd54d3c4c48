"""Artifact stores: content addressing, atomic writes, verification, and the cache's size."""

import io
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from plexus.artifacts import FolderArtifacts, S3Artifacts
from plexus.artifacts.manifest import FORMAT, NAME, Manifest, compute_digest
from plexus.artifacts.s3 import GRACE
from plexus.exceptions import ArtifactMissing, InvalidArtifact, ScoringFailed
from plexus.learning.svm import SVMModel
from plexus.learning.train_svm import train
from plexus.text import encode_canonical

ROOT = Path(__file__).resolve().parents[3]


class Absent(Exception):
    """boto3's error for a key that does not exist."""

    response: ClassVar = {"Error": {"Code": "NoSuchKey"}}


class Bucket:
    """A dict in place of the S3 client; counts the calls, and fails from call `fails_at` on."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.fails_at: int | None = None

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """Return the object's body."""
        self._record(f"get {Bucket}/{Key}")
        if Key not in self.objects:
            raise Absent
        return {"Body": io.BytesIO(self.objects[Key])}

    def head_object(self, Bucket: str, Key: str) -> None:
        """Raise Absent unless the key exists."""
        self._record(f"head {Bucket}/{Key}")
        if Key not in self.objects:
            raise Absent

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        """Store an object."""
        self._record(f"put {Bucket}/{Key}")
        self.objects[Key] = Body

    def _record(self, what: str) -> None:
        self.calls.append(what)
        if self.fails_at is not None and len(self.calls) >= self.fails_at:
            raise OSError("the connection was reset")


def folder(place: Path, **files: str) -> Path:
    """Return a folder with these files."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).write_text(content)
    return place


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    """Equal files have one digest, whatever their folder's name and their times."""
    store = FolderArtifacts(tmp_path / "store")
    first = store.put(folder(tmp_path / "a", x="1", y="2"))
    assert first == store.put(folder(tmp_path / "b", y="2", x="1"))
    assert first != store.put(folder(tmp_path / "c", x="1", y="3"))
    assert (store.get(first) / "x").read_text() == "1"


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    """A file that does not match its digest is an InvalidArtifact that names file, expected and actual digest."""
    store = FolderArtifacts(tmp_path / "store")
    digest = store.put(folder(tmp_path / "a", x="1"))
    (store.get(digest) / "x").write_text("2")
    with pytest.raises(InvalidArtifact, match=r"x: got sha256:.* \(1 bytes\), expected sha256:"):
        FolderArtifacts(tmp_path / "store").get(digest)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    """An artifact of another format version is refused with both versions."""
    content = encode_canonical({"format": FORMAT + 1, "files": []})
    place = folder(tmp_path / "store" / compute_digest(content).removeprefix("sha256:"))
    (place / NAME).write_bytes(content)
    with pytest.raises(InvalidArtifact, match=f"unsupported artifact format: got {FORMAT + 1}, expected {FORMAT}"):
        FolderArtifacts(tmp_path / "store").get(compute_digest(content))


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "./x"])
def test_a_path_outside_of_the_artifact_is_refused(tmp_path: Path, path: str) -> None:
    """A manifest with a path outside the artifact is refused."""
    content = encode_canonical({"format": FORMAT, "files": [{"path": path, "digest": compute_digest(b"1"), "size": 1}]})
    with pytest.raises(InvalidArtifact, match="names a path outside the artifact"):
        Manifest.parse(content, compute_digest(content))


@pytest.mark.parametrize("content", [b"not json", b"[]", b'{"format": 1}', b'{"format": 1, "files": [{}]}'])
def test_a_damaged_manifest_is_refused(content: bytes) -> None:
    """A manifest that is not valid JSON of the format is refused, even if its digest matches."""
    with pytest.raises(InvalidArtifact):
        Manifest.parse(content, compute_digest(content))


@pytest.mark.parametrize("digest", ["", "abc", "sha256:abc", "sha256:../../etc", "md5:" + "0" * 32])
def test_a_malformed_digest_is_refused(tmp_path: Path, digest: str) -> None:
    """A malformed digest is refused before the store is read."""
    with pytest.raises(InvalidArtifact, match="not a digest"):
        FolderArtifacts(tmp_path).get(digest)


def test_a_missing_artifact_names_its_remedy(tmp_path: Path) -> None:
    """The error for a missing artifact names the command that creates it."""
    with pytest.raises(ArtifactMissing, match="next: plexus train"):
        FolderArtifacts(tmp_path).get("sha256:" + "0" * 64)


def bucket(tmp_path: Path, sizes: Iterable[int]) -> tuple[Bucket, list[str]]:
    """Return a bucket with an artifact of each size, and their digests."""
    created = Bucket()
    store = S3Artifacts(created, "b", tmp_path / "upload")
    digests = [
        store.put(folder(tmp_path / f"source-{n}", model=str(n) * size)) for n, size in enumerate(sizes, start=1)
    ]
    created.calls.clear()
    return created, digests


def test_an_artifact_is_fetched_once(tmp_path: Path) -> None:
    """A cached artifact is returned without a call to S3."""
    result, (digest,) = bucket(tmp_path, [10])
    store = S3Artifacts(result, "b", tmp_path / "cache")
    assert (store.get(digest) / "model").read_text() == "1" * 10
    assert len(result.calls) == 2
    S3Artifacts(result, "b", tmp_path / "cache").get(digest)
    assert len(result.calls) == 2


@pytest.mark.parametrize("remove", [True, False], ids=["gone", "changed"])
def test_a_damaged_artifact_is_replaced(tmp_path: Path, remove: bool) -> None:
    """A damaged artifact is an error that names the remedy; training or fetching again replaces it."""
    result, (digest,) = bucket(tmp_path, [10])
    cached = S3Artifacts(result, "b", tmp_path / "cache")
    store = FolderArtifacts(tmp_path / "store")
    store.put(tmp_path / "source-1")
    for place in (cached.get(digest), tmp_path / "store" / digest.removeprefix("sha256:")):
        (place / "model").unlink() if remove else (place / "model").write_text("1")
    with pytest.raises((InvalidArtifact, ArtifactMissing), match="next: plexus train"):
        FolderArtifacts(tmp_path / "store").get(digest)
    assert FolderArtifacts(tmp_path / "store").put(tmp_path / "source-1") == digest
    for kept in (FolderArtifacts(tmp_path / "store"), S3Artifacts(result, "b", tmp_path / "cache")):
        assert (kept.get(digest) / "model").read_text() == "1" * 10


def test_the_same_content_is_uploaded_once(tmp_path: Path) -> None:
    """Putting equal content again makes one request and uploads nothing."""
    store, _ = bucket(tmp_path, [10])
    S3Artifacts(store, "b", tmp_path / "other").put(tmp_path / "source-1")
    assert [call.split()[0] for call in store.calls] == ["head"]


def test_a_fetch_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A failed fetch is transient and leaves no partial artifact in the cache."""
    result, (digest,) = bucket(tmp_path, [10])
    store = S3Artifacts(result, "b", tmp_path / "cache")
    result.fails_at = 2
    with pytest.raises(ScoringFailed) as caught:
        store.get(digest)
    assert caught.value.transient
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    result.fails_at = None
    assert (store.get(digest) / "model").is_file()


def test_a_wrong_blob_is_refused_and_not_kept(tmp_path: Path) -> None:
    """Bytes from S3 are verified before they enter the cache."""
    result, (digest,) = bucket(tmp_path, [10])
    (key,) = [key for key in result.objects if key.endswith("model")]
    result.objects[key] = b"2" * 10
    store = S3Artifacts(result, "b", tmp_path / "cache")
    with pytest.raises(InvalidArtifact, match="model: got"):
        store.get(digest)
    assert digest not in store.cached


def test_the_cache_keeps_to_its_size(tmp_path: Path) -> None:
    """The least recently used artifact leaves a full cache; recently used ones stay."""
    result, digests = bucket(tmp_path, [1000, 1000, 1000])
    store = S3Artifacts(result, "b", tmp_path / "cache", maximum_bytes=2600)
    for age, digest in zip((3, 2), digests, strict=False):
        long_ago = time.time() - age * GRACE
        os.utime(store.get(digest), (long_ago, long_ago))
    store.get(digests[2])
    assert [digest in store.cached for digest in digests] == [False, True, True]


def test_a_recently_used_artifact_stays(tmp_path: Path) -> None:
    """An artifact used within the last two minutes stays in the cache, whatever the size."""
    result, digests = bucket(tmp_path, [1000, 1000])
    store = S3Artifacts(result, "b", tmp_path / "cache", maximum_bytes=10)
    for digest in digests:
        store.get(digest)
    assert all(digest in store.cached for digest in digests)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "xgboost"}, "xgboost"),
        ({"format": 99}, "99"),
        ({"version": "99.0.0"}, "99.0.0"),
    ],
)
def test_a_model_of_another_kind_format_or_newer_library_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    """A model file of another kind, format or newer library is refused by name before it is loaded."""
    model, _ = train(["good day", "good night", "bad day", "bad night"] * 3, ["G", "G", "B", "B"] * 3)
    model.save(folder(tmp_path / "model"))
    file = tmp_path / "model" / "model.json"
    content = json.loads(file.read_text())
    assert set(change) <= set(content), sorted(content)
    file.write_text(json.dumps({**content, **change}))
    with pytest.raises(InvalidArtifact, match=said):
        SVMModel.load(tmp_path / "model")
