"""Artifacts: found by what they hold, whole or not at all, and within the cache's size."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from plexus.artifacts import FolderArtifacts, S3Artifacts
from plexus.artifacts.cache import GRACE
from plexus.artifacts.manifest import FORMAT, NAME, Manifest, digest_of
from plexus.exceptions import ArtifactMissing, InvalidArtifact, ScoringFailed
from plexus.learning.svm import SVMModel
from plexus.learning.train_svm import train
from plexus.text import canonical_json

ROOT = Path(__file__).resolve().parents[3]


class Absent(Exception):
    """What boto3 raises for a key that is not there."""

    response: ClassVar = {"Error": {"Code": "NoSuchKey"}}


class Bucket:
    """As much of an S3 client as artifacts use, over a dict; counts what is asked. Fails from call `fails_at` on."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.fails_at: int | None = None

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """The object's body."""
        self._called(f"get {Bucket}/{Key}")
        if Key not in self.objects:
            raise Absent
        return {"Body": io.BytesIO(self.objects[Key])}

    def head_object(self, Bucket: str, Key: str) -> None:
        """Whether it is there."""
        self._called(f"head {Bucket}/{Key}")
        if Key not in self.objects:
            raise Absent

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        """Keeps an object."""
        self._called(f"put {Bucket}/{Key}")
        self.objects[Key] = Body

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.fails_at is not None and len(self.calls) >= self.fails_at:
            raise OSError("the connection was reset")


def folder(place: Path, **files: str) -> Path:
    """A folder with these files."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).write_text(content)
    return place


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    """Equal files have one artifact, whatever the folder is called and whenever they were written."""
    store = FolderArtifacts(tmp_path / "store")
    first = store.put(folder(tmp_path / "a", x="1", y="2"))
    assert first == store.put(folder(tmp_path / "b", y="2", x="1"))
    assert first != store.put(folder(tmp_path / "c", x="1", y="3"))
    assert (store.get(first) / "x").read_text() == "1"


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    """With what was expected and what is there."""
    store = FolderArtifacts(tmp_path / "store")
    digest = store.put(folder(tmp_path / "a", x="1"))
    (store.get(digest) / "x").write_text("2")
    with pytest.raises(InvalidArtifact, match=r"x: expected sha256:.* \(1 bytes\), got sha256:"):
        FolderArtifacts(tmp_path / "store").get(digest)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    """An artifact of an older or newer engine says which format it has."""
    content = canonical_json({"format": FORMAT + 1, "files": []})
    place = folder(tmp_path / "store" / digest_of(content).removeprefix("sha256:"))
    (place / NAME).write_bytes(content)
    with pytest.raises(InvalidArtifact, match=f"has the format {FORMAT + 1}, this engine reads {FORMAT}"):
        FolderArtifacts(tmp_path / "store").get(digest_of(content))


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "./x"])
def test_a_path_outside_of_the_artifact_is_refused(tmp_path: Path, path: str) -> None:
    """A manifest cannot make anyone write elsewhere."""
    content = canonical_json({"format": FORMAT, "files": [{"path": path, "digest": digest_of(b"1"), "size": 1}]})
    with pytest.raises(InvalidArtifact, match="names a path outside of it"):
        Manifest.parse(content, digest_of(content))


@pytest.mark.parametrize("content", [b"not json", b"[]", b'{"format": 1}', b'{"format": 1, "files": [{}]}'])
def test_a_damaged_manifest_is_refused(content: bytes) -> None:
    """Even when its digest is the one that was asked for."""
    with pytest.raises(InvalidArtifact):
        Manifest.parse(content, digest_of(content))


@pytest.mark.parametrize("digest", ["", "abc", "sha256:abc", "sha256:../../etc", "md5:" + "0" * 32])
def test_what_is_no_digest_is_refused(tmp_path: Path, digest: str) -> None:
    """Before anything is looked for."""
    with pytest.raises(InvalidArtifact, match="not an artifact's digest"):
        FolderArtifacts(tmp_path).get(digest)


def test_a_missing_artifact_says_what_makes_it(tmp_path: Path) -> None:
    """The message names the command."""
    with pytest.raises(ArtifactMissing, match="`plexus train` makes it"):
        FolderArtifacts(tmp_path).get("sha256:" + "0" * 64)


def bucket(tmp_path: Path, sizes: Iterable[int]) -> tuple[Bucket, list[str]]:
    """A bucket with an artifact of each size, and their digests."""
    made = Bucket()
    store = S3Artifacts(made, "b", tmp_path / "upload")
    digests = [
        store.put(folder(tmp_path / f"source-{n}", model=str(n) * size)) for n, size in enumerate(sizes, start=1)
    ]
    made.calls.clear()
    return made, digests


def test_an_artifact_is_fetched_once(tmp_path: Path) -> None:
    """The second time it comes from the cache: S3 is not asked."""
    found, (digest,) = bucket(tmp_path, [10])
    store = S3Artifacts(found, "b", tmp_path / "cache")
    assert (store.get(digest) / "model").read_text() == "1" * 10
    assert len(found.calls) == 2
    S3Artifacts(found, "b", tmp_path / "cache").get(digest)
    assert len(found.calls) == 2


@pytest.mark.parametrize("remove", [True, False], ids=["gone", "changed"])
def test_a_damaged_artifact_is_made_anew(tmp_path: Path, remove: bool) -> None:
    """Training again, or another fetch, mends what a full disk or a hand left; until then the message says how."""
    found, (digest,) = bucket(tmp_path, [10])
    cached = S3Artifacts(found, "b", tmp_path / "cache")
    store = FolderArtifacts(tmp_path / "store")
    store.put(tmp_path / "source-1")
    for place in (cached.get(digest), tmp_path / "store" / digest.removeprefix("sha256:")):
        (place / "model").unlink() if remove else (place / "model").write_text("1")
    with pytest.raises((InvalidArtifact, ArtifactMissing), match="`plexus train` makes it"):
        FolderArtifacts(tmp_path / "store").get(digest)
    assert FolderArtifacts(tmp_path / "store").put(tmp_path / "source-1") == digest
    for kept in (FolderArtifacts(tmp_path / "store"), S3Artifacts(found, "b", tmp_path / "cache")):
        assert (kept.get(digest) / "model").read_text() == "1" * 10


def test_the_same_content_is_uploaded_once(tmp_path: Path) -> None:
    """Putting it again asks whether it is there, and no more."""
    found, _ = bucket(tmp_path, [10])
    S3Artifacts(found, "b", tmp_path / "other").put(tmp_path / "source-1")
    assert [call.split()[0] for call in found.calls] == ["head"]


def test_a_fetch_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """It can pass, so it is transient; the next one begins anew."""
    found, (digest,) = bucket(tmp_path, [10])
    store = S3Artifacts(found, "b", tmp_path / "cache")
    found.fails_at = 2
    with pytest.raises(ScoringFailed) as caught:
        store.get(digest)
    assert caught.value.transient
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    found.fails_at = None
    assert (store.get(digest) / "model").is_file()


def test_a_wrong_blob_is_refused_and_not_kept(tmp_path: Path) -> None:
    """What S3 gives is checked before it can be found in the cache."""
    found, (digest,) = bucket(tmp_path, [10])
    (key,) = [key for key in found.objects if key.endswith("model")]
    found.objects[key] = b"2" * 10
    store = S3Artifacts(found, "b", tmp_path / "cache")
    with pytest.raises(InvalidArtifact, match="model: expected"):
        store.get(digest)
    assert digest not in store.cached


def test_the_cache_keeps_to_its_size(tmp_path: Path) -> None:
    """The least recently used goes, what was used just now stays."""
    found, digests = bucket(tmp_path, [1000, 1000, 1000])
    store = S3Artifacts(found, "b", tmp_path / "cache", maximum_bytes=2600)
    for age, digest in zip((3, 2), digests, strict=False):
        long_ago = time.time() - age * GRACE
        os.utime(store.get(digest), (long_ago, long_ago))
    store.get(digests[2])
    assert [digest in store.cached for digest in digests] == [False, True, True]


def test_what_somebody_may_be_loading_stays(tmp_path: Path) -> None:
    """An artifact that was asked for within the last two minutes is not taken away, whatever the size."""
    found, digests = bucket(tmp_path, [1000, 1000])
    store = S3Artifacts(found, "b", tmp_path / "cache", maximum_bytes=10)
    for digest in digests:
        store.get(digest)
    assert all(digest in store.cached for digest in digests)


def test_processes_that_add_the_same_at_once_both_find_it(tmp_path: Path) -> None:
    """Four processes put twenty artifacts each into one folder: nothing is half, nothing is left over."""
    program = (
        "import sys, pathlib; from plexus.artifacts import FolderArtifacts\n"
        "place, store = pathlib.Path(sys.argv[1]), FolderArtifacts(sys.argv[2])\n"
        "for n in range(20):\n"
        "    (place / 'model').write_text(str(n) * 5000)\n"
        "    digest = store.put(place)\n"
        "    assert (store.get(digest) / 'model').read_text() == str(n) * 5000\n"
    )
    store = tmp_path / "store"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(folder(tmp_path / f"p{n}")), str(store)], cwd=ROOT)
        for n in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert len(list(store.iterdir())) == 20


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
    """By name, before anything of it is used."""
    model, _ = train(["good day", "good night", "bad day", "bad night"] * 3, ["G", "G", "B", "B"] * 3)
    model.save(folder(tmp_path / "model"))
    file = tmp_path / "model" / "model.json"
    content = json.loads(file.read_text())
    assert set(change) <= set(content), sorted(content)
    file.write_text(json.dumps({**content, **change}))
    with pytest.raises(InvalidArtifact, match=said):
        SVMModel.load(tmp_path / "model")
