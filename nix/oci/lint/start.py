"""Check that Lambda can start the function: entry point, working directory, environment, runtime client, handler."""

import posixpath
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .elf import AMD64
from .imports import Answer, Found, ModuleFinder, describe_hidden, import_problems
from .interpreter import find_interpreter, is_isolated
from .program import Command, Trail, check_program, follow, is_advisory
from .rules import Problem
from .tree import FileTree

CLIENT = "awslambdaric"
# Imported in `try`, and needed all the same unless AWS_EXECUTION_ENV chooses polling in Python.
EXTENSION = "runtime_client"
PYTHON = re.compile(r"python(?:3(?:\.\d+t?)?)?\Z")
# AWS's base images: their entry point, the interpreter of those for Python, and where their bootstrap adds modules.
AWS_SCRIPT, AWS_PYTHON, AWS_ROOT = "lambda-entrypoint.sh", "/var/lang/bin/python3", "/var/task"
AWS_FOLDERS = ("/opt/python", "/var/runtime")
AWS_BOOTSTRAP, AWS_LANGUAGE = "/var/runtime/bootstrap", "/var/lang"
EXTENSIONS = "/opt/extensions"
EMULATOR = "aws-lambda-rie"
WEB_SERVERS = {"http.server", "uvicorn", "gunicorn", "hypercorn", "waitress", "flask", "streamlit"}
WITH_VALUE = "WXcm"  # options of python whose value may be the next word
# Python ends at once if one of these has a value that is neither in the set nor a number in the range.
ALLOCATORS = {f"{name}{debug}" for name in ("malloc", "pymalloc", "mimalloc") for debug in ("", "_debug")}
VARIABLES = {
    "PYTHONHASHSEED": ({"random"}, range(1 << 32)),
    "PYTHONUTF8": ({"0", "1"}, range(0)),
    "PYTHONMALLOC": ({"default", "debug", *ALLOCATORS}, range(0)),
    "PYTHONTRACEMALLOC": (set[str](), range(1 << 16)),
    "PYTHONINTMAXSTRDIGITS": ({"0"}, range(640, 1 << 31)),
}


def start_problems(tree: FileTree, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield whatever would end the first start, or may; `settings` is the `config` object of the image's config.

    The handler is checked for Python's runtime client and for AWS's Python base images; others name it differently.
    """
    entry_point, arguments = list(settings.get("Entrypoint") or ()), list(settings.get("Cmd") or ())
    lines = list(settings.get("Env") or ())
    folder = settings.get("WorkingDir") or ""
    yield from check_working_folder(tree, folder)
    for line in lines:
        if line.find("=") < 1:
            yield Problem("environment", "config", f"Env has {line!r}, expected NAME=VALUE")
    words = (*entry_point, *arguments)
    if not words or not words[0]:
        yield Problem("entry-point", "config", "neither Entrypoint nor Cmd names a program")
        return
    command = Command(words, dict(line.split("=", 1) for line in lines if "=" in line), folder or "/")
    trail = follow(tree, command)
    yield from trail.problems
    yield from check_extensions(tree, command.environment)
    is_aws = posixpath.basename(words[0]) == AWS_SCRIPT
    if is_aws and trail.unknown:
        yield from check_bootstrap(tree, trail)
    if is_aws:
        yield from check_wrapper(tree, command)
    if is_aws and tree.find(AWS_PYTHON) is not None:
        yield from check_aws_start(tree, command)
    elif trail.unknown:
        yield describe_unknown_handler(trail.unknown)
    elif trail.program is not None:
        yield from check_program_start(tree, trail.command, trail.program.path, trail.dropped)


def describe_unknown_handler(reason: str) -> Problem:
    """Return the problem of a handler that cannot be judged, because what starts it is not understood."""
    return Problem("handler", "config", f"what the entry point imports cannot be read from the image: {reason}", True)


def check_working_folder(tree: FileTree, folder: str) -> Iterator[Problem]:
    """Yield problems of WorkingDir, if it is set."""
    if not folder:
        return
    entry = tree.find(folder)
    if not folder.startswith("/") or entry is None or entry.kind != "folder":
        yield Problem("working-folder", f"WorkingDir {folder}", "not an absolute path of a directory in the image")


def list_extension_paths(tree: FileTree) -> list[str]:
    """Return the paths that Lambda starts before the runtime: all in /opt/extensions that is no directory itself."""
    real = tree.resolve(EXTENSIONS)
    entries = {name: tree.entries[f"{real}/{name}"] for name in tree.list_names(EXTENSIONS)}
    return [f"{EXTENSIONS}/{name}" for name, entry in entries.items() if entry.kind != "folder"]


def check_extensions(tree: FileTree, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the extensions that cannot be started, each with its first problem: one of them ends every start."""
    for path in list_extension_paths(tree):
        trail = follow(tree, Command((path,), dict(environment)))
        faults = [problem.text for problem in trail.problems if not is_advisory(problem)]
        if trail.program is not None and trail.program.elf is not None and trail.program.elf.machine != AMD64:
            faults.append("not built for amd64")
        yield from (Problem("extension", path, text) for text in faults[:1])


def check_bootstrap(tree: FileTree, trail: Trail) -> Iterator[Problem]:
    """Yield problems of the bootstrap that the entry point of AWS's images starts; its own script is not followed."""
    command = trail.command
    script = tree.find(posixpath.join(command.folder, next(iter(command.words[1:]), "")))
    if script is None or AWS_BOOTSTRAP not in script.text:
        return
    yield from check_program(tree, AWS_BOOTSTRAP, tree.find(AWS_BOOTSTRAP), AWS_BOOTSTRAP, first=False)


def check_wrapper(tree: FileTree, command: Command) -> Iterator[Problem]:
    """Yield problems of the program in AWS_LAMBDA_EXEC_WRAPPER, which has to start its arguments.

    AWS's images for a language start it in front of the runtime, those for custom runtimes do not.
    """
    wrapper = command.environment.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if not wrapper or tree.find(AWS_LANGUAGE) is None:
        return
    trail = follow(tree, replace(command, words=(wrapper, AWS_BOOTSTRAP)), is_entry_point=False)
    yield from trail.problems
    if not trail.problems and trail.command.words[0] != AWS_BOOTSTRAP:
        reason = trail.unknown or f"it is no script that ends in {AWS_BOOTSTRAP}"
        yield describe_unknown_handler(f"AWS_LAMBDA_EXEC_WRAPPER starts {wrapper} first: {reason}")


class PythonCall(NamedTuple):
    """The arguments of an interpreter: its single-letter options, the module of -m, a script, and what follows."""

    flags: str
    module: str
    script: str
    arguments: Sequence[str]


def parse_python_call(words: Sequence[str]) -> PythonCall:
    """Parse the words after the interpreter's own."""
    flags, value_of = "", ""
    for number, word in enumerate(words):
        if value_of:  # the value of -W or -X as a word of its own
            value_of = ""
            continue
        if not word.startswith("-") or word == "-":
            return PythonCall(flags, "", word, words[number + 1 :])
        for place, letter in enumerate(word[1:], 2):
            if letter in WITH_VALUE:
                value, after = (word[place:], number + 1) if word[place:] else (words[number + 1 :][:1], number + 2)
                if letter == "m":
                    return PythonCall(flags, "".join(value), "", words[after:])
                if letter == "c":
                    return PythonCall(flags, "", "-c", words[after:])
                value_of = "" if word[place:] else letter
                break
            flags += letter
    return PythonCall(flags, "", "", ())


def check_program_start(tree: FileTree, command: Command, path: str, dropped: Sequence[str]) -> Iterator[Problem]:
    """Yield problems of the last program's start; `dropped` are arguments that a shell did not pass on."""
    names = (posixpath.basename(command.words[0]), posixpath.basename(path))
    if EMULATOR in names:
        text = "the emulator serves a Runtime API of its own, so that nothing asks Lambda's for an invocation"
        yield Problem("runtime-client", f"/{path}", text)
        return
    if not any(map(PYTHON.match, names)):
        yield describe_unknown_handler(f"/{path} is not Python, and names its handler in a way of its own")
        return
    call = parse_python_call(command.words[1:])
    if (server := call.module or posixpath.basename(call.script)) in WEB_SERVERS and not list_extension_paths(tree):
        text = f"{server} answers HTTP only: install {CLIENT}, or a web adapter in {EXTENSIONS}"
        yield Problem("runtime-client", "config", text)
        return
    if not call.module:
        yield describe_unknown_handler(f"Python runs {call.script or 'nothing'}, not the module {CLIENT}")
        return
    program = posixpath.join(command.folder, command.words[0]) if "/" in command.words[0] else path
    if not is_isolated(call.flags):
        yield from check_variables(command.environment)
    interpreter = find_interpreter(tree, program, call.flags, command.environment, [command.folder])
    finder = ModuleFinder(tree, interpreter)
    yield from check_client(finder, call.module, command.environment)
    for name in finder.tree.list_names(command.folder):
        module = name.removesuffix(".py")
        if module in sys.stdlib_module_names and finder.hides_another(module):
            yield describe_hidden(finder, module)
    if call.module not in (CLIENT, f"{CLIENT}.__main__"):
        yield describe_unknown_handler(f"Python runs the module {call.module}, not {CLIENT}")
    elif not call.arguments and dropped:
        text = f"the shell form of ENTRYPOINT does not pass on CMD, so that {' '.join(dropped)!r} is lost"
        yield Problem("handler", "config", text)
    else:
        yield from check_handler(finder, call.arguments)


def check_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the variables of Python whose values end its start; an empty value counts as none."""
    for name, (words, numbers) in VARIABLES.items():
        value = environment.get(name, "")
        if value and value not in words and not (value.isdecimal() and int(value[-20:]) in numbers):
            yield Problem("python-variable", "config", f"ENV {name} is {value[:40]!r}, which Python refuses")
    encoding = environment.get("PYTHONIOENCODING", "").partition(":")[0]
    try:
        "".encode(encoding or "utf-8")
    except (LookupError, ValueError):
        yield Problem("python-variable", "config", f"ENV PYTHONIOENCODING names no encoding of text: {encoding[:40]!r}")


def check_aws_start(tree: FileTree, command: Command) -> Iterator[Problem]:
    """Yield problems of the handler in AWS's Python base images, whose entry point wants exactly one argument."""
    environment = command.environment
    first = [environment.get("LAMBDA_TASK_ROOT") or AWS_ROOT, command.folder, *AWS_FOLDERS]
    finder = ModuleFinder(tree, find_interpreter(tree, AWS_PYTHON, "", environment, first))
    if len(command.words) != 2:
        got = " ".join(command.words[1:]) or "nothing"
        yield Problem("handler", "config", f"the entry point of AWS's base images gets {got!r}, expected one handler")
        return
    yield from check_handler(finder, command.words[1:])


def check_client(finder: ModuleFinder, module: str, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem unless the interpreter finds the module of its option -m and what that module imports."""
    answers = {name: finder.exists(name) for name in (module, f"{module}.__main__")}
    definition = finder.find(module)
    needed = module if definition is not None and not definition.folders else f"{module}.__main__"
    if answers[needed] == Answer.YES:
        yield from import_problems(finder, needed, "runtime-client")
        if module == CLIENT and (answer := finder.exists(EXTENSION)) != Answer.YES:
            text = f"{CLIENT} needs its extension {EXTENSION}, which is not built for this Python or not in the image"
            unknown = answer == Answer.UNKNOWN or "AWS_EXECUTION_ENV" in environment
            yield Problem("runtime-client", "config", text, unknown)
        return
    where = " or ".join(f"/{folder}" for folder in finder.interpreter.folders) or "any directory"
    text, unknown = f"no module {needed} in {where}", answers[needed] == Answer.UNKNOWN
    reason = f"; {finder.interpreter.unseen[0]}" if unknown and finder.interpreter.unseen else ""
    yield Problem("runtime-client", "config", text + reason, unknown)


def check_handler(finder: ModuleFinder, words: Sequence[str]) -> Iterator[Problem]:
    """Yield problems of the handler, PACKAGE.MODULE.FUNCTION, in the first of `words`."""
    if not words or "." not in words[0]:
        got = repr(words[0]) if words else "nothing"
        yield Problem("handler", "config", f"the command has {got} as its handler, expected MODULE.FUNCTION")
        return
    path, _, function = words[0].rpartition(".")
    module, where = path.replace("/", "."), f"handler {words[0]}"
    if module.partition(".")[0] in finder.interpreter.built_in:
        yield Problem("handler", where, f"{module} is a module inside Python, which the runtime client refuses")
        return
    answer, definition = finder.exists(module) if all(module.split(".")) else Answer.NO, finder.find(module)
    if answer != Answer.YES or definition is None:
        yield describe_missing_handler(finder, module, where, definition, unknown=answer == Answer.UNKNOWN)
        return
    yield from import_problems(finder, module)
    answer = finder.binds(module, function)
    place = f"/{definition.entry.path}" if definition.entry is not None else f"/{definition.folders[0]}"
    if definition.names is not None and definition.names.invalid:
        return
    if answer == Answer.NO:
        yield Problem("handler-name", place, f"the module does not define {function}")
    elif answer == Answer.UNKNOWN:
        reason = "its source is not read" if definition.names is None else "it may do so when it is loaded"
        yield Problem("handler-name", place, f"the module does not plainly define {function}: {reason}", unknown=True)


def describe_missing_handler(
    finder: ModuleFinder, module: str, where: str, definition: Found | None, *, unknown: bool
) -> Problem:
    """Return the problem of a handler's module that is not found, or that this Python cannot load."""
    if definition is not None and definition.entry is not None and finder.is_foreign_bytecode(definition):
        return Problem("handler", where, f"/{definition.entry.path} is bytecode of another Python")
    folders = ", ".join(f"/{folder}" for folder in finder.interpreter.folders) or "any directory"
    reason = f"; {finder.interpreter.unseen[0]}" if unknown and finder.interpreter.unseen else ""
    return Problem("handler", where, f"no module {module} in {folders}{reason}", unknown)
