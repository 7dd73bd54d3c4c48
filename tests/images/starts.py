"""Recipes about the start: entry points, options of Python, scripts, and how layers merge."""

import struct
import tarfile
from typing import Any

from tests.images.recipe import ACCEPTED, CLIENT, DOCUMENTED, FAILS, HANDLER, OCI, PYTHON, REPORTED, SITES, Recipe
from tests.unit.oci.drafts import Entry, folder, link
from tests.unit.oci.elves import elf


def start(name: str, want: str, *words: str, **more: Any) -> Recipe:
    """Return an entry point; CMD is app.handler unless given."""
    return Recipe(name, want, start=words, **more)


def script(name: str, want: str, text: str, *words: str, **more: Any) -> Recipe:
    """Return an entry point that is a script."""
    entry = Entry("start", text.encode(), 0o755)
    return Recipe(
        name, want, entries=[entry], start=["/start", *words], needs_shell="sh" in text or "env" in text, **more
    )


CALL = "import sys\nsys.path.insert(0, '/var/task')\nfrom awslambdaric.__main__ import main\nmain(sys.argv)\n"
RIC = f"{PYTHON} -m awslambdaric"

STARTS = [
    start("all-in-entry-point", ACCEPTED, PYTHON, *CLIENT, "app.handler", command=()),
    start("all-in-cmd", ACCEPTED, command=(PYTHON, *CLIENT, "app.handler")),
    start("linked-python", ACCEPTED, "/usr/bin/python3", *CLIENT),
    start("unbuffered", ACCEPTED, PYTHON, "-u", *CLIENT),
    start("options", ACCEPTED, PYTHON, "-X", "dev", "-Wignore", "-OO", "-mawslambdaric"),
    start("isolated", FAILS, PYTHON, "-I", *CLIENT),
    start("safe-path", FAILS, PYTHON, "-P", *CLIENT),
    start("safe-path-variable", FAILS, PYTHON, *CLIENT, variables=["PYTHONSAFEPATH=1"]),
    start("without-site", FAILS, PYTHON, "-S", *CLIENT),
    start(
        "without-environment",
        FAILS,
        PYTHON,
        "-E",
        *CLIENT,
        files={"app.py": "", "lib/app.py": HANDLER},
        variables=["PYTHONPATH=/var/task/lib"],
    ),
    start("main-module", ACCEPTED, PYTHON, "-m", "awslambdaric.__main__"),
    start("other-module", FAILS, PYTHON, "-m", "awslambda"),
    start("python-home", FAILS, PYTHON, *CLIENT, variables=["PYTHONHOME=/opt/python"]),
    start("by-path-variable", ACCEPTED, "python3.11", *CLIENT),
    start("not-on-path", FAILS, "python4", *CLIENT, source=REPORTED),
    start("relative", ACCEPTED, "./start", *CLIENT, entries=[link("var/task/start", PYTHON)], source=DOCUMENTED),
    start(
        "script-of-python",
        ACCEPTED,
        PYTHON,
        f"/{SITES}/start.py",
        entries=[
            Entry(
                f"{SITES}/start.py",
                CALL.encode(),
            )
        ],
    ),
    start(
        "code-of-python",
        ACCEPTED,
        PYTHON,
        "-c",
        "import sys; from awslambdaric.__main__ import main; main(['', 'app.handler'])",
    ),
    start("handler-as-entry-point", FAILS, "app.handler", command=(), source=REPORTED),
    start("nothing", FAILS, command=(), source=DOCUMENTED),
    start("missing", FAILS, "/usr/bin/python3.12", *CLIENT, source=REPORTED),
    start("a-folder", FAILS, "/usr/bin", *CLIENT, source=REPORTED),
    start("not-executable", FAILS, "/var/task/app.py", source=REPORTED),
    start("text", FAILS, "/start", entries=[Entry("start", b"echo\n", 0o755)], source=REPORTED),
    start("for-another-machine", FAILS, "/start", entries=[Entry("start", elf(machine=183), 0o755)], source=REPORTED),
    start(
        "loader-missing",
        FAILS,
        "/start",
        entries=[Entry("start", elf(interpreter="/lib/ld-musl-x86_64.so.1"), 0o755)],
        source=REPORTED,
    ),
    start("working-folder-missing", FAILS, PYTHON, *CLIENT, folder="/srv", source=REPORTED),
    start("working-folder-relative", FAILS, PYTHON, *CLIENT, folder="var/task", source=REPORTED),
    start("working-folder-is-file", FAILS, PYTHON, *CLIENT, folder="/var/task/app.py", source=REPORTED),
    script(
        "python-script",
        ACCEPTED,
        f"#!{PYTHON}\n{CALL}",
    ),
    script("interpreter-missing", FAILS, "#!/usr/bin/nosuch\n", source=REPORTED),
    script("interpreter-with-cr", FAILS, f"#!{PYTHON}\r\nprint()\r\n", source=REPORTED),
    script("interpreter-with-option-and-cr", FAILS, f"#!{PYTHON} -u\r\nprint()\r\n", source=REPORTED),
    script(
        "interpreter-with-space",
        ACCEPTED,
        f"#! {PYTHON} -u\n{CALL}",
    ),
    script(
        "env",
        ACCEPTED,
        f"#!/usr/bin/env python3.11\n{CALL}",
    ),
    script("env-missing", FAILS, "#!/usr/bin/env nosuch\n"),
    script("env-with-words", FAILS, "#!/usr/bin/env python3.11 -u\n"),
    script("wrapper", ACCEPTED, f'#!/bin/sh\nexec {RIC} "$@"\n'),
    script(
        "wrapper-with-handler",
        ACCEPTED,
        f"#!/bin/sh\nset -eu\nexport TZ=UTC LOG=1\ncd /var/task\nexec {RIC} app.handler\n",
        command=(),
    ),
    script("wrapper-wrong-handler", FAILS, f'#!/bin/sh\nexec {RIC} "$@"\n', command=("nope.handler",)),
    script("wrapper-drops-cmd", FAILS, f"#!/bin/sh\nexec {RIC}\n"),
    script("wrapper-first-argument", ACCEPTED, f'#!/bin/sh\nexec {RIC} "$1"\n'),
    script("wrapper-variable", ACCEPTED, f'#!/bin/sh\nexec {RIC} "$HANDLER"\n', variables=["HANDLER=app.handler"]),
    script("wrapper-other-variable", FAILS, f"#!/bin/sh\nexec {RIC} $NOSUCH\n", variables=["HANDLER=app.handler"]),
    script("wrapper-no-exec", ACCEPTED, f'#!/bin/sh\n{RIC} "$@"\n'),
    script(
        "wrapper-if",
        ACCEPTED,
        f'#!/bin/sh\nif [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then\n  exit 3\nelse\n  exec {RIC} "$@"\nfi\n',
    ),
    script("wrapper-in-other-folder", FAILS, f'#!/bin/sh\ncd /usr\nexec {RIC} "$@"\n'),
    script("wrapper-missing-program", FAILS, '#!/bin/sh\nexec /usr/bin/python3.12 -m awslambdaric "$@"\n'),
    script("wrapper-with-cr", FAILS, f'#!/bin/sh\nset -e\r\nexec {RIC} "$@"\r\n'),
    script("wrapper-continued", ACCEPTED, f'#!/bin/sh\nexec {PYTHON} \\\n  -m awslambdaric "$@"\n'),
    start("exec-arguments", ACCEPTED, "/bin/sh", "-c", 'exec "$@"', "sh", PYTHON, *CLIENT, needs_shell=True),
    start("shell-form", FAILS, "/bin/sh", "-c", RIC, needs_shell=True),
    start("shell-form-with-handler", ACCEPTED, "/bin/sh", "-c", f"{RIC} app.handler", command=(), needs_shell=True),
    start("shell-form-quoted", ACCEPTED, "/bin/sh", "-c", f"exec {RIC} 'app.handler'", command=(), needs_shell=True),
    start("shell-form-wrong-handler", FAILS, "/bin/sh", "-c", f"{RIC} nope.handler", command=(), needs_shell=True),
    start("shell-form-with-zero", ACCEPTED, "/bin/sh", "-c", f'{RIC} "$0"', needs_shell=True),
    start(
        "shell-form-two-commands", ACCEPTED, "/bin/sh", "-c", f"true && {RIC} app.handler", command=(), needs_shell=True
    ),
    start("env-program", ACCEPTED, "/usr/bin/env", "TZ=UTC", PYTHON, *CLIENT, needs_shell=True),
    start("env-path", ACCEPTED, "/usr/bin/env", "python3.11", *CLIENT, needs_shell=True),
    start("env-ignoring", ACCEPTED, "/usr/bin/env", "-u", "TZ", PYTHON, *CLIENT, needs_shell=True),
]

VENV = [folder(path) for path in ("opt", "opt/venv", "opt/venv/bin", "opt/venv/lib", "opt/venv/lib/python3.11")]
VENV_SITES = "opt/venv/lib/python3.11/site-packages"


def environment(name: str, want: str, shared: str, *entries: Entry) -> Recipe:
    """Return a virtual environment in /opt/venv over the base's Python."""
    text = f"home = /usr/bin\ninclude-system-site-packages = {shared}\nversion = 3.11.2\n"
    program = link("opt/venv/bin/python", PYTHON)
    more = [*VENV, program, Entry("opt/venv/pyvenv.cfg", text.encode()), folder(VENV_SITES), *entries]
    return Recipe(name, want, entries=more, start=["/opt/venv/bin/python", *CLIENT])


ENVIRONMENTS = [
    environment("venv-with-system", ACCEPTED, "true"),
    environment("venv-without-client", FAILS, "false"),
    environment("venv-with-client", ACCEPTED, "false", Entry(f"{VENV_SITES}/x.pth", f"/{SITES}\n".encode())),
]

AWS_SCRIPT = Entry("lambda-entrypoint.sh", b'#!/bin/sh\nexec /var/runtime/bootstrap "$1"\n', 0o755)


def of_aws(name: str, want: str, *entries: Entry, files: dict[str, str] | None = None, **more: Any) -> Recipe:
    """Return an image like AWS's base images for Python, whose own files are not published for copying."""
    places = ("var", "var/lang", "var/lang/bin", "var/lang/lib", "var/lang/lib/python3.13", "var/runtime", "opt")
    python = [Entry("var/lang/bin/python3.13", elf(), 0o755), link("var/lang/bin/python3", "python3.13")]
    library = Entry("var/lang/lib/python3.13/os.py", b"#\n")
    top = [
        *map(folder, places[1:]),
        *python,
        library,
        AWS_SCRIPT,
        Entry("var/runtime/bootstrap", elf(), 0o755),
        folder("bin"),
        Entry("bin/sh", elf(), 0o755),
        *entries,
    ]
    start, source = ["/lambda-entrypoint.sh"], DOCUMENTED
    return Recipe(name, want, files or {}, top, start=start, source=source, **more)


OPT = [folder("opt/python"), folder("opt/python/lib"), folder("opt/python/lib/python3.13")]
OPT_SITES = "opt/python/lib/python3.13/site-packages"
AWS = [
    of_aws("aws-base", ACCEPTED),
    of_aws("aws-base-layer", ACCEPTED, *OPT[:1], Entry("opt/python/app.py", HANDLER.encode()), files={"app.py": ""}),
    of_aws(
        "aws-base-layer-packages",
        ACCEPTED,
        *OPT,
        folder(OPT_SITES),
        Entry(f"{OPT_SITES}/app.py", HANDLER.encode()),
        files={"app.py": ""},
    ),
    of_aws("aws-base-runtime-folder", ACCEPTED, Entry("var/runtime/app.py", HANDLER.encode()), files={"app.py": ""}),
    of_aws("aws-base-without-handler", FAILS, command=()),
    of_aws("aws-base-two-arguments", FAILS, command=("app.handler", "more")),
    of_aws("aws-base-newer-syntax", ACCEPTED, files={"app.py": "type A = int\n" + HANDLER}),
    of_aws("aws-base-newer-library", ACCEPTED, files={"app.py": "import compression.zstd\n" + HANDLER}),
]

FOO = elf(soname="libfoo.so")
EXTENSION = Entry("var/task/ext.so", elf(["libfoo.so"]) + b"\0PyInit_ext\0")


def cache(library: str, path: str) -> bytes:
    """Return an /etc/ld.so.cache of one entry, as glibc's dl-cache.h lays it out."""
    names = f"{library}\0{path}\0".encode()
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", 1, len(names)) + bytes(20)
    return head + struct.pack("<iIIIQ", 0x0303, 72, 72 + len(library) + 1, 0, 0) + names


def library(name: str, want: str, *entries: Entry, source: str = "ld.so(8)", **more: Any) -> Recipe:
    """Return an extension module beside the handler, which nothing imports, that needs libfoo.so."""
    return Recipe(name, want, entries=[EXTENSION, *entries], source=source, **more)


LIBRARIES = [
    library("library-missing", FAILS),
    library("library-of-system", ACCEPTED, folder("usr"), folder("usr/lib"), Entry("usr/lib/libfoo.so", FOO)),
    library("library-not-in-cache", FAILS, *VENV[:1], Entry("opt/libfoo.so", FOO)),
    library(
        "library-in-cache",
        ACCEPTED,
        *VENV[:1],
        Entry("opt/libfoo.so", FOO),
        folder("etc"),
        Entry("etc/ld.so.cache", cache("libfoo.so", "/opt/libfoo.so")),
    ),
    library("library-by-variable", ACCEPTED, Entry("var/task/libfoo.so", FOO), variables=["LD_LIBRARY_PATH=/var/task"]),
    library("library-of-another-machine", FAILS, folder("usr"), Entry("usr/libfoo.so", elf(machine=183))),
]

USR = [folder("usr"), folder("usr/local"), folder("usr/local/lib"), folder("usr/local/lib/python3.11"), folder(SITES)]
VAR = [folder("var"), folder("var/task")]


def merge_layer(name: str, want: str, *later: Entry, **more: Any) -> Recipe:
    """Return an image with one more layer."""
    return Recipe(name, want, later=later, **more)


LAYERS = [
    merge_layer("client-removed", FAILS, *USR, Entry(f"{SITES}/.wh.awslambdaric", mode=0)),
    merge_layer("client-needs-removed", FAILS, *USR, Entry(f"{SITES}/.wh.simplejson", mode=0)),
    merge_layer(
        "client-main-removed",
        FAILS,
        *USR,
        folder(f"{SITES}/awslambdaric"),
        Entry(f"{SITES}/awslambdaric/.wh.__main__.py", mode=0),
    ),
    merge_layer(
        "client-extension-removed",
        FAILS,
        *USR,
        Entry(f"{SITES}/.wh.runtime_client.cpython-311-x86_64-linux-gnu.so", mode=0),
    ),
    merge_layer("python-removed", FAILS, folder("usr"), folder("usr/bin"), Entry("usr/bin/.wh.python3.11", mode=0)),
    merge_layer(
        "client-of-another-python",
        FAILS,
        *USR,
        Entry(f"{SITES}/.wh.awslambdaric", mode=0),
        folder("usr/local/lib/python3.12"),
        folder("usr/local/lib/python3.12/dist-packages"),
        folder("usr/local/lib/python3.12/dist-packages/awslambdaric"),
        Entry("usr/local/lib/python3.12/dist-packages/awslambdaric/__main__.py", b"#\n"),
    ),
    merge_layer("file-removed", ACCEPTED, *VAR, Entry("var/task/.wh.old.py", mode=0), files={"old.py": "1"}),
    merge_layer("handler-removed", FAILS, *VAR, Entry("var/task/.wh.app.py", mode=0)),
    merge_layer(
        "handler-removed-and-copied",
        ACCEPTED,
        *VAR,
        Entry("var/task/.wh.app.py", mode=0),
        Entry("var/task/app.py", HANDLER.encode()),
    ),
    merge_layer("opaque", FAILS, *VAR, Entry("var/task/.wh..wh..opq", mode=0)),
    merge_layer(
        "opaque-and-copied",
        ACCEPTED,
        *VAR,
        Entry("var/task/.wh..wh..opq", mode=0),
        Entry("var/task/app.py", HANDLER.encode()),
    ),
    merge_layer("folder-removed", FAILS, folder("var"), Entry("var/.wh.task", mode=0), source=OCI),
    merge_layer("copied-over", FAILS, *VAR, Entry("var/task/app.py", b"other = 1\n")),
    merge_layer(
        "file-over-folder",
        FAILS,
        *VAR,
        Entry("var/task/lib", b"1"),
        files={"app.py": "import lib.work\n" + HANDLER, "lib/__init__.py": "#\n", "lib/work.py": "#\n"},
    ),
    merge_layer(
        "folder-over-file",
        ACCEPTED,
        *VAR,
        folder("var/task/lib"),
        Entry("var/task/lib/work.py", b"#\n"),
        files={"app.py": "import lib.work\n" + HANDLER, "lib": "1"},
    ),
    merge_layer(
        "link-over-folder",
        FAILS,
        *VAR,
        link("var/task/lib", "/srv"),
        files={"app.py": "import lib.work\n" + HANDLER, "lib/work.py": "#\n"},
    ),
    merge_layer("folder-over-link", FAILS, folder("lib64"), Entry("lib64/extra", b"1")),
    merge_layer("implied-folder-over-link", FAILS, Entry("lib64/extra", b"1")),
    merge_layer(
        "two-halves",
        ACCEPTED,
        *VAR,
        folder("var/task/lib"),
        Entry("var/task/lib/b.py", b"#\n"),
        files={"app.py": "from lib import a, b\n" + HANDLER, "lib/a.py": "#\n"},
    ),
    merge_layer(
        "hard-link-below",
        ACCEPTED,
        *VAR,
        Entry("var/task/app.py", HANDLER.encode()),
        Entry("var/task/main.py", kind=tarfile.LNKTYPE, target="var/task/app.py"),
    ),
    merge_layer(
        "mounts", ACCEPTED, folder("etc"), link("etc/mtab", "../proc/self/mounts"), link("etc/out", "/dev/stdout")
    ),
    merge_layer("dangling", ACCEPTED, *VAR, link("var/task/nowhere", "../missing")),
    merge_layer(
        "dot-names",
        ACCEPTED,
        folder("./"),
        folder("./var/"),
        folder("./var/task/"),
        Entry("./var/task/more.py", b"#\n"),
    ),
    merge_layer("long-name", ACCEPTED, *VAR, Entry("var/task/" + "n" * 200 + ".py", b"#\n")),
    merge_layer("private-handler", FAILS, *VAR, Entry("var/task/app.py", HANDLER.encode(), 0o600), source=DOCUMENTED),
    merge_layer("private-folder", FAILS, folder("var"), folder("var/task", 0o700), source=DOCUMENTED),
    merge_layer("setuid", ACCEPTED, *VAR, Entry("var/task/tool", elf(), 0o4755)),
]
