"""What stays out of the image is what no function can reach: the list in nix/oci/host_only.py against the imports."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nix.oci.host_only import HOST_ONLY, is_host_only

ROOT = Path(__file__).resolve().parents[2]
# Where a function starts; `python -m handler` serves a debugger in the image too.
STARTS = ("handler.app", "handler.__main__")


def modules() -> dict[str, Path]:
    """Return every module of what goes into the image, by name."""
    by_name = {}
    for folder in ("plexus", "handler"):
        for path in (ROOT / folder).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            by_name[name.removesuffix(".__init__")] = path
    return by_name


def statements(nodes: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports below some nodes, wherever they stand; not those for type checkers."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from statements(node.orelse)
        else:
            yield from statements(ast.iter_child_nodes(node))


def imports(name: str, path: Path) -> Iterator[str]:
    """Yield the absolute names that a module imports; of `from a import b` both `a` and `a.b`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for statement in statements([ast.parse(path.read_text())]):
        if isinstance(statement, ast.Import):
            yield from (one.name for one in statement.names)
            continue
        parts = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
        whole = ".".join([*parts, *([statement.module] if statement.module else [])])
        yield whole
        yield from (f"{whole}.{one.name}" for one in statement.names)


def list_reached(known: dict[str, Path]) -> set[str]:
    """Return the modules that a function can import, and the packages that they lie in."""
    todo, visited = [*STARTS], set[str]()
    while todo:
        parts = todo.pop().split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            if name in known and name not in visited:
                visited.add(name)
                todo += imports(name, known[name])
    return visited


def test_the_image_leaves_out_what_no_function_reaches() -> None:
    """A module is in the image exactly when the handler, or a score or a node of a scorecard, can import it."""
    known = modules()
    kept = {name for name, path in known.items() if not is_host_only(path.relative_to(ROOT).as_posix())}
    needed = list_reached(known)
    assert sorted(needed - kept) == []
    assert sorted(kept - needed) == []


def test_each_line_of_the_list_leaves_something_out() -> None:
    """What is listed is there; a folder says so by its slash."""
    assert [one for one in HOST_ONLY if not (ROOT / one).exists() or one.endswith("/") != (ROOT / one).is_dir()] == []
