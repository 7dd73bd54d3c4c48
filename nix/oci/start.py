"""Whether Lambda can start the function: entry point, working folder, environment, handler."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oci.imports import import_problems
from oci.rules import Problem
from oci.tree import Tree

EXECUTABLE = 0o001
CLIENT = "awslambdaric"
# What AWS's own images start with; their Python ones hold this interpreter.
AWS_SCRIPT, AWS_PYTHON = "lambda-entrypoint.sh", "var/lang/bin/python3"


def start_problems(tree: Tree, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything in the config's `config` that would end the first start."""
    entry = list(settings.get("Entrypoint") or ())
    command = list(settings.get("Cmd") or ())
    environment = list(settings.get("Env") or ())
    yield from entry_point_problems(tree, entry or command)
    yield from folder_problems(tree, settings.get("WorkingDir") or "")
    for line in environment:
        if line.find("=") < 1:
            yield Problem("environment", "config", f"{line!r} in Env is no NAME=VALUE")
    if CLIENT in [posixpath.basename(word) for word in [*entry, *command]]:
        after = [*entry, *command]
        handler = after[[posixpath.basename(word) for word in after].index(CLIENT) + 1 :]
        yield from handler_problems(tree, handler, roots(settings, environment))
    elif entry and posixpath.basename(entry[0]) == AWS_SCRIPT and tree.find(AWS_PYTHON) is not None:
        yield from handler_problems(tree, [*entry[1:], *command], roots(settings, environment))


def entry_point_problems(tree: Tree, words: Sequence[str]) -> Iterator[Problem]:
    """Faults of the program that is started."""
    if not words:
        yield Problem("entry-point", "config", "neither Entrypoint nor Cmd names a program")
        return
    program = words[0]
    where = f"entry point {program}"
    if not program.startswith("/"):
        yield Problem("entry-point-absolute", where, "it is no absolute path")
        return
    item = tree.find(program)
    if item is None:
        yield Problem("entry-point-exists", where, "the image does not hold it")
        return
    link = tree.through_link(program)
    if link is not None:
        yield Problem("entry-point-link", where, f"/{link} on its way is a symbolic link; name the file itself")
    if item.kind != "file" or not item.mode & EXECUTABLE:
        yield Problem("entry-point-executable", where, f"it is a {item.kind} of mode {item.mode & 0o7777:04o}")
    elif item.elf is None and not item.script:
        yield Problem("entry-point-format", where, "it is neither an ELF program nor a script that starts with #!")


def folder_problems(tree: Tree, folder: str) -> Iterator[Problem]:
    """Faults of the working folder."""
    if not folder:
        return
    item = tree.find(folder)
    if not folder.startswith("/") or item is None or item.kind != "folder":
        yield Problem("working-folder", f"WorkingDir {folder}", "it is no absolute path of a folder in the image")


def roots(settings: Mapping[str, Any], environment: Sequence[str]) -> list[str]:
    """The folders where Lambda's Python client looks for the handler's module."""
    values = dict(line.split("=", 1) for line in environment if "=" in line)
    named = [values.get("LAMBDA_TASK_ROOT", ""), settings.get("WorkingDir") or ""]
    named += values.get("PYTHONPATH", "").split(":")
    return [folder for folder in dict.fromkeys(named) if folder]


def handler_problems(tree: Tree, words: Sequence[str], folders: Sequence[str]) -> Iterator[Problem]:
    """Faults of the handler, `package.module.function`, as the last word of the command names it."""
    if not words or "." not in words[0]:
        said = repr(words[0]) if words else "nothing"
        yield Problem("handler", "config", f"the command names {said} as its handler, not MODULE.FUNCTION")
        return
    module, _, function = words[0].rpartition(".")
    path = module.replace(".", "/")
    for folder in folders:
        for candidate in (f"{folder}/{path}.py", f"{folder}/{path}/__init__.py"):
            item = tree.find(candidate)
            if item is not None:
                if item.names is not None and function not in item.names:
                    yield Problem("handler-name", candidate, f"the module defines no {function}")
                elif item.names is None and item.path.startswith("var/task/"):
                    yield Problem("handler", candidate, "it is no valid Python")
                yield from import_problems(tree, module, folders)
                return
    yield Problem("handler", f"handler {words[0]}", f"no module {module} in {', '.join(folders) or 'any folder'}")
