"""Recipes as people start Lambda images: init programs, archives, extensions, other languages and AWS's other bases.

Each was written with what Lambda does with it, and why, before the linter had seen it.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from tests.images.handlers import compile_source
from tests.images.installed import folders
from tests.images.recipe import (
    ACCEPTED,
    CLIENT,
    DOCUMENTED,
    FAILS,
    HANDLER,
    LABS,
    MANUALS,
    PYTHON,
    REPORTED,
    SITES,
    Recipe,
)
from tests.images.starts import CALL, RIC
from tests.unit.oci.drafts import Entry, folder, link
from tests.unit.oci.elves import ARM64, elf


def zip_app(files: dict[str, bytes]) -> bytes:
    """Return an archive that Python runs, as zipapp, shiv and pex write it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return f"#!{PYTHON}\n".encode() + buffer.getvalue()


def start(name: str, want: str, words: Sequence[str], *entries: Entry, **more: Any) -> Recipe:
    """Return an image that starts with `words`."""
    return Recipe(name, want, more.pop("files", {}), entries, start=words, **more)


def on_lambda(test: str, then: str, otherwise: str) -> Entry:
    """Return the script that starts one program on Lambda, where the variable is set, and another one elsewhere."""
    condition = f'if [ -{test} "${{AWS_LAMBDA_RUNTIME_API}}" ]; then'
    text = f'#!/bin/sh\n{condition}\n  exec {then} "$@"\nelse\n  exec {otherwise} "$@"\nfi\n'
    return Entry("start", text.encode(), 0o755)


ON_LAMBDA = on_lambda("n", RIC, f"/usr/bin/aws-lambda-rie {RIC}")
ELSEWHERE = on_lambda("z", f"/usr/bin/aws-lambda-rie {RIC}", RIC)
ZIP_APP = Entry("app.pyz", zip_app({"__main__.py": CALL.encode()}), 0o755)
LAUNCHER = "import sys\nfrom awslambdaric.__main__ import main\nmain(sys.argv)\n"
DATADOG = "import importlib, os\nhandler = importlib.import_module(os.environ['REAL_HANDLER']).handler\n"
RIE = Entry("usr/bin/aws-lambda-rie", elf(), 0o755)
TINI = [Entry("usr/bin/tini", elf(), 0o755)]

STARTERS = [
    # distroless: ENTRYPOINT is Python alone, and CMD has the rest.
    start("distroless", ACCEPTED, [PYTHON], command=[*CLIENT, "app.handler"]),
    # CMD in shell form on an image without a shell.
    start("distroless-shell-form", FAILS, ["/bin/sh", "-c", f"{RIC} app.handler"], command=()),
    # CMD ['app.handler']: single quotes are no JSON, so that Docker takes the line as shell form.
    start("command-in-single-quotes", FAILS, [PYTHON, *CLIENT], command=["/bin/sh", "-c", "['app.handler']"]),
    # A space that a template left behind.
    start("command-with-space", FAILS, [PYTHON, *CLIENT], command=["app.handler "]),
    # sh reads a script that nobody may execute.
    start(
        "script-by-shell",
        ACCEPTED,
        ["/bin/sh", "/start.sh"],
        Entry("start.sh", f'#!/bin/sh\nexec {RIC} "$@"\n'.encode()),
        needs_shell=True,
    ),
    # AWS's documented script: the emulator on a developer's machine, the client on Lambda.
    start(
        "emulator-or-not",
        ACCEPTED,
        ["/start"],
        RIE,
        ELSEWHERE,
        needs_shell=True,
    ),
    # The same the other way round, and with a handler that does not exist.
    start("on-lambda-or-not", ACCEPTED, ["/start"], RIE, ON_LAMBDA, needs_shell=True),
    start(
        "on-lambda-wrong-handler",
        FAILS,
        ["/start"],
        ON_LAMBDA,
        files={"app.py": ""},
        needs_shell=True,
    ),
    # The emulator always: it serves a Runtime API of its own, and nothing asks Lambda's for an invocation.
    start("emulator-always", FAILS, ["/usr/bin/aws-lambda-rie", PYTHON, *CLIENT], RIE, source=LABS),
    start("zip-app", ACCEPTED, ["/app.pyz"], ZIP_APP),
    start("zip-app-by-python", ACCEPTED, [PYTHON, "/app.pyz"], ZIP_APP),
    # A module of the function's own that runs the client, as debugpy, coverage or a tracer do.
    start("launcher-module", ACCEPTED, [PYTHON, "-m", "launcher"], files={"launcher.py": LAUNCHER}),
    # A monitoring vendor's handler, which loads the real one that a variable names.
    start(
        "wrapping-handler",
        ACCEPTED,
        [PYTHON, *CLIENT],
        folder(f"{SITES}/monitor"),
        Entry(f"{SITES}/monitor/handler.py", DATADOG.encode()),
        command=["monitor.handler.handler"],
        variables=["REAL_HANDLER=app"],
    ),
    # An init program in front, as Docker's own advice has it.
    start("init-program", ACCEPTED, ["/usr/bin/tini", "--", PYTHON, *CLIENT], *TINI, source=MANUALS),
    start(
        "init-program-with-option",
        ACCEPTED,
        ["/usr/bin/dumb-init", "-c", PYTHON, *CLIENT],
        Entry("usr/bin/dumb-init", elf(), 0o755),
        source=MANUALS,
    ),
    start(
        "init-program-wrong-handler",
        FAILS,
        ["/usr/bin/tini", "--", PYTHON, *CLIENT],
        *TINI,
        files={"app.py": ""},
        source=MANUALS,
    ),
    # A web server alone answers HTTP, and never asks for an invocation.
    start("web-server-alone", FAILS, [PYTHON, "-m", "http.server", "8080"], command=(), source=DOCUMENTED),
    start(
        "web-server-script",
        FAILS,
        ["/usr/local/bin/uvicorn"],
        *folders("usr/local/bin"),
        Entry("usr/local/bin/uvicorn", f"#!{PYTHON}\nimport uvicorn\n".encode(), 0o755),
        command=["web:app"],
        source=DOCUMENTED,
    ),
    # A handler compiled by Cython: a module of the C API.
    start("handler-in-extension", ACCEPTED, [PYTHON, *CLIENT], command=["_queue.SimpleQueue"]),
    # A C library of the same name as the handler: no module.
    start("library-as-handler", FAILS, [PYTHON, *CLIENT], files={"app.py": "", "app.so": elf()}),
    start(
        "handler-below-dashes",
        ACCEPTED,
        [PYTHON, *CLIENT],
        files={"my-shop/app.py": HANDLER},
        command=["my-shop/app.handler"],
    ),
    # Bytecode of the image's Python and no source: python -m compileall -b, sources removed.
    start(
        "package-of-bytecode",
        ACCEPTED,
        [PYTHON, *CLIENT],
        files={"shop/__init__.pyc": compile_source(""), "shop/app.pyc": compile_source(HANDLER)},
        command=["shop.app.handler"],
    ),
]


def extension(name: str, want: str, *entries: Entry, source: str = REPORTED, **more: Any) -> Recipe:
    """Return an image with entries in /opt/extensions."""
    return Recipe(name, want, entries=[*folders("opt/extensions"), *entries], source=source, **more)


ADAPTER = Entry("opt/extensions/lambda-adapter", elf(), 0o755)
WEB = {"web.py": "print('a web server')\n"}

EXTENSIONS = [
    extension("extension", ACCEPTED, Entry("opt/extensions/collector", elf(), 0o755), source=DOCUMENTED),
    # Lambda starts every file there: fork/exec: permission denied.
    extension("extension-not-executable", FAILS, Entry("opt/extensions/collector", elf())),
    extension("extension-for-arm64", FAILS, Entry("opt/extensions/collector", elf(machine=ARM64), 0o755)),
    extension(
        "extension-with-cr", FAILS, Entry("opt/extensions/collector", f"#!{PYTHON}\r\nprint()\r\n".encode(), 0o755)
    ),
    extension("extension-without-interpreter", FAILS, Entry("opt/extensions/collector", b"#!/usr/bin/ruby\n", 0o755)),
    # A note that git needs to keep the directory.
    extension("extension-keep-file", FAILS, Entry("opt/extensions/.gitkeep"), source=LABS),
    # A directory there is left alone: extensions keep their own files in one.
    extension(
        "extension-folder", ACCEPTED, *folders("opt/extensions/lib"), Entry("opt/extensions/lib/a.py"), source=LABS
    ),
    # AWS Labs' adapter asks for invocations, and forwards them to any web server.
    extension("web-adapter", ACCEPTED, ADAPTER, files=WEB, start=[PYTHON, "-m", "web"], command=(), source=LABS),
    extension(
        "web-adapter-missing-module", FAILS, ADAPTER, start=[PYTHON, "-m", "uvicorn"], command=("web:app",), source=LABS
    ),
]

NODE = Entry("var/lang/bin/node", elf(), 0o755)
BOOTSTRAP = Entry("var/runtime/bootstrap", elf(), 0o755)
# What AWS's images have as their entry point, in short: the handler to the environment, then the bootstrap.
ENTRY = Entry(
    "lambda-entrypoint.sh",
    b'#!/bin/sh\nif [ $# -eq 0 ]; then exit 142; fi\nexport _HANDLER="$1"\nexec /var/runtime/bootstrap\n',
    0o755,
)
SHELL = [*folders("bin"), Entry("bin/sh", elf(), 0o755)]


def other_language(name: str, want: str, words: Sequence[str], *entries: Entry, **more: Any) -> Recipe:
    """Return an image whose function is not Python."""
    return Recipe(
        name,
        want,
        more.pop("files", {"app.py": ""}),
        entries,
        start=words,
        source=more.pop("source", DOCUMENTED),
        **more,
    )


def of_aws(name: str, want: str, *entries: Entry, **more: Any) -> Recipe:
    """Return an image like AWS's for custom runtimes and for Node.js."""
    top = [*folders("var/lang/bin", "var/runtime"), ENTRY, *SHELL, *entries]
    return other_language(name, want, ["/lambda-entrypoint.sh"], *top, command=["index.handler"], **more)


LANGUAGES = [
    other_language("go", ACCEPTED, ["/main"], Entry("main", elf(), 0o755), command=()),
    other_language("go-in-working-folder", ACCEPTED, ["./main"], Entry("var/task/main", elf(), 0o755), command=()),
    # Built with cgo where the C library was newer.
    other_language(
        "go-of-newer-system",
        FAILS,
        ["/main"],
        Entry("main", elf(["libc.so.6"], requires=[("libc.so.6", "GLIBC_2.99")]), 0o755),
        command=(),
        source="ld.so(8)",
    ),
    # Alpine's loader and library beside a program that needs them.
    other_language(
        "alpine",
        ACCEPTED,
        ["/main"],
        Entry("main", elf(["libc.musl-x86_64.so.1"], interpreter="/lib/ld-musl-x86_64.so.1"), 0o755),
        Entry("lib/ld-musl-x86_64.so.1", elf(soname="libc.musl-x86_64.so.1"), 0o755),
        link("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1"),
        command=(),
        source=MANUALS,
    ),
    of_aws("provided", ACCEPTED, BOOTSTRAP, files={"index.sh": "#\n"}),
    of_aws("provided-script", ACCEPTED, Entry("var/runtime/bootstrap", b"#!/bin/sh\nwhile true; do :; done\n", 0o755)),
    # COPY from Windows or a zip file lost the bit.
    of_aws("provided-not-executable", FAILS, Entry("var/runtime/bootstrap", b"#!/bin/sh\n"), source=REPORTED),
    of_aws("provided-without-bootstrap", FAILS, source=REPORTED),
    of_aws("aws-node", ACCEPTED, BOOTSTRAP, NODE, files={"index.js": "exports.handler = async () => 1\n"}),
    # Node's own client by npx, which is a script of Node.
    other_language(
        "node-client",
        ACCEPTED,
        ["/usr/local/bin/npx", "aws-lambda-ric"],
        *folders("usr/local/bin"),
        Entry("usr/local/bin/npx", b"#!/usr/bin/env node\n", 0o755),
        Entry("usr/local/bin/node", elf(), 0o755),
        command=["index.handler"],
        needs_shell=True,
    ),
    # The same, and the stage with Node itself was forgotten.
    other_language(
        "node-missing",
        FAILS,
        ["/usr/local/bin/npx", "aws-lambda-ric"],
        *folders("usr/local/bin"),
        Entry("usr/local/bin/npx", b"#!/usr/bin/env node\n", 0o755),
        command=["index.handler"],
        needs_shell=True,
        source=REPORTED,
    ),
    of_aws("exec-wrapper-missing", FAILS, BOOTSTRAP, variables=["AWS_LAMBDA_EXEC_WRAPPER=/opt/trace"], source=REPORTED),
    of_aws(
        "exec-wrapper",
        ACCEPTED,
        BOOTSTRAP,
        *folders("opt"),
        Entry("opt/trace", b'#!/bin/sh\nexec "$@"\n', 0o755),
        variables=["AWS_LAMBDA_EXEC_WRAPPER=/opt/trace"],
    ),
]
