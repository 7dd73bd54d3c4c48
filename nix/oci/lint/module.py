"""What a Python module binds and imports when it is loaded, read without running it."""

import ast
import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import decode_source
from typing import NamedTuple

# Python 3.11 counts the nesting of ast.parse for all threads together (gh-106905): two parses at once may fail.
PARSING = threading.Lock()

# Whatever binds names that no reader of the text can list, or makes modules appear that have no file.
HIDDEN = {"globals", "locals", "vars", "exec", "eval", "setattr", "modules", "__getattr__", "__path__", "meta_path"}
HIDDEN_TEXT = re.compile(rb"\b(?:%s)\b" % "|".join(sorted(HIDDEN)).encode())
# Whatever adds directories to the search path; `import` says nothing of where it looks then.
SEARCH_TEXT = re.compile(rb"\bsys\.path\b|\baddsitedir\b|\bfrom sys import\b.*\bpath\b|\bpath_hooks\b")
# Syntax that an older Python refuses → the minor version of Python 3 that introduced it.
SINCE = {
    ast.NamedExpr: 8,
    ast.Match: 10,
    ast.TryStar: 11,
    **{node: 12 for name in ("TypeAlias", "TypeVar") if (node := getattr(ast, name, None))},
}


class ModuleNames(NamedTuple):
    """Names at the top level of a module.

    `bound` are bound whenever the module loads, `perhaps` on some paths only. `imported` are the modules imported on
    every path, in order; relative names keep their dots, and `package:name` stands for `from package import name`,
    where `name` may be a submodule. `stars` are modules of `from … import *`, `exported` is a literal `__all__`.
    `hidden`: the module may bind names that are not listed. `minor`: the Python 3 that its syntax needs, at least.
    `invalid` is the error of a module that this Python cannot parse. `read`: false if the text was only searched for
    what may hide names, as in installed packages. `searches`: the module may add directories to the search path.
    """

    bound: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    stars: tuple[str, ...] = ()
    exported: tuple[str, ...] | None = None
    hidden: bool = False
    minor: int = 0
    invalid: str = ""
    read: bool = True
    searches: bool = False


def skim_module(source: bytes) -> ModuleNames:
    """Return only whether the module may bind names that nobody can list; hundreds of times faster than parsing."""
    searches = SEARCH_TEXT.search(source) is not None
    return ModuleNames(hidden=HIDDEN_TEXT.search(source) is not None, read=False, searches=searches)


def read_module(source: bytes) -> ModuleNames:
    """Parse a module's source; what this Python cannot parse is `invalid`."""
    try:
        decode_source(source)
        odd = False
    except (SyntaxError, ValueError):
        odd = True  # Python 3.11 forgives wrong bytes in comments, later versions do not
    try:
        with PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the function's code, not ours
            tree = ast.parse(source)
            compile(tree, "module", "exec", dont_inherit=True)  # finds what the grammar alone allows
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        line = f"line {problem.lineno}: " if isinstance(problem, SyntaxError) and problem.lineno else ""
        reason = problem.msg if isinstance(problem, SyntaxError) else str(problem)
        return ModuleNames(invalid=f"{line}{reason or type(problem).__name__}")
    try:
        names = ModuleNames(hidden=True) if odd else read_names(tree)
    except RecursionError:  # an expression of thousands of terms, which the compiler accepts
        names = ModuleNames(hidden=True)
    return names._replace(searches=SEARCH_TEXT.search(source) is not None)


def read_names(tree: ast.Module) -> ModuleNames:
    """Return what a parsed module binds and imports; RecursionError if its expressions are nested too deep."""
    surely, perhaps = find_bindings(tree.body)
    imported = [name for statement in tree.body for name in find_imported_modules(statement)]
    nodes = list(ast.walk(tree))
    stars = [spell_module(node) for node in nodes if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    return ModuleNames(
        bound=tuple(surely),
        perhaps=tuple(perhaps),
        imported=tuple(dict.fromkeys(imported)),
        stars=tuple(dict.fromkeys(stars)),
        exported=find_exported_names(tree.body),
        hidden=any(map(is_hidden, nodes)),
        minor=max((SINCE.get(type(node), 0) for node in nodes), default=0),
    )


Names = dict[str, None]
"""Names in the order in which they are bound."""


def find_bindings(body: Sequence[ast.stmt]) -> tuple[Names, Names]:
    """Return (names that these statements bind on every path, names that they bind on some)."""
    surely: Names = {}
    perhaps: Names = {}
    for statement in body:
        always, sometimes = find_bound_names(statement)
        for name in find_deleted_names(statement):
            surely.pop(name, None)
            perhaps.pop(name, None)
            if not isinstance(statement, ast.Delete):
                sometimes[name] = None
        surely |= always
        perhaps |= sometimes
    return surely, {name: None for name in perhaps if name not in surely}


def find_bound_names(statement: ast.stmt) -> tuple[Names, Names]:
    """Return the names that one statement binds always and sometimes."""
    always: list[str] = []
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            always = [name]
        case ast.Assign(targets=assigned):
            always = [*find_target_names(assigned)]
        case ast.AnnAssign(target=target, value=ast.expr()):
            always = [*find_target_names([target])]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            always = [(alias.asname or alias.name).partition(".")[0] for alias in aliases]
        case ast.Expr(value=ast.NamedExpr(target=ast.Name(id=name))):
            always = [name]
        case ast.For(target=target, iter=ast.List(elts=[_, *_]) | ast.Tuple(elts=[_, *_])):
            always = [*find_target_names([target])]
        case ast.If(body=body, orelse=otherwise):
            always = [*find_common_names(find_bindings(body)[0], [find_bindings(otherwise)[0]])]
        case ast.Try(body=body, handlers=handlers, orelse=otherwise, finalbody=last):
            others = [find_bindings(one.body)[0] for one in handlers if not isinstance(one.body[-1], ast.Raise)]
            always = [*find_common_names(find_bindings([*body, *otherwise])[0], others), *find_bindings(last)[0]]
    everything = dict.fromkeys(find_inner_names(statement))
    surely = dict.fromkeys(always)
    return surely, {name: None for name in everything if name not in surely}


def find_common_names(first: Names, others: Iterable[Names]) -> Names:
    """Return the names that all paths bind."""
    return {name: None for name in first if all(name in other for other in others)}


def find_inner_names(node: ast.AST) -> Iterator[str]:
    """Yield every name that a statement binds in the module's own scope, on whatever path."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return  # a scope of its own
        case ast.Lambda():
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            walrus = (part.target for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
            yield from find_target_names(walrus)
            return
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.AnnAssign(value=None):
            return  # an annotation binds nothing
    for child in ast.iter_child_nodes(node):
        yield from find_inner_names(child)


def find_deleted_names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement may delete: by `del`, and by `except … as name` when it ends."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Del()) | ast.ExceptHandler(name=str(name)):
                yield name


def find_target_names(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the names among assignment targets, in tuples and lists too."""
    for node in nodes:
        match node:
            case ast.Name(id=name):
                yield name
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                yield from find_target_names(parts)
            case ast.Starred(value=part):
                yield from find_target_names([part])


def find_imported_modules(statement: ast.stmt) -> Iterator[str]:
    """Yield what a top-level statement imports unconditionally, in the body of a class too.

    Imports in `try`, `if`, `with` and functions are skipped: they may fail, may not run, or run later.
    """
    match statement:
        case ast.ClassDef(body=body):
            yield from (name for inner in body for name in find_imported_modules(inner))
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield spell_module(statement)
            yield from (f"{spell_module(statement)}:{alias.name}" for alias in aliases if alias.name != "*")


def spell_module(statement: ast.ImportFrom) -> str:
    """Return the module of `from … import`, its dots kept."""
    return "." * statement.level + (statement.module or "")


def find_exported_names(body: Sequence[ast.stmt]) -> tuple[str, ...] | None:
    """Return `__all__` if it is one literal list or tuple of strings; None if it is absent or computed."""
    values = [
        statement.value
        for statement in body
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign)
        and "__all__"
        in find_target_names(statement.targets if isinstance(statement, ast.Assign) else [statement.target])
    ]
    match values:
        case [ast.List(elts=items) | ast.Tuple(elts=items)] if all(isinstance(item, ast.Constant) for item in items):
            return tuple(str(item.value) for item in items if isinstance(item, ast.Constant))
    return None


def is_hidden(node: ast.AST) -> bool:
    """Return whether a node may bind names that the text does not list."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
            return name in HIDDEN
        case ast.Global():
            return True
    return False
