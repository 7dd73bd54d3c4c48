"""Speed up moto's DynamoDB by caching what it recomputes for every call, item and attribute.

Results are unchanged, since moto's own code still evaluates every call: parsed expressions are cached by their text,
trees and items are copied more cheaply, and node classes are looked up once.
"""

import copy
import functools
from collections import deque
from dataclasses import dataclass, field

MOST_EXPRESSIONS = 1000  # expressions
UNDER_WAY = 16  # conditions with their values, enough for one call
SIZE_LIMIT = 405_000  # maximum bytes of an item, as in moto


def install() -> None:
    """Install the caches. None changes a result."""
    _names_of_operations()
    _parsed_updates()
    _parsed_conditions()
    _visits()
    _items()


def _names_of_operations() -> None:
    """Cache the method names of a service, which moto collects by inspecting every attribute on each call."""
    from moto.core import responses

    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


def _parsed_updates() -> None:
    """Cache parsed update expressions, which moto parses up to three times. Callers that modify the tree copy it."""
    from moto.dynamodb.parsing.ast_nodes import Node
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser

    def copy_tree(node, memo):
        new = object.__new__(type(node))
        new.__dict__.update(node.__dict__)
        if node.children is not None:
            new.children = [copy.deepcopy(child, memo) for child in node.children]
            for child in new.children:
                if _is_a(type(child), Node):
                    child.parent = new
        return new

    Node.__deepcopy__ = copy_tree
    UpdateExpressionParser.make = functools.lru_cache(MOST_EXPRESSIONS)(UpdateExpressionParser.make)


def _parsed_conditions() -> None:
    """Cache parsed conditions, which moto tokenizes and parses up to four times per call."""
    from moto.dynamodb.comparisons import ConditionExpressionParser as Parser

    parse, lex = Parser.parse, Parser._lex_condition_expression

    @functools.lru_cache(MOST_EXPRESSIONS)
    def words(text):
        return tuple(lex(Parser(text, None, None)))

    @functools.lru_cache(UNDER_WAY)
    def parse_condition(condition):
        parser = Parser(condition.text, condition.names, condition.values)
        return parse(parser), parser.expr_attr_names_found, parser.expr_attr_values_found

    def parse_once(self):
        if not self.condition_expression:
            return parse(self)
        names, values = self.expression_attribute_names, self.expression_attribute_values
        condition = _Condition(self.condition_expression, f"{names} {values}", names, values)
        parsed_condition, names_found, values_found = parse_condition(condition)
        self.expr_attr_names_found.extend(names_found)
        self.expr_attr_values_found.extend(values_found)
        return parsed_condition

    Parser._lex_condition_expression = lambda self: deque(words(self.condition_expression))
    Parser.parse = parse_once


@dataclass(frozen=True)
class _Condition:
    """A condition's text and, in `bound`, the names and values that it refers to."""

    text: str
    bound: str
    names: dict | None = field(compare=False)
    values: dict | None = field(compare=False)


def _visits() -> None:
    """Speed up the ten visitors of an update's tree, which classify each node through abstract classes."""
    from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Expression, Node, UpdateExpressionFunction

    holders, no_preparation = (Expression, UpdateExpressionFunction), DepthFirstTraverser.pre_processing_of_child

    def find_clauses(self, clause_types):
        clauses = []
        for child in self.children or ():
            if type(child) in clause_types:
                clauses.append(child)
            elif _is_a(type(child), holders):
                clauses.extend(child.find_clauses(clause_types))
        return clauses

    def traverse(self, node):
        actions, prepare = self._processing_map(), self.pre_processing_of_child
        if type(self).pre_processing_of_child is no_preparation:
            prepare = None
        return _visit(node, -1, Node, actions, tuple(actions), prepare) if _is_a(type(node), Node) else node

    Node.find_clauses = find_clauses
    DepthFirstTraverser.traverse = traverse


def _visit(node, number, nodes, actions, classes, prepare):
    """Visit the children of a node, then the node; the result replaces it in its parent."""
    parent = node.parent
    for at, child in enumerate(node.children or ()):
        if prepare:
            prepare(node, at)
        if _is_a(type(child), nodes):
            _visit(child, at, nodes, actions, classes, prepare)
    if wanted := _first_of(classes, type(node)):
        node = actions[wanted](node)
        node.parent = parent
        if parent:
            parent.children[number] = node
    return node


@functools.cache
def _is_a(kind, classes):
    return issubclass(kind, classes)


@functools.cache
def _first_of(classes, kind):
    return next((one for one in classes if issubclass(kind, one)), None)


def _items() -> None:
    """Compute an item's size once instead of once per attribute, and copy items without the generic protocol."""
    from moto.dynamodb.exceptions import ItemSizeTooLarge
    from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict, bytesize

    def fill(self, hash_key, range_key, attrs):
        self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
        values = {name: DynamoType(value) for name, value in attrs.items()}
        if sum(bytesize(name) + value.size() for name, value in values.items()) > SIZE_LIMIT:
            raise ItemSizeTooLarge
        dict.update(self.attrs, values)

    def copy_value(self, memo):
        new = object.__new__(DynamoType)
        new.type = self.type
        new.value = self.value if isinstance(self.value, (str, bytes, bool)) else copy.deepcopy(self.value, memo)
        return new

    def copy_item(self, memo):
        new = Item.__new__(Item)
        new.hash_key, new.range_key = copy.deepcopy(self.hash_key, memo), copy.deepcopy(self.range_key, memo)
        new.attrs = LimitedSizeDict()
        dict.update(new.attrs, {name: copy.deepcopy(value, memo) for name, value in self.attrs.items()})
        return new

    Item.__init__, Item.__deepcopy__, DynamoType.__deepcopy__ = fill, copy_item, copy_value
