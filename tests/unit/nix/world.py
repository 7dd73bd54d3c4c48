"""A little world of inputs: locks, a Debian mirror on loopback, and a folder that pip looks into."""

import hashlib
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PACKAGES = ("alpha", "beta", "gamma")


@dataclass
class World:
    """`asked` are the paths that the mirror was asked for; `served` what it has, by path.

    `redirects` lead from a path to another; `authorizations` are what came with each question.
    """

    folder: Path
    served: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    authorizations: list[str | None] = field(default_factory=list)
    truncated: bool = False
    address: str = ""

    @property
    def cached(self) -> list[str]:
        """The inputs in the cache, less their hashes."""
        found = (self.folder / "cache" / "inputs").glob("*")
        return sorted(path.name.rsplit("-", 1)[0] for path in found)


def pool(name: str) -> str:
    """Where a mirror has a package."""
    return f"pool/main/{name[0]}/{name}/{name}_1.0_all.deb"


def make(folder: Path) -> World:
    """Write locks and files; the mirror is not started."""
    world = World(folder)
    locks, wheels = folder / "locks", folder / "wheels"
    locks.mkdir()
    wheels.mkdir()
    lines = []
    for name in PACKAGES:
        content = f"the package {name}".encode() * 1000
        world.served["/" + pool(name)] = content
        lines.append(f"{name} 1.0 {len(content)} {hashlib.sha256(content).hexdigest()} {pool(name)}")
    (locks / "image-debs.lock").write_text("\n".join(lines) + f"\nroot {'0' * 64}\n")
    wheel = write_wheel(wheels, "tiny")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (locks / "image-wheels.lock").write_text(f"tiny==1.0 --hash=sha256:{digest}  # {wheel.stat().st_size} small\n")
    for group in ("local-aws", "nix"):
        (locks / f"{group}-debs.lock").write_text(f"root {'0' * 64}\n")
    return world


def write_wheel(folder: Path, name: str, version: str = "1.0") -> Path:
    """A wheel that pip takes."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def serve(world: World) -> ThreadingHTTPServer:
    """Start the mirror on a free loopback port."""

    class Mirror(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            world.asked.append(self.path)
            world.authorizations.append(self.headers.get("Authorization"))
            if self.path in world.redirects:
                self.send_response(307)
                self.send_header("Location", world.redirects[self.path])
                self.end_headers()
                return
            content = world.served.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if world.truncated else content)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    return server
