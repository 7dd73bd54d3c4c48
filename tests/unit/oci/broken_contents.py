"""Images whose files break a rule."""

import tarfile

from tests.unit.oci.broken import broken
from tests.unit.oci.drafts import HANDLER, LIB, LOADER, Draft, Entry, folder, link
from tests.unit.oci.elves import ARM64, elf


@broken("parent-folder")
def no_parent(draft: Draft) -> None:
    """A file whose directory is in no layer."""
    draft.layers[1].append(Entry("opt/data", b"1"))


@broken("path-escapes")
def parent_in_path(draft: Draft) -> None:
    """A path that leads out of the image."""
    draft.layers[1].append(Entry("../escaped", b"1"))


@broken("path-escapes")
def absolute_path(draft: Draft) -> None:
    """An absolute path."""
    draft.layers[1].append(Entry("/srv/absolute", b"1"))


@broken("path-duplicate")
def twice(draft: Draft) -> None:
    """One path twice in one layer."""
    draft.layers[1].append(draft.layers[1][-1])


@broken("path-name")
def blank_in_name(draft: Draft) -> None:
    """A name with a space."""
    draft.layers[1].append(Entry("var/task/two words", b"1"))


@broken("path-name")
def newline_in_name(draft: Draft) -> None:
    """A name with a line break."""
    draft.layers[1].append(Entry("var/task/two\nlines", b"1"))


@broken("path-name")
def dot_in_path(draft: Draft) -> None:
    """A path with a `.` part."""
    draft.layers[1].append(Entry("var/./task/dotted", b"1"))


@broken("file-type")
def device(draft: Draft) -> None:
    """A character device."""
    draft.layers[1].append(Entry("var/task/null", kind=tarfile.CHRTYPE, mode=0o666))


@broken("file-type")
def fifo(draft: Draft) -> None:
    """A named pipe."""
    draft.layers[1].append(Entry("var/task/pipe", kind=tarfile.FIFOTYPE, mode=0o666))


@broken("path-length")
def long_name(draft: Draft) -> None:
    """A name that is longer than Linux allows."""
    draft.layers[1].append(Entry(f"var/task/{'n' * 256}", b"1"))


@broken("path-length")
def long_path(draft: Draft) -> None:
    """A path that is longer than Linux allows."""
    draft.layers[1] += [folder("/".join(("var/task", *["n" * 250] * depth))) for depth in range(1, 18)]


@broken("hard-link")
def hard_link(draft: Draft) -> None:
    """A hard link."""
    draft.layers[1].append(Entry("var/task/again", kind=tarfile.LNKTYPE, target="var/task/handler/app.py"))


@broken("hard-link-target")
def hard_link_to_nothing(draft: Draft) -> None:
    """A hard link to a file that is nowhere."""
    draft.layers[1].append(Entry("var/task/again", kind=tarfile.LNKTYPE, target="var/task/never"))


@broken("hard-link-target")
def hard_link_out_of_its_layer(draft: Draft) -> None:
    """A hard link to a file of an earlier layer."""
    draft.layers[1].append(Entry("var/task/again", kind=tarfile.LNKTYPE, target="usr/bin/python3.11"))


@broken("whiteout")
def whiteout_of_nothing(draft: Draft) -> None:
    """A whiteout of a path that no earlier layer holds."""
    draft.layers[1].append(Entry("var/task/.wh.never"))


@broken("extension")
def extension_without_x(draft: Draft) -> None:
    """A file beside the extensions that nobody can start."""
    folders = [folder("opt"), folder("opt/extensions"), folder("opt/extensions/lib")]
    draft.layers[1] += [*folders, Entry("opt/extensions/.gitkeep"), Entry("opt/extensions/lib/data")]


@broken("set-id")
def setuid(draft: Draft) -> None:
    """A setuid program."""
    draft.layers[1].append(Entry("var/task/rights", b"#!/usr/bin/python3.11\n", mode=0o4755))


@broken("readable")
def private_file(draft: Draft) -> None:
    """A file that only its owner may read."""
    draft.layers[1].append(Entry("var/task/private", b"1", mode=0o600))


@broken("readable")
def private_folder(draft: Draft) -> None:
    """A directory that only its owner may search."""
    draft.layers[1].append(folder("var/task/private", 0o700))


@broken("readable")
def private_folder_at_start(draft: Draft) -> None:
    """Modules below a home directory that only its user may search."""
    draft.layers[1] += [folder("home", 0o700), folder("home/app")]
    draft.settings["Env"].append("PYTHONPATH=/home/app")


@broken("private")
def shadow(draft: Draft) -> None:
    """A distribution's password file."""
    draft.layers[0] += [folder("etc"), Entry("etc/shadow", b"root:*\n", mode=0o640)]


@broken("dangling-link")
def dangling_link(draft: Draft) -> None:
    """A link to nothing."""
    draft.layers[1].append(link("var/task/nowhere", "../missing"))


@broken("dangling-link")
def link_loop(draft: Draft) -> None:
    """A link to itself."""
    draft.layers[1].append(link("var/task/loop", "loop"))


@broken("entry-point")
def no_entry_point(draft: Draft) -> None:
    """Neither Entrypoint nor Cmd."""
    draft.settings.update(Entrypoint=None, Cmd=None)


@broken("entry-point-absolute")
def relative_entry_point(draft: Draft) -> None:
    """A program that must be searched on PATH."""
    draft.settings["Entrypoint"][0] = "python3.11"


@broken("entry-point-exists")
def missing_entry_point(draft: Draft) -> None:
    """A program that does not exist."""
    draft.settings["Entrypoint"][0] = "/usr/bin/python4"


@broken("entry-point-link")
def linked_entry_point(draft: Draft) -> None:
    """A program whose path is a symbolic link."""
    draft.layers[0].append(link("usr/bin/python3", "python3.11"))
    draft.settings["Entrypoint"][0] = "/usr/bin/python3"


@broken("entry-point-executable")
def entry_point_without_x(draft: Draft) -> None:
    """A program without the executable bit."""
    next(entry for entry in draft.layers[0] if entry.path == "usr/bin/python3.11").mode = 0o644


@broken("entry-point-format")
def entry_point_is_text(draft: Draft) -> None:
    """A program that is neither ELF nor a script."""
    next(entry for entry in draft.layers[0] if entry.path == "usr/bin/python3.11").data = b"print()\n"


@broken("working-folder")
def missing_working_folder(draft: Draft) -> None:
    """A working directory that does not exist."""
    draft.settings.update(WorkingDir="/srv", Env=["PYTHONPATH=/var/task"])


@broken("command-exists")
def script_without_target(draft: Draft) -> None:
    """A script whose env finds no program."""
    draft.layers[0] += [Entry("usr/bin/env", elf(), 0o755), Entry("usr/bin/start", b"#!/usr/bin/env nosuch\n", 0o755)]
    draft.settings["Entrypoint"] = ["/usr/bin/start"]


@broken("script-interpreter")
def script_without_interpreter(draft: Draft) -> None:
    """A script whose interpreter is not in the image."""
    draft.layers[0].append(Entry("usr/bin/start", b"#!/bin/bash\n", 0o755))
    draft.settings["Entrypoint"] = ["/usr/bin/start"]


@broken("script-interpreter")
def script_from_windows(draft: Draft) -> None:
    """A script whose lines end with CR LF."""
    draft.layers[0].append(Entry("usr/bin/start", b"#!/usr/bin/python3.11\r\n", 0o755))
    draft.settings["Entrypoint"] = ["/usr/bin/start"]


@broken("runtime-client")
def no_client(draft: Draft) -> None:
    """A Python without the runtime client."""
    draft.layers[0] = [entry for entry in draft.layers[0] if "awslambdaric" not in entry.path]


@broken("runtime-client")
def client_without_standard_module(draft: Draft) -> None:
    """A runtime client that imports a module of the standard library which a slimmer removed."""
    draft.layers[0] = [entry for entry in draft.layers[0] if not entry.path.endswith("json.py")]


@broken("python-variable")
def hash_seed_in_words(draft: Draft) -> None:
    """A seed of hashes that is no number."""
    draft.settings["Env"].append("PYTHONHASHSEED=fixed")


@broken("python-variable")
def unknown_encoding(draft: Draft) -> None:
    """An encoding that Python does not have."""
    draft.settings["Env"].append("PYTHONIOENCODING=utf-9")


@broken("environment")
def nameless_variable(draft: Draft) -> None:
    """An environment line without a name."""
    draft.settings["Env"].append("=value")


@broken("handler")
def missing_module(draft: Draft) -> None:
    """A handler whose module does not exist."""
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]


@broken("handler")
def handler_without_module(draft: Draft) -> None:
    """A handler without a dot."""
    draft.settings["Cmd"] = ["lambda_handler"]


@broken("handler-syntax")
def handler_is_no_python(draft: Draft) -> None:
    """A handler's module that cannot be parsed."""
    draft.layers[1][-1].data = b"def lambda_handler(:\n"


@broken("handler-name")
def missing_function(draft: Draft) -> None:
    """A module without the handler's function."""
    draft.layers[1][-1].data = b"def handler(event, context): ...\n"


@broken("handler-import")
def package_not_installed(draft: Draft) -> None:
    """A handler that imports a package which is not installed."""
    draft.layers[1][-1].data = b"import requests\n" + HANDLER


@broken("handler-import")
def missing_submodule(draft: Draft) -> None:
    """A module, reached by the handler, that imports a module which was not copied."""
    draft.layers[1][-1].data = b"from handler import worker\n" + HANDLER
    draft.layers[1].append(Entry("var/task/handler/worker.py", b"from .store import Store\n"))


@broken("elf-machine")
def arm_library(draft: Draft) -> None:
    """A library for another machine."""
    draft.layers[0].append(Entry(f"{LIB}/libarm.so", elf(machine=ARM64)))


@broken("elf-broken")
def elf_without_end(draft: Draft) -> None:
    """A truncated library."""
    draft.layers[0].append(Entry(f"{LIB}/libcut.so", elf(["libc.so.6"])[:120]))


@broken("interpreter")
def missing_loader(draft: Draft) -> None:
    """A program whose loader is not in the image."""
    draft.layers[0] = [entry for entry in draft.layers[0] if entry.path != LOADER]


@broken("library")
def missing_library(draft: Draft) -> None:
    """An extension module that needs a library of the build machine."""
    draft.layers[1].append(Entry("var/task/module.so", elf(["libxml2.so.2", "libc.so.6"])))


@broken("library")
def package_with_missing_library(draft: Draft) -> None:
    """The same in site-packages."""
    draft.layers[0] += [folder("opt"), folder("opt/site-packages")]
    draft.layers[0].append(Entry("opt/site-packages/module.so", elf(["libxml2.so.2", "libc.so.6"])))


@broken("library")
def program_with_missing_library(draft: Draft) -> None:
    """A library that a library of the entry point needs."""
    entry = next(entry for entry in draft.layers[0] if entry.path.endswith("libc.so.6"))
    entry.data = elf(["libmissing.so"], soname="libc.so.6", provides=["GLIBC_2.36"])


@broken("optional-library")
def module_of_the_distribution(draft: Draft) -> None:
    """A standard library module whose shared library is in an optional package, as in slim images."""
    draft.layers[0].append(Entry(f"{LIB}/_tkinter.so", elf(["libtk8.6.so", "libc.so.6"])))


@broken("optional-library")
def inherited_path_is_switched_off(draft: Draft) -> None:
    """A library that only the RUNPATH of another file would find; RUNPATH is not inherited."""
    draft.layers[0] += [
        folder("opt"),
        Entry("opt/first.so", elf(["libsecond.so"], runpath="$ORIGIN")),
        Entry("opt/libsecond.so", elf(["libthird.so"], soname="libsecond.so")),
        Entry("opt/libthird.so", elf(soname="libthird.so")),
    ]


@broken("symbol-version")
def newer_glibc(draft: Draft) -> None:
    """An extension module compiled against a newer C library."""
    draft.layers[0].append(Entry(f"{LIB}/new.so", elf(["libc.so.6"], requires=[("libc.so.6", "GLIBC_2.39")])))
