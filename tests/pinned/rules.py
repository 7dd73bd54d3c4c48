"""The checks of this folder, read without LocalStack."""

import ast
from pathlib import Path


def rules() -> dict[str, str]:
    """Name → what must hold, of each check."""
    trees = (ast.parse(path.read_text()) for path in sorted(Path(__file__).parent.glob("of_*.py")))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    return {one.name: ast.get_docstring(one) or "" for one in functions if not one.name.startswith("_")}
