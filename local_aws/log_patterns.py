"""Filter patterns of CloudWatch Logs: terms, phrases, alternatives, exclusions, and selectors of JSON."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Matcher = Callable[[str], bool]
TERM = re.compile(r"""\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))""")
SELECTOR = re.compile(
    r"\s*(?:(?P<join>&&|\|\||[()])|(?P<path>\$[.\w\[\]]+)\s*(?P<op>!=|<=|>=|=|<|>)\s*(?P<value>"
    r""""(?:[^"\\]|\\.)*"|[^\s()&|]+))"""
)
ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_pattern(pattern: str) -> Matcher:
    """Return whether a message matches the pattern, as a function; an empty pattern matches all.

    Raises ValueError for what CloudWatch Logs refuses, and for patterns of fields and regular expressions, which are
    not evaluated here.
    """
    text = pattern.strip()
    if text.startswith("{") and text.endswith("}"):
        return _parse_selector(text[1:-1])
    if text.startswith("[") or "%" in text:
        raise ValueError(f"filter pattern {pattern!r}: fields and regular expressions are not evaluated here")
    return _parse_terms(text)


def _parse_terms(text: str) -> Matcher:
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(text):
        match = TERM.match(text, position)
        if match is None:
            raise ValueError(f"filter pattern {text!r}: a quotation mark is not closed")
        word = match["word"]
        if word is not None and not re.fullmatch(r"\w+", word):
            raise ValueError(f"filter pattern {text!r}: got {word!r}, expected it in double quotes")
        terms[match["sign"]].append(word if word is not None else re.sub(r"\\(.)", r"\1", match["phrase"]))
        position = match.end()
    required, alternatives, excluded = terms[""], terms["?"], terms["-"]
    if required or excluded:
        alternatives = []  # CloudWatch ignores alternatives beside other terms

    def matches(message: str) -> bool:
        return (
            all(term in message for term in required)
            and not any(term in message for term in excluded)
            and (not alternatives or any(term in message for term in alternatives))
        )

    return matches


@dataclass(frozen=True)
class _Condition:
    """A comparison as written, the path of the JSON member that it compares, and the test of the member's value."""

    text: str
    path: str
    test: Callable[[Any], bool]

    def holds(self, record: object) -> bool:
        """Return whether the record has the member, and its value passes the test."""
        member: Any = record
        for name in re.findall(r"\w+", self.path[1:]):
            if isinstance(member, list) and name.isdecimal() and int(name) < len(member):
                member = member[int(name)]
            elif isinstance(member, dict) and name in member:
                member = member[name]
            else:
                return False
        return self.test(member)


def _parse_test(sign: str, value: str) -> Callable[[Any], bool]:
    """Return the test of an operator and a value: numbers by their order, others as text in which `*` matches any.

    Raises ValueError if the operator orders and the value is not a number, or if a quoted value is not a JSON string.
    """
    if sign in ORDER:
        compare, number = ORDER[sign], float(value)
        return lambda member: isinstance(member, int | float) and compare(member, number)
    pattern = re.sub(r"([\[?])", r"[\1]", json.loads(value) if value.startswith('"') else value)
    return lambda member: (
        fnmatchcase(member if isinstance(member, str) else json.dumps(member), pattern) == (sign == "=")
    )


def _parse_condition(match: re.Match[str]) -> _Condition:
    text = match[0].strip()
    try:
        return _Condition(text, match["path"], _parse_test(match["op"], match["value"]))
    except ValueError:
        expected = "a number" if match["op"] in ORDER else "a string as in JSON"
        raise ValueError(f"filter pattern: {text}: got {match['value']}, expected {expected}") from None


def _parse_selector(text: str) -> Matcher:
    """Translate conditions, && and ||, and brackets; && binds more tightly."""
    tokens: list[str | _Condition] = []
    position, text = 0, text.strip()
    while position < len(text):
        match = SELECTOR.match(text, position)
        if match is None:
            raise ValueError(f"filter pattern {{{text}}}: not understood at {text[position:]!r}")
        tokens.append(match["join"] or _parse_condition(match))
        position = match.end()
    tree = _parse_or(tokens)
    if tokens:
        raise ValueError(f"filter pattern {{{text}}}: got {getattr(tokens[0], 'text', tokens[0])!r} after its end")

    def matches(message: str) -> bool:
        try:
            record = json.loads(message)
        except ValueError:
            return False
        return tree(record)

    return matches


Tree = Callable[[object], bool]


def _parse_or(tokens: list[str | _Condition]) -> Tree:
    parts = [_parse_and(tokens)]
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        parts.append(_parse_and(tokens))
    return lambda record: any(part(record) for part in parts)


def _parse_and(tokens: list[str | _Condition]) -> Tree:
    parts = [_parse_operand(tokens)]
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        parts.append(_parse_operand(tokens))
    return lambda record: all(part(record) for part in parts)


def _parse_operand(tokens: list[str | _Condition]) -> Tree:
    first = tokens.pop(0) if tokens else None
    if isinstance(first, _Condition):
        return first.holds
    if first != "(":
        raise ValueError(f'filter pattern: got {first or "its end"}, expected a condition such as $.level = "ERROR"')
    inner = _parse_or(tokens)
    if not tokens or tokens.pop(0) != ")":
        raise ValueError("filter pattern: a bracket is not closed")
    return inner
