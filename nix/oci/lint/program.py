"""Follow an image's command line to the program that it ends in: `#!` lines, `env`, and simple shell scripts.

A script is followed only if every line of it is understood. Otherwise what it starts is unknown, which is an answer.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from .rules import Problem
from .scan import LayerEntry
from .tree import FileTree

EXECUTABLE = 0o001
# Programs that start the words after their options, and pass signals on to them.
INITS = {"tini", "tini-static", "docker-init", "dumb-init", "catatonit"}
SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}
# Lambda sets this search path where an image sets none.
PATH = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
STEPS = 8  # scripts that start scripts
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
# Outside of quotes these make a line more than one simple command.
OPERATORS = re.compile(r"[|&;<>()`*?\[\]{}~!]|\$\(")
# The documented start script: the emulator on other machines, the client on Lambda, which sets this variable.
ON_LAMBDA = re.compile(r'if \[ -(z|n) "?\$\{?AWS_LAMBDA_RUNTIME_API\}?"? \] ?; ?then')
BLOCK = re.compile(r"(?:if|elif|for|while|until|case)\b")
IGNORED = re.compile(r"(?:set\s+[-+]\w.*|umask\s+\d+|:|true)\Z")


@dataclass(frozen=True)
class Command:
    """Words as execve gets them, with environment and working directory."""

    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"


@dataclass
class Trail:
    """The steps from ENTRYPOINT and CMD to the last program.

    `program` is the last program's file and `command` its words; `program` is None after a problem. `dropped` are words
    of CMD that a shell form ignores. `unknown` is the reason why the trail ends before the runtime client.
    """

    command: Command
    program: LayerEntry | None = None
    problems: list[Problem] = field(default_factory=list)
    dropped: tuple[str, ...] = ()
    unknown: str = ""


def follow(tree: FileTree, command: Command, *, is_entry_point: bool = True) -> Trail:
    """Follow a command line; the problems are those that end the first start before the last program runs."""
    trail = Trail(command)
    for step in range(STEPS):
        words = trail.command.words
        entry, path = find_program(tree, trail.command)
        problems = list(check_program(tree, words[0], entry, path, first=is_entry_point and step == 0))
        trail.problems += problems
        if entry is None or any(problem.rule != "entry-point-link" for problem in problems if not is_advisory(problem)):
            trail.program = None
            return trail
        trail.program = entry
        following = _next(tree, trail, entry, path)
        if following is None:
            return trail
        trail.command = following
    trail.unknown = f"{STEPS} scripts start one another"
    return trail


def is_advisory(problem: Problem) -> bool:
    """Return whether the image starts in spite of a problem."""
    return problem.level == "advisory"


def find_program(tree: FileTree, command: Command) -> tuple[LayerEntry | None, str]:
    """Return the file that the first word names, and its path as it was found; (None, word) if there is none."""
    word = command.words[0]
    if "/" in word:
        path = posixpath.join(command.folder, word)
        return tree.find(path), path
    for folder in command.environment.get("PATH", PATH).split(":"):
        path = posixpath.join(command.folder, folder, word)
        entry = tree.find(path)
        if entry is not None and entry.kind == "file" and entry.mode & EXECUTABLE:
            return entry, path
    return None, word


def check_program(tree: FileTree, word: str, entry: LayerEntry | None, path: str, *, first: bool) -> Iterator[Problem]:
    """Yield problems of one program; only the `first` is Lambda's own entry point."""
    where = f"entry point {word}" if first else f"program {word}"
    if entry is None:
        place = "in the image" if "/" in word else "on PATH"
        yield Problem("entry-point-exists" if first else "command-exists", where, f"not {place}")
        return
    if first and not word.startswith("/"):
        yield Problem("entry-point-absolute", where, "not an absolute path")
    link = tree.find_link(path)
    if first and link is not None:
        yield Problem("entry-point-link", where, f"/{link} is a symbolic link, expected a file or directory")
    if entry.kind != "file" or not entry.mode & EXECUTABLE:
        got = f"a {entry.kind} of mode {entry.mode & 0o7777:04o}"
        yield Problem("entry-point-executable", where, f"got {got}, expected a file that every user may execute")
    elif entry.elf is None and not entry.is_script:
        yield Problem("entry-point-format", where, "neither an ELF program nor a script that starts with #!")


def _next(tree: FileTree, trail: Trail, entry: LayerEntry, path: str) -> Command | None:
    """Return the command that a program starts in its place; None if it is the last one."""
    command = trail.command
    if entry.is_script:
        return _interpreter_command(tree, trail, entry, path)
    names = {posixpath.basename(command.words[0]), posixpath.basename(entry.path)}
    if "env" in names:
        return _env(trail, command)
    if names & INITS:
        return _init(trail, command)
    if names & SHELLS:
        return _shell(tree, trail, command)
    return None


def _interpreter_command(tree: FileTree, trail: Trail, entry: LayerEntry, path: str) -> Command | None:
    """Return what the kernel runs for a script: the interpreter of its first line, with the rest as one argument."""
    line = entry.text.partition("\n")[0].removeprefix("#!").strip(" \t")
    program, _, argument = line.partition(" ") if " " in line else line.partition("\t")
    where = f"script /{entry.path}"
    if program.endswith("\r") or argument.endswith("\r"):
        trail.problems.append(Problem("script-interpreter", where, f"its first line ends with CR LF: {line!r}"))
    elif not program:
        trail.problems.append(Problem("entry-point-format", where, "its first line names no interpreter"))
    elif tree.find(posixpath.join(trail.command.folder, program)) is None:
        trail.problems.append(Problem("script-interpreter", where, f"its interpreter {program} is not in the image"))
    else:
        options = (argument.strip(),) if argument.strip() else ()
        return replace(trail.command, words=(program, *options, path, *trail.command.words[1:]))
    trail.program = None
    return None


def _env(trail: Trail, command: Command) -> Command | None:
    """Return the command that env(1) starts; None, with the reason, for options that are not understood."""
    words = list(command.words[1:])
    if words[:1] and words[0].startswith(("-S", "--split-string=")):
        try:
            split = shlex.split(words[0].removeprefix("--split-string=").removeprefix("-S"))
        except ValueError as problem:
            trail.unknown = f"env is started with {words[0]}: {problem}"
            return None
        words = [*split, *words[1:]]
    environment = dict(command.environment)
    while words and ASSIGNMENT.fullmatch(words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if not words or words[0].startswith("-"):
        trail.unknown = f"env is started with {' '.join(command.words[1:]) or 'nothing'}"
        return None
    return Command(tuple(words), environment, command.folder)


def _init(trail: Trail, command: Command) -> Command | None:
    """Return the command that an init program starts; None, with the reason, if it has options with values."""
    words = list(command.words[1:])
    while words and re.fullmatch(r"-[gsvcw]+|--single-child|--verbose|--", words[0]):
        if words.pop(0) == "--":
            break
    if not words or words[0].startswith("-"):
        trail.unknown = f"{command.words[0]} is started with {' '.join(command.words[1:]) or 'nothing'}"
        return None
    return replace(command, words=tuple(words))


def _lines_on_lambda(lines: Sequence[str]) -> list[str]:
    """Return a script's lines, of a choice between Lambda and other machines those for Lambda only.

    All lines of a script that has other blocks too, which nobody follows.
    """
    kept: list[str] = []
    inside, runs = False, True
    for line in lines:
        if not inside and (match := ON_LAMBDA.fullmatch(line)):
            inside, runs = True, match[1] == "n"
        elif BLOCK.match(line):
            return list(lines)
        elif inside and line == "else":
            runs = not runs
        elif inside and line == "fi":
            inside, runs = False, True
        elif runs:
            kept.append(line)
    return kept


def _shell(tree: FileTree, trail: Trail, command: Command) -> Command | None:
    """Return the command that a shell's script ends in; None, with the reason, if the script is not understood."""
    words = list(command.words[1:])
    if posixpath.basename(command.words[0]) == "busybox":
        words = words[1:]
    inline = False
    while words and re.fullmatch(r"-[a-z]+", words[0]):
        inline |= "c" in words.pop(0)
    if not words:
        trail.unknown = "a shell is started without a script"
        return None
    script = tree.find(posixpath.join(command.folder, words[0])) if not inline else None
    text = words[0] if inline else script.text if script is not None else ""
    # After `-c`, the first argument is the script's name, $0.
    arguments = words[1:] if inline else words
    if not text:
        trail.unknown = f"the shell script {words[0]} is not read"
        return None
    if "\r" in text:
        trail.unknown = "its lines end with CR LF"
        return None
    used = re.search(r"\$(?:[@*0-9]|\{[@*0-9])", text) is not None
    trail.dropped = () if used else tuple(arguments if inline else arguments[1:])
    return _last_command(trail, text, command, arguments)


def _last_command(trail: Trail, text: str, command: Command, arguments: Sequence[str]) -> Command | None:
    environment, folder = dict(command.environment), command.folder
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#") and not IGNORED.match(line)]
    lines = _lines_on_lambda(lines)
    for number, line in enumerate(lines):
        tokens = _tokens(line, environment, arguments)
        if tokens is None or not tokens:
            trail.unknown = f"a shell script has the line `{line[:60]}`"
            return None
        plain = tokens[1:] if tokens[0] == "export" else tokens
        if all(ASSIGNMENT.fullmatch(token) for token in plain):
            environment |= {name: value for name, _, value in (token.partition("=") for token in plain)}
        elif tokens[0] == "cd" and len(tokens) == 2:
            folder = posixpath.normpath(posixpath.join(folder, tokens[1]))
        elif tokens[0] == "exec" or number == len(lines) - 1:
            words = tokens[1:] if tokens[0] == "exec" else tokens
            while words and ASSIGNMENT.fullmatch(words[0]):
                name, _, value = words.pop(0).partition("=")
                environment[name] = value
            if words and not words[0].startswith("-"):
                return Command(tuple(words), environment, folder)
            trail.unknown = f"a shell script has the line `{line[:60]}`"
            return None
        elif tokens[0] != "echo":
            trail.unknown = f"a shell script has the line `{line[:60]}`"
            return None
    trail.unknown = "a shell script starts no program"
    return None


def _tokens(line: str, environment: dict[str, str], arguments: Sequence[str]) -> list[str] | None:
    """Split one simple command into words, parameters replaced; None if it is more than that."""
    try:
        raw = shlex.split(line, posix=False, comments=True)
    except ValueError:
        return None
    words: list[str] = []
    for token in raw:
        if token in ('"$@"', "$@", '"${@}"', "${@}"):
            words += arguments[1:]
            continue
        quoted = token[:1] == "'" and token[-1:] == "'"
        if not quoted and (OPERATORS.search(token.replace("${", "$").replace("}", "")) or "\\" in token):
            return None
        bare = token if quoted else _expand(token, environment, arguments)
        if bare is None:
            return None
        if not bare:
            continue  # an empty parameter outside of quotes is no word
        try:
            words.append("".join(shlex.split(bare)) if "'" in bare or '"' in bare else bare)
        except ValueError:
            return None
    return words


def _expand(token: str, environment: dict[str, str], arguments: Sequence[str]) -> str | None:
    """Replace $NAME and $1 in a word; None for any other use of `$`."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name.isdigit():
            return arguments[int(name)] if int(name) < len(arguments) else ""
        return environment.get(name, "")

    replaced = VARIABLE.sub(value, token)
    return None if "$" in replaced or ("$" in token and re.search(r"\s", replaced)) else replaced
