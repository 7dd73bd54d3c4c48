"""What a Python module's source binds and imports when it is loaded, read without running it."""

import ast
import threading
from collections.abc import Iterator

# Python 3.11 counts the depth of a tree for all threads together: two that make trees at once may fail each other.
PARSING = threading.Lock()

Facts = tuple[tuple[str, ...] | None, tuple[str, ...]]


def module_facts(source: bytes) -> Facts:
    """(names bound at the top level, modules imported there); names are None when the source is no valid Python."""
    try:
        with PARSING:
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, ()
    names = tuple(name for statement in body for name in bound(statement))
    return names, tuple(dict.fromkeys(name for statement in body for name in imported(statement)))


def bound(statement: ast.stmt) -> Iterator[str]:
    """The names that one statement binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
        case ast.If() | ast.Try() | ast.With():
            for inner in ast.iter_child_nodes(statement):
                if isinstance(inner, ast.stmt):
                    yield from bound(inner)


def imported(statement: ast.stmt) -> Iterator[str]:
    """The modules that one statement imports for certain, relative ones with their dots.

    `package:name` is a name that may be a module of the package. What stands in a `try` may fail, what stands in an
    `if` may not run, and what stands in a function comes later.
    """
    match statement:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module=module, level=level, names=aliases):
            package = "." * level + (module or "")
            yield package
            yield from (f"{package}:{alias.name}" for alias in aliases)
