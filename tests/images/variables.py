"""Recipes about variables of Python and the loader, search paths that modules change, and files that nobody needs.

Each was written with what Lambda does with it, and why, before the linter had seen it.
"""

import tarfile
from typing import Any

from tests.images.installed import folders
from tests.images.programs import BOOTSTRAP, of_aws, zip_app
from tests.images.recipe import (
    ACCEPTED,
    CLIENT,
    DOCUMENTED,
    FAILS,
    HANDLER,
    MANUALS,
    OCI,
    PYTHON,
    REFUSED,
    REPORTED,
    RUN,
    SITES,
    UNDOCUMENTED,
    Recipe,
)
from tests.images.starts import of_aws as of_aws_python
from tests.unit.oci.drafts import Entry, folder, link
from tests.unit.oci.elves import elf

VAR = [folder("var"), folder("var/task")]
BPF, CUDA, AMDGPU = 247, 190, 224  # machines of ELF files that no processor runs
PRELOADED = [*folders("opt/lib"), Entry("opt/lib/pre.so", elf(["libfoo.so"]))]


def variable(want: str, *variables: str, **more: Any) -> Recipe:
    """Return an image that sets variables; the first one is its name."""
    return Recipe(f"variable-{variables[0]}", want, variables=variables, **more)


VARIABLES = [
    # The folder in PYTHONHOME is the prefix itself: nothing above it is searched.
    variable(FAILS, "PYTHONHOME=/usr/bin"),
    variable(ACCEPTED, "PYTHONHOME=/usr"),
    variable(ACCEPTED, "PYTHONHOME=/usr:/usr"),
    variable(ACCEPTED, "PYTHONHOME=/nowhere", start=(PYTHON, "-E", *CLIENT)),
    variable(FAILS, "PYTHONHASHSEED=fixed"),
    variable(FAILS, "PYTHONHASHSEED=4294967296"),
    variable(ACCEPTED, "PYTHONHASHSEED=0", "PYTHONUTF8=1", "PYTHONMALLOC=malloc", "PYTHONTRACEMALLOC=5"),
    variable(ACCEPTED, "PYTHONHASHSEED=none", start=(PYTHON, "-E", *CLIENT)),
    variable(FAILS, "PYTHONUTF8=yes"),
    variable(FAILS, "PYTHONMALLOC=jemalloc"),
    variable(FAILS, "PYTHONTRACEMALLOC=on"),
    variable(FAILS, "PYTHONINTMAXSTRDIGITS=5"),
    variable(FAILS, "PYTHONIOENCODING=utf-9"),
    variable(FAILS, "PYTHONIOENCODING=hex"),
    variable(ACCEPTED, "PYTHONIOENCODING=UTF8:replace", "PYTHONOPTIMIZE=x", "PYTHONPATH=::"),
    # Names that Lambda's API would refuse in a function's own variables; execve takes any.
    variable(ACCEPTED, "MY-KEY.x=1", "1A=2"),
    # Only the bootstraps of AWS's images read it.
    variable(ACCEPTED, "AWS_LAMBDA_EXEC_WRAPPER=/opt/none"),
    # The loader reports a preloaded library that is missing, and goes on; one whose own library is missing ends it.
    variable(ACCEPTED, "LD_PRELOAD=/opt/lib/none.so"),
    variable(FAILS, "LD_PRELOAD=/opt/lib/pre.so", entries=PRELOADED, source="ld.so(8)"),
    Recipe("working-folder-is-a-variable", FAILS, folder="${LAMBDA_TASK_ROOT}", source=REPORTED),
    Recipe("working-folder-absent", ACCEPTED, {"app.py": ""}, folder="", entries=[Entry("app.py", HANDLER.encode())]),
    Recipe("user-absent", ACCEPTED, edit=lambda draft: draft.settings.update(User="no:no"), source=DOCUMENTED),
    Recipe(
        "env-with-half-a-quote",
        FAILS,
        start=["/start"],
        entries=[Entry("start", b'#!/usr/bin/env -S python3.11 "-u\n', 0o755)],
        needs_shell=True,
    ),
]


def wrapper(name: str, want: str, script: bytes, source: str = DOCUMENTED) -> list[Recipe]:
    """Return AWS's images for Python and for Node.js with a program in AWS_LAMBDA_EXEC_WRAPPER."""
    files = (*folders("opt"), Entry("opt/trace", script, 0o755))
    more: dict[str, Any] = {"variables": ["AWS_LAMBDA_EXEC_WRAPPER=/opt/trace"]}
    aws_python = of_aws_python(f"{name}-of-python", want, *files, **more)
    return [aws_python, of_aws(name, want, BOOTSTRAP, *files, source=source, **more)]


WRAPPERS = [
    *wrapper("exec-wrapper-of-ruby", FAILS, b"#!/usr/bin/ruby\n", REPORTED),
    *wrapper("exec-wrapper-without-exec", FAILS, b"#!/bin/sh\nexport A=1\n"),
    *wrapper("exec-wrapper-with-variable", ACCEPTED, b'#!/bin/sh\nexport A=1\nexec "$@"\n'),
]


def search(name: str, text: str, *, want: str = ACCEPTED, **files: bytes) -> Recipe:
    """Return a handler that imports libmod, which is in /opt/lib, after `text`."""
    modules = {f"{key}.py": value for key, value in files.items()}
    handler: dict[str, str | bytes] = {"app.py": f"{text}import libmod\n{HANDLER}"}
    return Recipe(f"search-{name}", want, handler | modules, [*folders("opt/lib"), Entry("opt/lib/libmod.py")])


SEARCHES = [
    search("nowhere", "", want=FAILS),
    search("append", "import sys\nsys.path.append('/opt/lib')\n"),
    search("from-sys", "from sys import path\npath.insert(0, '/opt/lib')\n"),
    search("site", "import site\nsite.addsitedir('/opt/lib')\n"),
    search("in-another-module", "import places\n", places=b"import sys\nsys.path[:0] = ['/opt/lib']\n"),
    search("wrong", "import sys\nsys.path.append('/opt/libs')\n", want=FAILS),
    Recipe(
        "search-in-zip",
        ACCEPTED,
        {
            "app.py": f"import sys\nsys.path.insert(0, '/var/task/more.zip')\nimport inner\n{HANDLER}",
            "more.zip": zip_app({"inner.py": b"x = 1\n"}),
        },
    ),
    Recipe(
        "import-suppressed",
        ACCEPTED,
        {"app.py": f"import contextlib\nwith contextlib.suppress(ImportError):\n    import nosuch\n{HANDLER}"},
    ),
    Recipe("import-in-class", FAILS, {"app.py": f"class A:\n    import nosuch\n{HANDLER}"}),
]


def add_file(name: str, want: str, path: str, data: bytes = b"1", mode: int = 0o644, **more: Any) -> Recipe:
    """Return an image with a file that the start does not use."""
    entries = [*folders(path.rpartition("/")[0]), Entry(path, data, mode)]
    return Recipe(name, want, entries=entries, **more)


def hard_link(path: str, target: str) -> Entry:
    """Return a hard link."""
    return Entry(path, kind=tarfile.LNKTYPE, target=target)


UNUSED = [
    # Red Hat's sudo and helper of D-Bus, which only root and a group may read.
    add_file("sudo-of-root", ACCEPTED, "usr/bin/sudo", elf(), 0o4111),
    add_file("helper-of-a-group", ACCEPTED, "usr/libexec/dbus-1/dbus-daemon-launch-helper", elf(), 0o4750),
    add_file("private-model", ACCEPTED, "opt/model/weights.bin", mode=0o600),
    Recipe("private-notes", ACCEPTED, later=[*VAR, Entry("var/task/NOTES.md", b"1", 0o600)]),
    Recipe(
        "folder-that-cannot-be-listed",
        ACCEPTED,
        {"app.py": ""},
        [folder("opt", 0o711), folder("opt/lib"), Entry("opt/lib/app.py", HANDLER.encode())],
        variables=["PYTHONPATH=/opt/lib"],
        source=MANUALS,
    ),
    # Python takes a directory that it cannot list for an empty one.
    Recipe("modules-that-cannot-be-listed", FAILS, later=[folder("var"), folder("var/task", 0o711)], source=MANUALS),
    Recipe("kernels-of-cuda", ACCEPTED, {"kernels/a.cubin": elf(machine=CUDA)}),
    add_file("kernels-of-rocm", ACCEPTED, f"{SITES}/gpu/a.hsaco", elf(machine=AMDGPU)),
    add_file("probe-of-the-kernel", ACCEPTED, "usr/lib/bpf/probe.o", elf(machine=BPF)),
    # A wheel's provider for graphics processors, loaded where one is.
    add_file("provider-of-cuda", ACCEPTED, f"{SITES}/ort/lib_providers_cuda.so", elf(["libcublas.so.12"])),
    Recipe("link-loop", ACCEPTED, entries=[link("var/task/a", "b"), link("var/task/b", "a")]),
    Recipe("handler-links-itself", FAILS, {"app.py": ""}, [link("var/task/app.py", "app.py")]),
]

UNPACKING = [
    Recipe("hard-link-to-nothing", REFUSED, entries=[hard_link("var/task/x.py", "var/task/none.py")], source=OCI),
    Recipe(
        "hard-link-before-its-file",
        REFUSED,
        entries=[hard_link("var/task/x.py", "var/task/y.py"), Entry("var/task/y.py")],
        source=OCI,
    ),
    # OCI: a link to a file outside of its layer may fail.
    Recipe(
        "hard-link-out-of-its-layer",
        UNDOCUMENTED,
        later=[*VAR, hard_link("var/task/x.py", "var/task/app.py")],
        source=OCI,
    ),
    Recipe("hard-link-with-slash", ACCEPTED, entries=[hard_link("var/task/x.py", "/var/task/app.py")], source=OCI),
    Recipe("name-of-256-bytes", REFUSED, entries=[Entry("var/task/" + "n" * 256)], source=MANUALS),
    Recipe("name-of-255-bytes", ACCEPTED, entries=[Entry("var/task/" + "n" * 255)], source=RUN),
    Recipe(
        "sparse-file",
        UNDOCUMENTED,
        entries=[Entry("var/task/holes", bytes(512), kind=tarfile.GNUTYPE_SPARSE)],
        source=OCI,
    ),
    Recipe(
        "opaque-folder-made-again",
        ACCEPTED,
        {"app.py": f"import lib.new\n{HANDLER}", "lib/old.py": "#\n"},
        later=[*VAR, folder("var/task/lib"), Entry("var/task/lib/new.py"), Entry("var/task/lib/.wh..wh..opq", mode=0)],
    ),
]
