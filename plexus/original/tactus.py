"""Scores in Tactus, the original's Lua: a `ClassifyProcedure` alone becomes a Classifier; nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from plexus.document import Yaml
from plexus.original.notes import Notes

_TOKEN = re.compile(
    r"(?P<space>\s+|--\[(?P<c>=*)\[.*?\](?P=c)\]|--[^\n]*)|\[(?P<level>=*)\[\n?(?P<long>.*?)\](?P=level)\]"
    r"|(?P<quote>[\"'])(?P<short>(?:\\.|(?!(?P=quote))[^\\\n])*)(?P=quote)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign>[{}(),;=])",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CONSTANTS: dict[str, Yaml] = {"true": True, "false": False, "nil": None}
_NODE = {"max_retries": "maximum_retry_count"}
_MODEL = ("temperature", "max_tokens", "reasoning_effort", "verbosity")
_MESSAGES = ("system_message", "user_message", "prompt")
_UNUSED = ("name", "confidence_mode")
#: Keys of the score that the original ignores in this class.
_IGNORED = ("model_provider", "model_name", "model_region", "temperature", "max_tokens", "top_p", "reasoning_effort")
_ADVICE = "next: write its steps as the nodes of a LangGraphScore"


class _Unsupported(Exception):
    """More than a ClassifyProcedure; `line` is that of the code, from 1."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        super().__init__(f"line {line} of the code: {what}. {_ADVICE}")


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def translate_tactus(score: dict[str, Yaml], notes: Notes) -> None:
    """Replace a TactusScore by a LangGraphScore of one Classifier, whose model is named; note what it cannot be."""
    code = score.pop("code", score.pop("tactus_code", None))
    for key in (*_IGNORED, "output"):
        if key in score:
            notes.add("dropped", "the original does not read it in a TactusScore: the code names the model", key)
            del score[key]
    score["class"] = "LangGraphScore"
    try:
        procedure = _read(str(code or ""))
        score |= _create_graph(procedure)
    except _Unsupported as error:
        notes.add("unsupported", str(error), "code", line=error.line)
        score["graph"] = [{"name": "classify", "class": "LogicalNode", "set": {"value": "''"}}]
        score["output"] = {"value": "value"}
        return
    notes.add("renamed", "ClassifyProcedure is a Classifier", "code")
    message = (
        "the model gets the user message itself, the original's as JSON; the explanation keeps the line of the class"
    )
    notes.add("changed", message, "code")


def _create_graph(procedure: dict[str, Yaml]) -> dict[str, Yaml]:
    provider, _, model = str(procedure["model"]).rpartition("/")
    messages = {key: _join(procedure[key]) for key in _MESSAGES if procedure.get(key)}
    prompt = messages.pop("prompt", "")
    # The original renders the user message alone: a brace in the other one is a brace.
    system = messages.get("system_message", prompt)
    user = messages.get("user_message", prompt if "system_message" in messages else "{{ text }}")
    node: dict[str, Yaml] = {"name": "classify", "class": "Classifier", "valid_classes": procedure["classes"]}
    node["system_message"] = f"{{% raw %}}{system}{{% endraw %}}" if "{" in system else system
    node["user_message"] = user
    node["maximum_retry_count"] = procedure.get("max_retries", 3)
    if procedure.get("parse_direction") == "start":
        node["parse_from_start"] = True
    sent = {key: procedure[key] for key in _MODEL if procedure.get(key) is not None}
    if not model.startswith(("gpt-5", "gpt-6")):
        sent.setdefault("temperature", 0)
    return {
        "model_provider": provider or "openai",
        "model_name": model,
        **sent,
        "graph": [node],
        "output": {"value": "classify.classification", "explanation": "classify.explanation"},
    }


def _join(message: Yaml) -> str:
    return "\n\n".join(map(str, message)) if isinstance(message, list) else str(message)


def _read(code: str) -> dict[str, Yaml]:
    """Return the keys of the ClassifyProcedure, with its model."""
    tokens = _Tokens(code)
    model: Yaml = None
    procedure: dict[str, Yaml] | None = None
    while tokens.now.kind != "end":
        name = tokens.take("name")
        value = tokens.take_argument()
        if name.text == "default_model":
            model = value
        elif name.text == "ClassifyProcedure" and isinstance(value, dict) and procedure is None:
            procedure = value
        else:
            raise _Unsupported(name.line, f"expected default_model and one ClassifyProcedure, got {name.text!r}")
    if procedure is None:
        raise _Unsupported(1, "it has no ClassifyProcedure")
    procedure.setdefault("model", model)
    known = {*_MESSAGES, *_MODEL, *_UNUSED, "model", "classes", "max_retries", "parse_direction"}
    if unknown := [key for key in procedure if key not in known]:
        raise _Unsupported(1, f"ClassifyProcedure has the key {unknown[0]!r}")
    for key in ("model", "classes"):
        if not procedure.get(key):
            raise _Unsupported(1, f"ClassifyProcedure has no {key!r}")
    if not (procedure.get("prompt") or procedure.get("system_message")):
        raise _Unsupported(1, "ClassifyProcedure has neither 'system_message' nor 'prompt'")
    return procedure


class _Tokens:
    """The tokens of the code, read one by one."""

    def __init__(self, code: str) -> None:
        self.tokens = _split(code)
        self.now = next(self.tokens)

    def take(self, kind: str, text: str = "") -> _Token:
        """Return the present token, and go on to the next; it has to be of this kind."""
        token = self.now
        if token.kind != kind or (text and token.text != text):
            raise _Unsupported(token.line, f"expected {text or f'a {kind}'}, got {token.text[:40]!r}")
        self.now = next(self.tokens, _Token("end", "", token.line))
        return token

    def take_argument(self) -> Yaml:
        """Return the one argument of a call, with or without brackets."""
        if (self.now.kind, self.now.text) != ("sign", "("):
            return self._take_value()
        self.take("sign", "(")
        value = self._take_value()
        self.take("sign", ")")
        return value

    def _take_value(self) -> Yaml:
        token = self.now
        if (token.kind, token.text) == ("sign", "{"):
            return self._take_table()
        if token.kind == "text":
            return self.take("text").text
        if token.kind == "number":
            number = float(self.take("number").text)
            return int(number) if number.is_integer() else number
        if token.kind == "name" and token.text in _CONSTANTS:
            return _CONSTANTS[self.take("name").text]
        raise _Unsupported(token.line, f"expected a text, a number or a table, got {token.text[:40]!r}")

    def _take_table(self) -> Yaml:
        self.take("sign", "{")
        listed: list[Yaml] = []
        keyed: dict[str, Yaml] = {}
        while (self.now.kind, self.now.text) != ("sign", "}"):
            if self.now.kind == "name" and self.now.text not in _CONSTANTS:
                name = self.take("name").text
                self.take("sign", "=")
                keyed[name] = self._take_value()
            else:
                listed.append(self._take_value())
            if self.now.text in (",", ";"):
                self.take("sign")
        self.take("sign", "}")
        return keyed or listed


def _split(code: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise _Unsupported(line, f"got {code[at : at + 20]!r}")
        if match["space"] is None:
            if match["long"] is not None:
                yield _Token("text", match["long"], line)
            elif match["short"] is not None:
                text = re.sub(
                    r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["short"], flags=re.DOTALL
                )
                yield _Token("text", text, line)
            else:
                kind = next(name for name in ("name", "number", "sign") if match[name] is not None)
                yield _Token(kind, match[0], line)
        line += match[0].count("\n")
        at = match.end()
    yield _Token("end", "", line)
