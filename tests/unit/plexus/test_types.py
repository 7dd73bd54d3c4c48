"""The types of plexus: annotations that mypy can check."""

import ast
from collections.abc import Iterator
from pathlib import Path

PLEXUS = Path(__file__).resolve().parents[3] / "plexus"


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield every annotation of an argument, a return value and a variable."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            listed = node.args
            arguments = [*listed.posonlyargs, *listed.args, *listed.kwonlyargs, listed.vararg, listed.kwarg]
            yield from (each.annotation for each in arguments if each is not None and each.annotation is not None)
            if node.returns is not None:
                yield node.returns
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation


def loose_names(tree: ast.Module) -> set[str]:
    """`Any`, and the module's own aliases of types that contain it."""
    names = {"Any"}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and contains(node.value, names):
            names.add(node.targets[0].id)
    return names


def contains(annotation: ast.expr, names: set[str]) -> bool:
    """Return whether an annotation, quoted or not, uses one of the names."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return False
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(annotation))


def test_less_than_a_twentieth_of_the_annotations_contain_any() -> None:
    """Under 5 % of the annotations in plexus contain Any, aliases of such types included."""
    total, loose = 0, []
    for path in sorted(PLEXUS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = loose_names(tree)
        for annotation in annotations(tree):
            total += 1
            if contains(annotation, names):
                loose.append(f"{path.relative_to(PLEXUS)}:{annotation.lineno}")
    share = len(loose) / total
    assert share < 0.05, f"{len(loose)} of {total} annotations contain Any ({share:.1%}): {', '.join(loose)}"


def test_plexus_is_marked_as_typed() -> None:
    """Type checkers read plexus' annotations in other projects only if the package contains py.typed."""
    assert (PLEXUS / "py.typed").is_file()
