"""What the original's Python reads of the item and of the graph, by the names that expressions have."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from plexus import patterns
from plexus.exceptions import UnsafeCode
from plexus.language.expression import Expression
from plexus.language.functions import FUNCTIONS

#: What the context of a LogicalNode has: the item's parts, and the state with every field.
_PARTS = ("text", "metadata")
_METHODS = ("model_dump", "dict", "get")


class UnsupportedCode(Exception):
    """The code is more than an expression; the message has the line in the code, what it is, and what to write."""

    def __init__(self, node: ast.AST, what: str, advice: str = "") -> None:
        self.line: int = next((part.lineno for part in ast.walk(node) if hasattr(part, "lineno")), 1)
        advice = advice or "write an `expression`, as docs/reference/scorecards.md describes"
        super().__init__(f"line {self.line} of the code: {what}. next: {advice}")


_LOOP = "write any(…), all(…), sum(…) or a list in brackets over `for x in …`"
#: Kind of a statement → what to write instead.
INSTEAD = {
    "For": _LOOP,
    "While": _LOOP,
    "Try": "remove the `try`: an expression that fails fails the score, and is never a value",
    "With": "remove it: an expression opens nothing",
    "FunctionDef": "write what the inner function returns where it is called",
    "ClassDef": "write a map",
    "Raise": "return a value: an expression that fails fails the score by itself",
}
_TEXTS = "write an f-string, as in f'{x} words'"
#: Name, or method, that the code uses → what to write instead.
_NAMES = {
    "re": "write matches(text, 'pattern')",
    "json": "set `item: {decode_metadata: true}`, which decodes metadata that is JSON text",
    "datetime": "compute the date before the item is made, and write it into its metadata",
    "os": "write the value into the scorecard: an expression reads no environment",
    "format": _TEXTS,
    "set": "write the list itself: `x in […]` needs no set",
    "isinstance": "compare the value itself: `str(x)` is the text of any value",
    **dict.fromkeys(("range", "enumerate", "zip"), "loop over the list itself, or spell the values out"),
    "next": "write a loop that returns at its first match",
    "casefold": "write fold(x), or x.lower()",
    "splitlines": "write x.split('\\n')",
    **dict.fromkeys(("lstrip", "rstrip"), "write x.strip(), which strips both ends"),
    **dict.fromkeys(("items", "keys", "values"), "name each key, as in x.get('school')"),
}


@dataclass(frozen=True)
class Names:
    """The names that code may read: the aliases of earlier nodes, which the original adds to `metadata`.

    `inputs` are names that a node's `input` replaced, with the fields that replace them. `argument` is the name of the
    function's parameter.
    """

    aliases: Collection[str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    argument: str = ""

    def of(self, argument: str) -> Names:
        """Return the names for a function whose parameter has this name."""
        return replace(self, argument=argument)


def write(expression: ast.expr, names: Names) -> str:
    """Return the expression as text. Raises UnsupportedCode if the restricted language does not accept it."""
    renamed = ast.fix_missing_locations(_Renamer(names).visit(copy.deepcopy(expression)))
    used = [node for node in ast.walk(renamed) if isinstance(node, ast.Name)]
    bound = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    known = {*_PARTS, *names.aliases, *names.inputs.values(), *FUNCTIONS, *bound}
    if unknown := [node.id for node in used if node.id not in known]:
        raise UnsupportedCode(expression, f"it uses {unknown[0]!r}", _NAMES.get(unknown[0], ""))
    _check_metadata(renamed, names)
    for part in ast.walk(renamed):
        if isinstance(part, ast.FormattedValue) and (part.format_spec is not None or part.conversion != -1):
            raise UnsupportedCode(part, "formats are not part of the language", "write {round(x, 2)} for {x:.2f}")
        if isinstance(part, ast.BinOp) and not isinstance(part.op, ast.Add) and _is_text(part.left, part.right):
            raise UnsupportedCode(part, f"{ast.unparse(part)[:40]!r} computes with a text or a list", _TEXTS)
    written = _unparse(renamed)
    try:
        Expression(written)
    except UnsafeCode as error:
        refused = _find_refused(renamed)
        called = refused.func if isinstance(refused, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else ""
        raise UnsupportedCode(refused, str(error), _NAMES.get(name, "")) from None
    return written


def _check_metadata(expression: ast.expr, names: Names) -> None:
    """Refuse what reads the metadata as a whole, or by keys that may be aliases: the original's has the state in it."""
    keyed: set[int] = set()
    words = {node.value for node in ast.walk(expression) if isinstance(node, ast.Constant)}
    for node in ast.walk(expression):
        match node:
            case (
                ast.Subscript(ast.Name("metadata") as owner, key)
                | ast.Call(ast.Attribute(ast.Name("metadata") as owner, "get"), [key, *_])
                | ast.Compare(key, [ast.In() | ast.NotIn()], [ast.Name("metadata") as owner])
            ) if isinstance(key, ast.Constant) or words.isdisjoint(names.aliases):
                keyed.add(id(owner))
    for node in ast.walk(expression):
        if names.aliases and _is_metadata(node) and id(node) not in keyed:
            what = "it reads the metadata as a whole, of which the fields of earlier nodes are a part in the original"
            raise UnsupportedCode(node, what, "name the key, as in metadata.get('school')")


def _unparse(expression: ast.expr) -> str:
    try:
        return ast.unparse(expression)
    except ValueError:  # before Python 3.12, no f-string has a backslash, or all kinds of quotes, in its braces
        return ast.unparse(_Concatenation().visit(copy.deepcopy(expression)))


def _find_refused(expression: ast.expr) -> ast.expr:
    """Return the innermost part that the restricted language refuses by itself; the expression itself if none is."""
    for part in ast.iter_child_nodes(expression):
        if isinstance(part, ast.expr) and not isinstance(part, ast.Constant):
            try:
                Expression(_unparse(part))
            except UnsafeCode:
                return _find_refused(part)
    return expression


class _Concatenation(ast.NodeTransformer):
    """Replaces f-strings by sums of texts; one with a format is refused."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """`f"got {x}"` → `"got " + str(x)`."""
        written: ast.expr = ast.Constant("")
        for part in node.values:
            value = part
            if isinstance(part, ast.FormattedValue):
                value = ast.Call(ast.Name("str", ast.Load()), [self.visit(part.value)], [])
            is_first = isinstance(written, ast.Constant) and not written.value
            written = value if is_first else ast.BinOp(written, ast.Add(), value)
        return ast.copy_location(written, node)


class _Renamer(ast.NodeTransformer):
    """Replaces the function's argument by the names that expressions have: text, metadata, and aliases."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`input.text` → `text`, `context["state"].alias` → `alias`."""
        self.generic_visit(node)
        return self._find_member(node.value, node.attr, node) or node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`context["metadata"]` → `metadata`, `metadata["alias"]` → `alias`."""
        self.generic_visit(node)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return self._find_member(node.value, key, node) or node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`context.get("text")` → `text`, `metadata.get("alias")` → `alias`, `state.model_dump()` → the state."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            key = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
            return self._find_member(node.args[0], key, node) or node
        if not isinstance(node.func, ast.Attribute):
            return node
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "re":
            return _translate_search(node, node.func.attr)
        if node.func.attr in _METHODS[:2] and _is_state(owner) and not node.args:
            return owner
        if node.func.attr == "get" and node.args and isinstance(node.args[0], ast.Constant):
            return self._find_member(owner, node.args[0].value, node) or node
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """`state.model_dump() if state else {}` → the state, which a graph always has."""
        self.generic_visit(node)
        is_given = _is_state(node.test) or (_is_metadata(node.test) and self.names.aliases)
        return node.body if is_given else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """`metadata or {}` → `metadata`, `metadata and x` → `x`: a graph always has metadata."""
        self.generic_visit(node)
        first, last = node.values[0], node.values[-1]
        if len(node.values) != 2 or not _is_metadata(first):
            return node
        if isinstance(node.op, ast.Or):
            return first if isinstance(last, ast.Dict) and not last.keys else node
        return last if self.names.aliases else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """`"alias" in metadata` → True: the original's state has every field. `x in {…}` → `x in (…)`."""
        self.generic_visit(node)
        if isinstance(node.ops[0], (ast.In, ast.NotIn)) and isinstance(members := node.comparators[0], ast.Set):
            node.comparators[0] = ast.copy_location(ast.Tuple(members.elts, ast.Load()), members)
        match node:
            case ast.Compare(ast.Constant(str() as key), [ast.In() | ast.NotIn() as operator], [ast.Name("metadata")]):
                if key in self.names.aliases:
                    return ast.copy_location(ast.Constant(isinstance(operator, ast.In)), node)
        return node

    def _find_member(self, owner: ast.expr, key: object, place: ast.expr) -> ast.expr | None:
        """Return the name for a member of the argument, of its state or of its metadata; None for anything else."""
        if not isinstance(owner, ast.Name) or not isinstance(key, str):
            return None
        if owner.id == self.names.argument and key == "state":
            return ast.copy_location(ast.Name(_STATE, ast.Load()), place)
        of_item = owner.id in (self.names.argument, _STATE) and key in _PARTS
        of_state = owner.id in ("metadata", _STATE) and key in self.names.aliases
        if of_item or of_state:
            return ast.copy_location(ast.Name(self.names.inputs.get(key, key), ast.Load()), place)
        if owner.id == _STATE and key not in _METHODS:
            raise UnsupportedCode(place, f"it reads the field {key!r}, which no earlier node sets")
        return None


def _translate_search(call: ast.Call, name: str) -> ast.expr:
    """`re.search(pattern, text)` → whether it matches, None if it does not; RE2 has to accept the pattern."""
    pattern = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    flags = [ast.unparse(flag) for flag in (*call.args[2:], *(keyword.value for keyword in call.keywords))]
    if name not in _ANCHORS or not isinstance(pattern, str) or len(call.args) < 2 or set(flags) - set(_FOLDING):
        advice = "write matches(text, 'pattern'), which only says whether the pattern is found"
        raise UnsupportedCode(call, f"it calls re.{name}", advice)
    written = ("" if flags else "(?-i)") + _ANCHORS[name].format(pattern=pattern)
    if reason := patterns.find_problem(written):
        raise UnsupportedCode(call, f"RE2 refuses the pattern: {reason}", "write it without look-around and references")
    search = ast.Call(ast.Name("matches", ast.Load()), [call.args[1], ast.Constant(written)], [])
    return ast.copy_location(ast.IfExp(search, ast.Constant(True), ast.Constant(None)), call)


_ANCHORS = {"search": "{pattern}", "match": r"\A(?:{pattern})", "fullmatch": r"\A(?:{pattern})\z"}
_FOLDING = ("re.IGNORECASE", "re.I")
#: Stands for the state in an expression under translation; it is none of the code's own names.
_STATE = "state of the graph"


def _is_text(*values: ast.expr) -> bool:
    texts = (ast.JoinedStr, ast.List)
    return any(isinstance(each, texts) or isinstance(getattr(each, "value", None), str) for each in values)


def _is_metadata(value: ast.AST) -> bool:
    return isinstance(value, ast.Name) and value.id == "metadata"


def _is_state(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == _STATE
