"""Recipes about the handler: how modules bind it, where they lie, and what they import."""

import importlib.util
import io
import marshal
import zipfile
from typing import Any

from tests.images.recipe import ACCEPTED, FAILS, HANDLER, SITES, Recipe
from tests.unit.oci.drafts import Entry, folder, link
from tests.unit.oci.elves import elf

LATER = "lambda event, context: 1"


def bind_handler(name: str, want: str, source: str, **files: str) -> Recipe:
    """Return a handler in app.py; `files` are modules beside it, by their name without .py."""
    return Recipe(name, want, {"app.py": source, **{f"{key}.py": text for key, text in files.items()}})


def compile_source(source: str, magic: bytes = importlib.util.MAGIC_NUMBER) -> bytes:
    """Return the bytes of a .pyc, which only the Python that wrote it can load."""
    return magic + bytes(12) + marshal.dumps(compile(source, "app.py", "exec"))


def zip_file(name: str, text: str) -> bytes:
    """Return a zip file of one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


BINDINGS = [
    bind_handler("plain", ACCEPTED, HANDLER),
    bind_handler("async", ACCEPTED, "async def handler(event, context): ...\n"),
    bind_handler("class", ACCEPTED, "class handler:\n    def __init__(self, event, context): ...\n"),
    bind_handler("lambda", ACCEPTED, f"handler = {LATER}\n"),
    bind_handler("tuple", ACCEPTED, f"handler, other = {LATER}, 2\n"),
    bind_handler("nested-tuple", ACCEPTED, f"(first, [*rest, handler]) = 1, [2, 3, {LATER}]\n"),
    bind_handler("chain", ACCEPTED, f"a = b = handler = {LATER}\n"),
    bind_handler("annotated", ACCEPTED, f"handler: object = {LATER}\n"),
    bind_handler("annotation-only", FAILS, "handler: object\n"),
    bind_handler("walrus", ACCEPTED, f"(handler := {LATER})\n"),
    bind_handler("walrus-inside", ACCEPTED, f"print((handler := {LATER}))\n"),
    bind_handler("for", ACCEPTED, f"for handler in [{LATER}]:\n    pass\n"),
    bind_handler("for-nothing", FAILS, "for handler in []:\n    pass\n"),
    bind_handler("while", ACCEPTED, f"while True:\n    handler = {LATER}\n    break\n"),
    bind_handler("with", ACCEPTED, f"import io\nwith io.StringIO() as out:\n    handler = {LATER}\n"),
    bind_handler("match", ACCEPTED, f"match [{LATER}]:\n    case [handler]:\n        pass\n"),
    bind_handler("match-nothing", FAILS, "match 1:\n    case [handler]:\n        pass\n"),
    bind_handler(
        "if-else", ACCEPTED, f"import os\nif os.name == 'nt':\n    handler = 1\nelse:\n    handler = {LATER}\n"
    ),
    bind_handler("if-false", FAILS, f"if 0:\n    handler = {LATER}\n"),
    bind_handler(
        "try-except",
        ACCEPTED,
        "try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler\n",
        slow=HANDLER,
    ),
    bind_handler("try-nothing", FAILS, "try:\n    from fast import handler\nexcept ImportError:\n    pass\n"),
    bind_handler("try-finally", ACCEPTED, f"try:\n    pass\nfinally:\n    handler = {LATER}\n"),
    bind_handler("except-name", FAILS, "try:\n    1 / 0\nexcept ZeroDivisionError as handler:\n    pass\n"),
    bind_handler("deleted", FAILS, HANDLER + "del handler\n"),
    bind_handler("renamed", ACCEPTED, "from impl import work as handler\n", impl="def work(e, c): ...\n"),
    bind_handler("star", ACCEPTED, "from impl import *\n", impl=HANDLER),
    bind_handler("star-of-star", ACCEPTED, "from one import *\n", one="from two import *\n", two=HANDLER),
    bind_handler("star-all", ACCEPTED, "from impl import *\n", impl=f"__all__ = ['handler']\n{HANDLER}"),
    bind_handler("star-not-in-all", FAILS, "from impl import *\n", impl=f"__all__ = ['other']\nother = 1\n{HANDLER}"),
    bind_handler("star-computed-all", ACCEPTED, "from impl import *\n", impl=f"__all__ = [*['handler']]\n{HANDLER}"),
    bind_handler("star-nothing", FAILS, "from impl import *\n", impl="def work(e, c): ...\n"),
    bind_handler("star-of-library", FAILS, "from json import *\n"),
    bind_handler("globals", ACCEPTED, f"globals()['handler'] = {LATER}\n"),
    bind_handler("exec", ACCEPTED, f"exec('handler = {LATER}')\n"),
    bind_handler("setattr", ACCEPTED, f"import sys\nsetattr(sys.modules[__name__], 'handler', {LATER})\n"),
    bind_handler("global-statement", ACCEPTED, f"def make():\n    global handler\n    handler = {LATER}\nmake()\n"),
    bind_handler("module-getattr", ACCEPTED, f"def __getattr__(name):\n    return {LATER}\n"),
    bind_handler(
        "replaced-module",
        ACCEPTED,
        f"import sys, types\nsys.modules[__name__] = types.SimpleNamespace(handler={LATER})\n",
    ),
    bind_handler("local", FAILS, f"def make():\n    handler = {LATER}\n"),
    bind_handler("class-attribute", FAILS, f"class A:\n    handler = {LATER}\n"),
    bind_handler("comprehension", FAILS, "[handler for handler in range(3)]\n"),
    bind_handler("other-name", FAILS, "def lambda_handler(event, context): ...\n"),
    bind_handler("other-case", FAILS, "def Handler(event, context): ...\n"),
    bind_handler("empty", FAILS, "# nothing yet\n"),
    bind_handler("syntax", FAILS, "def handler(event, context:\n"),
    bind_handler("python-2", FAILS, "print 'cold start'\n" + HANDLER),
    bind_handler("python-3.12", FAILS, "type A = int\n" + HANDLER),
    bind_handler("python-3.11", ACCEPTED, "try:\n    pass\nexcept* ValueError:\n    pass\n" + HANDLER),
    bind_handler("mixed-tabs", FAILS, "if True:\n        a = 1\n\tb = 2\n" + HANDLER),
    Recipe("byte-order-mark", ACCEPTED, {"app.py": b"\xef\xbb\xbf" + HANDLER.encode()}),
    Recipe("coding-line", ACCEPTED, {"app.py": b"# coding: latin-1\n# caf\xe9\n" + HANDLER.encode()}),
    Recipe("not-utf-8", ACCEPTED, {"app.py": b"# caf\xe9\n" + HANDLER.encode()}),
    Recipe("null-bytes", FAILS, {"app.py": HANDLER.encode() + b"\0"}),
    Recipe("cr-lf", ACCEPTED, {"app.py": HANDLER.replace("\n", "\r\n")}),
    Recipe("utf-16", FAILS, {"app.py": HANDLER.encode("utf-16")}),
]


def place_handler(
    name: str, want: str, files: dict[str, str | bytes], command: str = "app.handler", *entries: Entry, **more: Any
) -> Recipe:
    """Return a handler that `command` names, somewhere."""
    return Recipe(name, want, files, entries, command=(command,), **more)


QUEUE = "usr/lib/python3.11/lib-dynload/_queue.cpython-311-x86_64-linux-gnu.so"
SRV = [folder("srv"), Entry("srv/app.py", HANDLER.encode())]

PLACES = [
    place_handler("package", ACCEPTED, {"src/__init__.py": "#\n", "src/app.py": HANDLER}, "src.app.handler"),
    place_handler("namespace-package", ACCEPTED, {"src/app.py": HANDLER}, "src.app.handler"),
    place_handler("slash", ACCEPTED, {"src/app.py": HANDLER}, "src/app.handler"),
    place_handler("in-package-init", ACCEPTED, {"src/__init__.py": HANDLER}, "src.handler"),
    place_handler("submodule-as-function", FAILS, {"src/__init__.py": "#\n", "src/handler.py": HANDLER}, "src.handler"),
    place_handler(
        "imported-submodule",
        ACCEPTED,
        {"src/__init__.py": "from .handler import handler\n", "src/handler.py": HANDLER},
        "src.handler",
    ),
    place_handler("namespace-as-module", FAILS, {"src/other.py": HANDLER}, "src.handler"),
    place_handler("package-over-module", FAILS, {"app/__init__.py": "#\n"}),
    place_handler("file-with-dash", ACCEPTED, {"my-app.py": HANDLER}, "my-app.handler"),
    place_handler("other-case-of-file", FAILS, {"App.py": HANDLER, "app.py": ""}),
    place_handler("no-module", FAILS, {}, "main.handler"),
    place_handler("no-dot", FAILS, {}, "handler"),
    place_handler("dot-at-end", FAILS, {}, "app."),
    place_handler("dot-at-begin", FAILS, {}, ".handler"),
    place_handler("with-suffix", FAILS, {}, "app.py.handler"),
    place_handler("colon", FAILS, {}, "app:handler"),
    Recipe("no-handler", FAILS, command=()),
    Recipe("two-words", ACCEPTED, command=("app.handler", "extra")),
    place_handler("built-in-module", FAILS, {}, "time.sleep"),
    place_handler("library-module", ACCEPTED, {}, "json.dumps"),
    place_handler(
        "in-site-packages", ACCEPTED, {"app.py": ""}, "app.handler", Entry(f"{SITES}/app.py", HANDLER.encode())
    ),
    place_handler(
        "in-foreign-site-packages",
        FAILS,
        {"app.py": ""},
        "app.handler",
        folder("usr/local/lib/python3.12"),
        folder("usr/local/lib/python3.12/site-packages"),
        Entry("usr/local/lib/python3.12/site-packages/app.py", HANDLER.encode()),
    ),
    place_handler(
        "by-pth", ACCEPTED, {"app.py": ""}, "app.handler", *SRV, Entry(f"{SITES}/x.pth", b"# code\n\n/srv\n")
    ),
    place_handler(
        "by-relative-pth",
        ACCEPTED,
        {"app.py": ""},
        "app.handler",
        *SRV,
        Entry(f"{SITES}/x.pth", b"../../../../../srv\n"),
    ),
    place_handler(
        "by-pth-code",
        ACCEPTED,
        {"app.py": ""},
        "app.handler",
        *SRV,
        Entry(f"{SITES}/x.pth", b"import sys; sys.path.append('/srv')\n"),
    ),
    place_handler(
        "by-pth-to-nowhere", FAILS, {"app.py": ""}, "app.handler", *SRV, Entry(f"{SITES}/x.pth", b"/nowhere\n")
    ),
    place_handler("pth-in-task", FAILS, {"app.py": "", "x.pth": "/srv\n"}, "app.handler", *SRV),
    place_handler(
        "by-sitecustomize",
        ACCEPTED,
        {"app.py": ""},
        "app.handler",
        *SRV,
        Entry(f"{SITES}/sitecustomize.py", b"import sys\nsys.path.append('/srv')\n"),
    ),
    place_handler("by-pythonpath", ACCEPTED, {"app.py": ""}, "app.handler", *SRV, variables=["PYTHONPATH=/opt/x:/srv"]),
    place_handler(
        "by-relative-pythonpath", ACCEPTED, {"app.py": "", "lib/app.py": HANDLER}, variables=["PYTHONPATH=lib"]
    ),
    place_handler(
        "in-zip",
        ACCEPTED,
        {"app.py": "", "code.zip": zip_file("app.py", HANDLER)},
        variables=["PYTHONPATH=/var/task/code.zip"],
    ),
    place_handler("at-root", ACCEPTED, {"app.py": ""}, "app.handler", Entry("app.py", HANDLER.encode()), folder=""),
    place_handler("no-working-folder", FAILS, {}, folder=""),
    place_handler("other-working-folder", ACCEPTED, {"app.py": ""}, "app.handler", *SRV, folder="/srv"),
    place_handler("working-folder-with-slash", ACCEPTED, {}, folder="/var/task/"),
    place_handler("linked-folder", ACCEPTED, {"app.py": ""}, "app.handler", *SRV, link("code", "srv"), folder="/code"),
    place_handler(
        "linked-module", ACCEPTED, {"app.py": ""}, "app.handler", *SRV, link("var/task/app.py", "../../srv/app.py")
    ),
    place_handler("module-links-itself", FAILS, {"app.py": ""}, "app.handler", link("var/task/app.py", "app.py")),
    place_handler("module-is-folder", FAILS, {"app.py": "", "app.py/x": "1"}),
    place_handler("compiled", ACCEPTED, {"app.py": "", "app.pyc": compile_source(HANDLER)}),
    place_handler("compiled-elsewhere", FAILS, {"app.py": "", "app.pyc": compile_source(HANDLER, b"\xcb\x0d\r\n")}),
    place_handler(
        "compiled-in-cache-only", FAILS, {"app.py": "", "__pycache__/app.cpython-311.pyc": compile_source(HANDLER)}
    ),
    place_handler("extension-of-3.12", FAILS, {"app.py": "", "app.cpython-312-x86_64-linux-gnu.so": elf()}),
    place_handler("extension-for-musl", FAILS, {"app.py": "", "app.cpython-311-x86_64-linux-musl.so": elf()}),
    place_handler("extension-for-windows", FAILS, {"app.py": "", "app.pyd": b"MZ"}),
]


def imports(name: str, want: str, line: str, files: dict[str, str | bytes] | None = None, *entries: Entry) -> Recipe:
    """Return a handler whose module has one more line before it."""
    return Recipe(name, want, {"app.py": f"{line}\n{HANDLER}", **(files or {})}, entries)


def package(text: str, **modules: str) -> list[Entry]:
    """Return an installed package `pkg`."""
    files = {"__init__": text, **modules}
    top = folder(f"{SITES}/pkg")
    return [top, *(Entry(f"{SITES}/pkg/{name}.py", source.encode()) for name, source in files.items())]


NEEDS_FOO = elf(["libfoo.so"]) + b"\0PyInit_ext\0"

IMPORTS = [
    imports("import-nothing", FAILS, "import requests"),
    imports("import-two", FAILS, "import json, requests"),
    imports("import-from-nothing", FAILS, "from requests import get"),
    imports("import-in-try", ACCEPTED, "try:\n    import requests\nexcept ImportError:\n    requests = None"),
    imports("import-in-function", ACCEPTED, "def later():\n    import requests"),
    imports("import-for-types", ACCEPTED, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests"),
    imports("import-in-main", ACCEPTED, "if __name__ == '__main__':\n    import requests"),
    imports("import-os-path", ACCEPTED, "import os.path\nfrom os import path"),
    imports("import-library-package", ACCEPTED, "import xml.etree.ElementTree, concurrent.futures, importlib.metadata"),
    imports("import-extension", ACCEPTED, "import _json, ssl, sqlite3, ctypes, zlib, marshal, _warnings"),
    imports("import-of-3.14", FAILS, "import compression.zstd"),
    imports("import-of-windows", FAILS, "import winreg"),
    imports(
        "import-slimmed",
        FAILS,
        "import csv",
        None,
        folder("usr"),
        folder("usr/lib"),
        folder("usr/lib/python3.11"),
        Entry("usr/lib/python3.11/.wh.csv.py", mode=0),
    ),
    imports(
        "import-slimmed-indirectly",
        FAILS,
        "from lib import work",
        {"lib.py": "import csv\nwork = 1\n"},
        folder("usr"),
        folder("usr/lib"),
        folder("usr/lib/python3.11"),
        Entry("usr/lib/python3.11/.wh.csv.py", mode=0),
    ),
    imports("import-tkinter", FAILS, "import tkinter"),
    imports("import-missing-name", FAILS, "from lib import nosuch", {"lib.py": "#\n"}),
    imports("import-existing-name", ACCEPTED, "from lib import work", {"lib.py": "work = 1\n"}),
    imports(
        "import-name-by-getattr", ACCEPTED, "from lib import work", {"lib.py": "def __getattr__(name):\n    return 1\n"}
    ),
    imports("import-submodule", ACCEPTED, "from lib import work", {"lib/__init__.py": "#\n", "lib/work.py": "#\n"}),
    imports(
        "import-relative",
        ACCEPTED,
        "import lib",
        {"lib/__init__.py": "from . import work\nfrom .work import a\n", "lib/work.py": "a = 1\n"},
    ),
    imports("import-relative-missing", FAILS, "import lib", {"lib/__init__.py": "from .nosuch import a\n"}),
    imports("import-beyond-top", FAILS, "from .. import lib"),
    imports("import-relative-at-top", FAILS, "from . import lib", {"lib.py": "#\n"}),
    imports("import-circle", ACCEPTED, "import lib", {"lib.py": "import app\n"}),
    imports("import-installed", ACCEPTED, "import pkg.sub", None, *package("#\n", sub="#\n")),
    imports("import-installed-missing", FAILS, "import pkg.nosuch", None, *package("#\n", sub="#\n")),
    imports(
        "import-installed-virtual",
        ACCEPTED,
        "import pkg.virtual",
        None,
        *package("import sys\nsys.modules['pkg.virtual'] = sys\n"),
    ),
    imports("import-installed-path", ACCEPTED, "import pkg.app", None, *package("__path__.append('/var/task')\n")),
    imports(
        "import-own-virtual",
        ACCEPTED,
        "import lib.virtual",
        {"lib/__init__.py": "import sys\nsys.modules['lib.virtual'] = sys\n"},
    ),
    imports("import-of-module-below-module", FAILS, "import lib.sub", {"lib.py": "#\n"}),
    imports("import-namespace", ACCEPTED, "import lib.one.two", {"lib/one/two.py": "#\n"}),
    imports("import-empty-folder", ACCEPTED, "import lib", {"lib/readme.txt": "1"}),
    imports("import-compiled", ACCEPTED, "import lib", {"lib.pyc": compile_source("a = 1\n")}),
    imports("import-future", FAILS, "from __future__ import nosuch"),
    imports(
        "import-needs-library",
        FAILS,
        "import ext",
        None,
        Entry(f"{SITES}/ext.cpython-311-x86_64-linux-gnu.so", NEEDS_FOO),
    ),
    imports("import-truncated-extension", FAILS, "import ext", {"ext.so": NEEDS_FOO[:100]}),
    imports("import-extension-of-3.12", FAILS, "import ext", {"ext.cpython-312-x86_64-linux-gnu.so": elf()}),
    imports("shadowed-logging", FAILS, "", {"logging.py": "#\n"}),
    imports("shadowed-harmlessly", ACCEPTED, "", {"queue.py": "#\n"}),
    imports("shadowed-site-package", FAILS, "", {"simplejson.py": "#\n"}),
]
