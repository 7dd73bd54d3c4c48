"""Recipes as people fill Lambda images: package managers' environments, wheels, namespaces, and odd files.

Each was written with what Lambda does with it, and why, before the linter had seen it.
"""

from typing import Any

from tests.images.recipe import (
    ACCEPTED,
    CLIENT,
    DOCUMENTED,
    FAILS,
    HANDLER,
    OCI,
    PYTHON,
    REPORTED,
    SITES,
    Recipe,
)
from tests.images.starts import VAR
from tests.unit.oci.drafts import Entry, folder, link
from tests.unit.oci.elves import ARM64, elf

CLIENTS = ("awslambdaric", "simplejson", "snapshot_restore_py.py", "runtime_client.cpython-311-x86_64-linux-gnu.so")


def folders(*paths: str) -> list[Entry]:
    """Return every folder that leads to these paths, parents first."""
    steps = ("/".join(path.split("/")[: depth + 1]) for path in paths for depth in range(path.count("/") + 1))
    return [folder(step) for step in dict.fromkeys(steps)]


def environment(name: str, want: str, *entries: Entry, packages: str = f"/{SITES}", **more: Any) -> Recipe:
    """Return an environment in /app/.venv whose runtime client is linked from `packages`, as uv's link mode does it."""
    sites = "app/.venv/lib/python3.11/site-packages"
    text = b"home = /usr/bin\ninclude-system-site-packages = false\n"
    links = [link(f"{sites}/{name}", f"{packages}/{name}") for name in CLIENTS]
    top = [*folders("app/.venv/bin", sites), link("app/.venv/bin/python", PYTHON), *links]
    program = more.pop("start", ["/app/.venv/bin/python", *CLIENT])
    more.setdefault("files", {"app.py": ""})
    return Recipe(name, want, entries=[*top, Entry("app/.venv/pyvenv.cfg", text), *entries], start=program, **more)


def in_sites(name: str, text: str) -> Entry:
    """Return a file of the environment's site-packages."""
    return Entry(f"app/.venv/lib/python3.11/site-packages/{name}", text.encode())


SOURCE = [*folders("app/src"), Entry("app/src/app.py", HANDLER.encode())]
FINDER = "import sys\n\ndef install():\n    sys.path.append('/app/src')\n"
EDITABLE = [
    in_sites("__editable___shop_0_1_finder.py", FINDER),
    in_sites(
        "__editable__.shop-0.1.pth", "import __editable___shop_0_1_finder; __editable___shop_0_1_finder.install()\n"
    ),
]
# A tool's own start script, which `uv` and `pip` write with the path of the environment that they install into.
MOVED = Entry("app/.venv/bin/serve", b"#!/build/.venv/bin/python\nfrom awslambdaric.__main__ import main\n", 0o755)
ROOT_PYTHON = [folder("root", 0o700), folder("root/uv"), folder("root/uv/bin"), link("root/uv/bin/python3.11", PYTHON)]

MANAGERS = [
    # uv sync --no-editable, and link-mode = "symlink" with a cache that stays in the image.
    environment("uv-links", ACCEPTED, files={}),
    # The same with the cache on a mount that exists during the build only: every link dangles.
    environment("uv-links-to-cache-mount", FAILS, packages="/var/cache/uv/archive-v0/a", files={}),
    # uv and hatchling: an editable project is a .pth of one line.
    environment("uv-editable", ACCEPTED, *SOURCE, in_sites("_editable_impl_shop.pth", "/app/src\n")),
    # setuptools: an editable project is a finder that a .pth installs.
    environment("setuptools-editable", ACCEPTED, *SOURCE, *EDITABLE),
    # Poetry's environment copied from the build stage without the project that its .pth names.
    environment("poetry-project-left-behind", FAILS, in_sites("shop.pth", "/build/src\n")),
    # The environment was copied to another path, which its scripts do not know.
    environment("moved-environment", FAILS, MOVED, start=["/app/.venv/bin/serve"], files={}, source=REPORTED),
    # pip install --target for a directory beside the code, named by PYTHONPATH.
    Recipe(
        "pip-target",
        ACCEPTED,
        {"app.py": f"import shop.prices\n{HANDLER}", "vendor/shop/__init__.py": "#\n", "vendor/shop/prices.py": "#\n"},
        variables=["PYTHONPATH=/var/task/vendor"],
    ),
    # ENV PYTHONPATH=$PYTHONPATH:/app/src with nothing before the colon.
    Recipe("path-with-empty-part", ACCEPTED, {"app.py": ""}, SOURCE, variables=["PYTHONPATH=:/app/src"]),
    # A Lambda layer's files copied to /opt, where only AWS's base images look.
    Recipe(
        "layer-in-opt",
        FAILS,
        {"app.py": f"import shop\n{HANDLER}"},
        [*folders("opt/python"), Entry("opt/python/shop.py")],
    ),
    # uv's own Python below /root, where Lambda's user may not look.
    Recipe(
        "python-below-root", FAILS, entries=ROOT_PYTHON, start=["/root/uv/bin/python3.11", *CLIENT], source=REPORTED
    ),
    # The same behind an environment's link.
    environment(
        "environment-of-python-below-root",
        FAILS,
        *ROOT_PYTHON,
        link("app/.venv/bin/python3", "/root/uv/bin/python3.11"),
        start=["/app/.venv/bin/python3", *CLIENT],
        files={},
        source=REPORTED,
    ),
    # The build stage was arm64: pip chose wheels of the builder's machine.
    Recipe(
        "wheel-for-arm64",
        FAILS,
        {
            "app.py": f"import fast\n{HANDLER}",
            "fast/__init__.py": "from fast import _core\n",
            "fast/_core.cpython-311-aarch64-linux-gnu.so": elf(machine=ARM64),
        },
    ),
    # auditwheel: the wheel's own libraries are beside the package, found by RPATH.
    Recipe(
        "wheel-with-libraries",
        ACCEPTED,
        {
            "fast/core.so": elf(["libq-1.so"], rpath="$ORIGIN/../fast.libs"),
            "fast.libs/libq-1.so": elf(soname="libq-1.so"),
        },
        source="ld.so(8)",
    ),
    # COPY of the package without the directory of its libraries.
    Recipe(
        "wheel-without-libraries",
        FAILS,
        {"fast/core.so": elf(["libq-1.so"], rpath="$ORIGIN/../fast.libs") + b"\0PyInit_core\0"},
        source="ld.so(8)",
    ),
    # One namespace, half of it installed and half of it ours.
    Recipe(
        "namespace-of-two-halves",
        ACCEPTED,
        {"acme/shop/app.py": f"import acme.prices\n{HANDLER}"},
        [folder(f"{SITES}/acme"), Entry(f"{SITES}/acme/prices.py")],
        command=["acme.shop.app.handler"],
    ),
    # The same with an __init__.py in our half, which ends the namespace.
    Recipe(
        "namespace-with-init",
        FAILS,
        {"acme/__init__.py": "#\n", "acme/shop/app.py": f"import acme.prices\n{HANDLER}"},
        [folder(f"{SITES}/acme"), Entry(f"{SITES}/acme/prices.py")],
        command=["acme.shop.app.handler"],
    ),
    # pkgutil's older way: our __init__.py adds the other half itself.
    Recipe(
        "namespace-by-pkgutil",
        ACCEPTED,
        {
            "acme/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
            "acme/shop.py": f"import acme.prices\n{HANDLER}",
        },
        [folder(f"{SITES}/acme"), Entry(f"{SITES}/acme/__init__.py"), Entry(f"{SITES}/acme/prices.py")],
        command=["acme.shop.handler"],
    ),
]

PRIVATE = [*VAR, Entry("var/task/secret.py", b"#\n", 0o600), folder("var/task/closed", 0o700)]

FILES = [
    Recipe(
        "read-only",
        ACCEPTED,
        {"app.py": ""},
        later=[folder("var"), folder("var/task", 0o555), Entry("var/task/app.py", HANDLER.encode(), 0o444)],
    ),
    Recipe("name-in-latin-1", ACCEPTED, entries=[Entry("var/task/caf\udce9.txt", b"1")]),
    # Releases beside one another, and a link to the current one.
    Recipe(
        "current-release",
        ACCEPTED,
        {"app.py": "", "releases/42/app.py": HANDLER},
        [link("var/task/current", "releases/42")],
        folder="/var/task/current",
    ),
    # An opaque marker hides what is below its layer, wherever in the layer it is.
    Recipe(
        "opaque-after-files",
        ACCEPTED,
        later=[*VAR, Entry("var/task/app.py", HANDLER.encode()), Entry("var/task/.wh..wh..opq", mode=0)],
    ),
    # RUN rm -rf of the packages' directory, then nothing.
    Recipe("opaque-packages", FAILS, later=[*folders(SITES), Entry(f"{SITES}/.wh..wh..opq", mode=0)]),
    # A whiteout in the layer that adds the file does not hide it: it is for lower layers.
    Recipe(
        "whiteout-after-file",
        ACCEPTED,
        later=[*VAR, Entry("var/task/app.py", HANDLER.encode()), Entry("var/task/.wh.app.py", mode=0)],
        source=OCI,
    ),
    # COPY of private files, then RUN chmod: the later layer has the modes that count.
    Recipe(
        "modes-mended-later",
        ACCEPTED,
        entries=PRIVATE[2:],
        later=[*VAR, Entry("var/task/secret.py", b"#\n"), folder("var/task/closed")],
    ),
    Recipe(
        "private-file-removed-later",
        ACCEPTED,
        entries=PRIVATE[2:],
        later=[*VAR, Entry("var/task/.wh.secret.py", mode=0), Entry("var/task/.wh.closed", mode=0)],
    ),
    # adduser makes /home/app for its owner alone, and Lambda's user is another.
    Recipe(
        "working-folder-of-a-user",
        FAILS,
        {"app.py": ""},
        [folder("home"), folder("home/app", 0o700), Entry("home/app/app.py", HANDLER.encode())],
        folder="/home/app",
        source=DOCUMENTED,
    ),
    Recipe(
        "module-path-below-root",
        FAILS,
        {"app.py": ""},
        [folder("root", 0o700), folder("root/app"), Entry("root/app/app.py", HANDLER.encode())],
        variables=["PYTHONPATH=/root/app"],
        source=DOCUMENTED,
    ),
    # Packages that bring a build for every platform, and choose when they are loaded.
    Recipe("build-for-arm64-beside", ACCEPTED, {"node_modules/zip/prebuilds/linux-arm64/zip.node": elf(machine=ARM64)}),
    Recipe(
        "build-for-musl-beside", ACCEPTED, {"node_modules/swc-linux-x64-musl/swc.node": elf(["libc.musl-x86_64.so.1"])}
    ),
    Recipe("build-for-32-bits-beside", ACCEPTED, {"debugger/attach_linux_x86.so": elf(machine=3)}),
    Recipe(
        "program-for-musl-beside",
        ACCEPTED,
        {"node_modules/esbuild-musl/bin/esbuild": elf(interpreter="/lib/ld-musl-x86_64.so.1")},
    ),
    # A file that a parser's tests read.
    Recipe("truncated-fixture", ACCEPTED, {"tests/data/truncated.elf": elf()[:100]}),
]
