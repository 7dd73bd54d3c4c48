"""A small valid image, as a draft that a test changes in one place before it is written."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.oci.elves import elf

LIB = "usr/lib/x86_64-linux-gnu"
LOADER = "lib64/ld-linux-x86-64.so.2"
STANDARD, SITES = "usr/lib/python3.11", "usr/lib/python3.11/site-packages"
# The names of the init functions of built-in modules, as a symbol table has them.
MODULES = b"\0PyInit_time\0PyInit__io\0"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HANDLER = b"def lambda_handler(event, context):\n    return event\n"

Edit = Callable[[dict[str, Any]], object]


@dataclass
class Entry:
    """One member of a layer's tar."""

    path: str
    data: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""

    def header(self) -> tarfile.TarInfo:
        """Its tar header."""
        info = tarfile.TarInfo(self.path)
        info.type, info.mode, info.linkname, info.size = self.kind, self.mode, self.target, len(self.data)
        return info


def folder(path: str, mode: int = 0o755) -> Entry:
    """Return a folder."""
    return Entry(path, mode=mode, kind=tarfile.DIRTYPE)


def link(path: str, target: str) -> Entry:
    """Return a symbolic link."""
    return Entry(path, mode=0o777, kind=tarfile.SYMTYPE, target=target)


def system() -> list[Entry]:
    """Return a layer with a Python: program, loader, C library, a small standard library, the runtime client."""
    program = elf(["libc.so.6"], interpreter="/" + LOADER, requires=[("libc.so.6", "GLIBC_2.36")]) + MODULES
    return [
        *(
            folder(path)
            for path in ("usr", "usr/bin", "usr/lib", LIB, "lib64", STANDARD, SITES, f"{SITES}/awslambdaric")
        ),
        Entry(f"{STANDARD}/os.py", b"import sys\nsys.modules['os.path'] = sys\n"),
        Entry(f"{STANDARD}/json.py"),
        Entry(f"{SITES}/runtime_client.so", elf()),
        Entry(f"{SITES}/awslambdaric/__init__.py"),
        Entry(f"{SITES}/awslambdaric/__main__.py", b"import sys\nfrom . import bootstrap\n"),
        Entry(f"{SITES}/awslambdaric/bootstrap.py", b"import json\nimport os\nimport time\n"),
        Entry("usr/bin/python3.11", program, 0o755),
        Entry(LOADER, elf(soname="ld-linux-x86-64.so.2"), 0o755),
        Entry(f"{LIB}/libc.so.6", elf(soname="libc.so.6", provides=["GLIBC_2.2.5", "GLIBC_2.36"])),
    ]


def app() -> list[Entry]:
    """Return a layer with the function."""
    return [
        folder("tmp", 0o1777),
        *(folder(path) for path in ("var", "var/task", "var/task/handler")),
        Entry("var/task/handler/app.py", HANDLER),
    ]


@dataclass
class Draft:
    """An image's layers and settings, and functions that edit its documents and blobs."""

    layers: list[list[Entry]] = field(default_factory=lambda: [system(), app()])
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "Entrypoint": ["/usr/bin/python3.11", "-m", "awslambdaric"],
            "Cmd": ["handler.app.lambda_handler"],
            "Env": ["LAMBDA_TASK_ROOT=/var/task", "PATH=/usr/bin"],
            "WorkingDir": "/var/task",
        }
    )
    edit_tar: Callable[[bytes], bytes] = lambda data: data
    pack: Callable[[bytes], bytes] = lambda data: gzip.compress(data, 1, mtime=0)
    edit_config: Edit = lambda _: None
    edit_manifest: Edit = lambda _: None
    edit_index: Edit = lambda _: None
    # Blobs by digest, changed or removed after all documents are written.
    edit_blobs: Callable[[dict[str, bytes], dict[str, Any]], object] = lambda _, __: None

    def write(self, target: Path) -> Path:
        """Write the layout and return its folder."""
        blobs: dict[str, bytes] = {}
        tars = [self.edit_tar(tar(entries)) if number else tar(entries) for number, entries in enumerate(self.layers)]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": self.settings,
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in tars]},
            "history": [{"created_by": "test"} for _ in tars],
        }
        self.edit_config(config)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": put(blobs, CONFIG, json.dumps(config).encode()),
            "layers": [put(blobs, LAYER, self.pack(data)) for data in tars],
        }
        self.edit_manifest(manifest)
        index = {"schemaVersion": 2, "manifests": [put(blobs, MANIFEST, json.dumps(manifest).encode())]}
        self.edit_index(index)
        self.edit_blobs(blobs, manifest)
        return write_layout(target, blobs, index)


def tar(entries: list[Entry]) -> bytes:
    """Return a tar with these members, in this order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            archive.addfile(entry.header(), io.BytesIO(entry.data) if entry.data else None)
    return buffer.getvalue()


def digest(data: bytes) -> str:
    """Return the digest of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put(blobs: dict[str, bytes], media_type: str, data: bytes) -> dict[str, Any]:
    """Add a blob and return its descriptor."""
    blobs[digest(data)] = data
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def write_layout(target: Path, blobs: dict[str, bytes], index: dict[str, Any]) -> Path:
    """Write a layout's files."""
    store = target / "blobs" / "sha256"
    store.mkdir(parents=True)
    for name, data in blobs.items():
        (store / name.removeprefix("sha256:")).write_bytes(data)
    (target / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (target / "index.json").write_text(json.dumps(index))
    return target
