"""A small world of inputs: locks, a loopback server that publishes them, and a folder that pip looks into."""

import contextlib
import hashlib
import io
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nix import inputs
from nix.oci.debian_package import nar_hash, unpack_debs
from nix.pins import InputProblem

PACKAGES = ("alpha", "beta", "gamma")
SNAPSHOT = "20260102T030405Z"
LIMIT_S = 120.0


@dataclass
class World:
    """Inputs, and one loopback server that can be a mirror, a snapshot archive, a registry and a forge.

    `served` is its content by path, `asked` the paths of all GET requests and `probed` those of all HEAD requests.
    `redirects` map a path to an address, `statuses` a path to the error that it is answered with, `truncated` and
    `stalled` paths get half an answer, and none before `resume` is set;
    `halted` paths get half of it and the rest after `resume`. A server that `drips` sends a header line now and then,
    and never the last; it sets `dripped` after the first. `authorizations` go with `asked`, of which `lock` makes
    pairs; `length` is sent as every Content-Length.
    """

    folder: Path
    served: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    truncated: set[str] = field(default_factory=set)
    stalled: set[str] = field(default_factory=set)
    halted: set[str] = field(default_factory=set)
    drips: bool = False
    dripped: threading.Event = field(default_factory=threading.Event)
    refuses_head: bool = False
    length: str | None = None
    resume: threading.Event = field(default_factory=threading.Event)
    authorizations: list[str | None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    @property
    def cached(self) -> list[str]:
        """The names of the inputs in the cache."""
        result = (self.folder / "cache" / "inputs").glob("*")
        return sorted(path.name.rsplit("-", 1)[0] for path in result)


def pool(name: str) -> str:
    """Return the pool path of a package."""
    return f"pool/main/{name[0]}/{name}/{name}_1.0_all.deb"


def make(folder: Path) -> World:
    """Write the locks of three packages; the server is not started."""
    world = World(folder)
    locks, wheels = folder / "locks", folder / "wheels"
    locks.mkdir()
    wheels.mkdir()
    lines = []
    for name in PACKAGES:
        content = debian_package(name)
        world.served["/" + pool(name)] = content
        lines.append(f"{name} 1.0 {len(content)} {hashlib.sha256(content).hexdigest()} {pool(name)}")
    lines += [f"snapshot {SNAPSHOT}", f"root {root_hash(world)}", ""]
    (locks / "image-debs.lock").write_text("\n".join(lines))
    (locks / "image-wheels.lock").write_text("")
    for group in ("local-aws", "nix"):
        (locks / f"{group}-debs.lock").write_text(f"root {'0' * 64}\n")
    return world


def add_wheel(world: World) -> None:
    """Pin a wheel, `tiny` 1.0, that pip finds in the folder `wheels`."""
    wheel = write_wheel(world.folder / "wheels", "tiny")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = world.folder / "locks/image-wheels.lock"
    lock.write_text(f"tiny==1.0 --hash=sha256:{digest}  # {wheel.stat().st_size} small\n")


def debian_package(name: str) -> bytes:
    """Return a Debian package of one file, `usr/share/NAME`, of about 16 kB."""
    members = {"debian-binary": b"2.0\n"}
    for member, path, content in (
        ("control.tar", "./control", f"Package: {name}\nVersion: 1.0\n".encode()),
        ("data.tar", f"./usr/share/{name}", f"the package {name}".encode() * 1000),
    ):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        members[member] = data.getvalue()
    headers = {name: f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n" for name, data in members.items()}
    return b"!<arch>\n" + b"".join(headers[name].encode() + data for name, data in members.items())


def root_hash(world: World) -> str:
    """Return the NAR hash of the root that the world's packages unpack to."""
    packages = world.folder / "packages"
    packages.mkdir()
    for name in PACKAGES:
        (packages / f"{name}.deb").write_bytes(world.served["/" + pool(name)])
    unpack_debs([packages / f"{name}.deb" for name in PACKAGES], packages / "root")
    return nar_hash(packages / "root")


def write_wheel(folder: Path, name: str, version: str = "1.0") -> Path:
    """Write a wheel that pip accepts."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


class Answers(BaseHTTPRequestHandler):
    """Answers as the world's tables say."""

    world: World

    def do_HEAD(self) -> None:
        """Note the question, and answer without content."""
        self.world.probed.append(self.path)
        with contextlib.suppress(ConnectionError):  # the client may hang up
            if self.world.refuses_head:
                self.send_error(405)
            else:
                self.answer()

    def do_GET(self) -> None:
        """Note the question, and answer it."""
        with self.world.lock:
            self.world.asked.append(self.path)
            self.world.authorizations.append(self.headers.get("Authorization"))
        content = self.answer()
        half = len(content) // 2
        with contextlib.suppress(ConnectionError):  # the client may stop reading
            self.wfile.write(content[:half])
            if self.path in self.world.halted:
                self.world.resume.wait()
            if self.path not in self.world.truncated:
                self.wfile.write(content[half:])

    def answer(self) -> bytes:
        """Send status and headers, and return the content."""
        if self.path in self.world.stalled:
            self.world.resume.wait()
        if self.world.drips:
            self.drip()
        content = self.world.served.get(self.path)
        if status := self.world.statuses.get(self.path) or (0 if content or self.path in self.world.redirects else 404):
            self.send_error(status)
            return b""
        self.send_response(307 if self.path in self.world.redirects else 200)
        if self.path in self.world.redirects:
            self.send_header("Location", self.world.redirects[self.path])
        self.send_header("Content-Length", self.world.length or str(len(content or b"")))
        self.end_headers()
        return content or b""

    def drip(self) -> None:
        """Send header lines, each in time for a timeout of reads."""
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            while not self.world.resume.wait(0.1):
                self.wfile.write(b"X-Wait: 1\r\n")
                self.world.dripped.set()

    def log_message(self, *words: object) -> None:
        """Print nothing."""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fail after two minutes."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def serve(world: World) -> ThreadingHTTPServer:
    """Start the server on a free loopback port."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Answers,), {"world": world}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def remove_packages(world: World) -> dict[str, bytes]:
    """Take all packages off the mirror and return them."""
    packages = {"/" + pool(name): world.served.pop("/" + pool(name)) for name in PACKAGES}
    world.asked.clear()
    return packages


def failure() -> str:
    """Fetch, and return the message of the problem."""
    with pytest.raises(InputProblem) as caught:
        inputs.fetch()
    return str(caught.value)
