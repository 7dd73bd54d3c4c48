#!/usr/bin/env python3
"""Keep every pinned input, so that the image can be rebuilt when no mirror has them any more.

    archive_folder.py FOLDER    an OCI image layout: one artifact, each input a blob of its own digest

Fetch reads it back: ARCHIVE=FOLDER make build. An archive that is there is completed, blobs that it holds stay.
"""

import argparse
import hashlib
import json
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import meter
import vault
from cache import in_use
from pins import GROUPS, Deb, Input, InputProblem, inputs_of

import inputs

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT_TYPE = "application/vnd.score-processor.inputs.v1"
EMPTY_TYPE, EMPTY = "application/vnd.oci.empty.v1+json", b"{}"
DEB_TYPE, WHEEL_TYPE = "application/vnd.debian.binary-package", "application/zip"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def everything() -> list[Input]:
    """All pinned inputs of all groups, each once, in the order of the locks."""
    return list(dict.fromkeys(one for group in GROUPS for one in inputs_of(group)))


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    """An OCI descriptor of bytes."""
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def manifest_of(wanted: Sequence[Input]) -> bytes:
    """The artifact's manifest: the same inputs give the same bytes."""
    blobs = [
        {
            "mediaType": DEB_TYPE if isinstance(one, Deb) else WHEEL_TYPE,
            "digest": f"sha256:{one.sha256}",
            "size": one.size,
            "annotations": {"org.opencontainers.image.title": one.file_name, "version": one.version},
        }
        for one in wanted
    ]
    return encoded(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": descriptor(EMPTY_TYPE, EMPTY),
            "layers": blobs,
        }
    )


def encoded(value: object) -> bytes:
    """JSON of which there is only one form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def tag_of(manifest: bytes) -> str:
    """A tag that never has to move: it names the inputs by what they are."""
    return f"inputs-{hashlib.sha256(manifest).hexdigest()[:12]}"


def write(folder: Path, wanted: Sequence[Input]) -> int:
    """Make `folder` an archive that holds these inputs, all of them cached; returns the bytes that it lacked.

    Each file is put there whole, the index last: a killed run leaves an archive that the next one completes.
    InputProblem for a folder that is a layout of something else.
    """
    archived(folder)
    blobs = vault.made(folder / "blobs" / "sha256")
    lack = [one for one in wanted if not holds(blobs / one.sha256, one)]
    total, before = sum(one.size for one in lack), meter.size_of(blobs)
    with meter.meter(total, lambda: meter.size_of(blobs) - before):
        for one in lack:
            part = blobs / f"{one.sha256}.part"
            shutil.copyfile(vault.place(one), part)  # no link: what alters the cache must not alter the archive
            if wrong := vault.mismatch(one, part):
                raise InputProblem(f"the cached {wrong}; run it again")
            part.replace(blobs / one.sha256)
    manifest = manifest_of(wanted)
    for data in (EMPTY, manifest):
        put(blobs / hashlib.sha256(data).hexdigest(), data)
    put(folder / "oci-layout", LAYOUT)
    put(folder / "index.json", index_with(folder, manifest))
    return total


def holds(path: Path, one: Input) -> bool:
    """Does the archive hold an input, whole and unaltered?"""
    return path.exists() and vault.mismatch(one, path) is None


def put(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all, unless it is there already."""
    if path.exists() and path.read_bytes() == data:
        return
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def archived(folder: Path) -> list[dict[str, Any]]:
    """What the index of an archive names; InputProblem when it is another's: an image's would hold two things then."""
    path = folder / "index.json"
    try:
        there: list[dict[str, Any]] = json.loads(path.read_bytes())["manifests"] if path.exists() else []
        if all(one["digest"] and one["artifactType"] == ARTIFACT_TYPE for one in there):
            return there
    except (ValueError, LookupError, TypeError):
        pass
    raise InputProblem(f"{path} is not of an archive of inputs; name another folder, new or written by this command")


def index_with(folder: Path, manifest: bytes) -> bytes:
    """The index of an archive with this manifest in it, beside those of earlier locks."""
    mine = {
        **descriptor(MANIFEST_TYPE, manifest),
        "artifactType": ARTIFACT_TYPE,
        "annotations": {"org.opencontainers.image.ref.name": tag_of(manifest)},
    }
    others = [one for one in archived(folder) if one["digest"] != mine["digest"]]
    return encoded({"schemaVersion": 2, "manifests": [*others, mine]})


def main(words: Sequence[str] | None = None) -> int:
    """0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        vault.made(options.folder)
        with in_use():
            wanted = everything()
            inputs.fetch_these(wanted, [options.folder])
            added = write(options.folder, wanted)
    except InputProblem as problem:
        print(f"archive: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"archive: {inputs.told(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("archive: interrupted; run it again, what is archived stays", file=sys.stderr)
        return 130
    size = sum(one.size for one in wanted)
    print(f"{options.folder}: {len(wanted)} inputs, {size / 1e6:.1f} MB, of which {added / 1e6:.1f} MB are new")
    print(f"build from it: ARCHIVE={options.folder} make build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
