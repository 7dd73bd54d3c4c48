"""Hostile scorecards and texts, each of which has to end in a clear failure.

`python -m tests.integration.plexus.hostile` runs all.
Each case runs in a fork of this process whose address space may grow by its limit and no more, and prints a line of
JSON: how it ended, and how much memory and work it took.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import plexus
from plexus import limits
from plexus.language.expression import Expression
from plexus.language.templates import Template
from plexus.limits import Meter
from plexus.values import Result

MIB = 2**20
#: How much a process may grow for an evaluation: its limit of counted bytes, and what its values take uncounted.
EVALUATION_MIB = 160
SCORE_MIB = 700
CPU_SECONDS = 120

WORDS = 20_000
TEXT = " ".join(f"w{n:03}" for n in range(WORDS))  # 20,000 words, 100 kB
LETTERS = "a" * 999_999
BIG = [["x" * 10, n] for n in range(20_000)]
VALUES: dict[str, object] = {
    "text": TEXT,
    "letters": LETTERS,
    "digits": "9" * 900_000,
    "spaces": " " * 999_999,
    "arabic": "\ufdfa" * 900_000,
    "emoji": "\N{GRINNING FACE} " * 450_000,
    "controls": "\x01" * 900_000,
    "metadata": {"big": BIG, "same": [list(pair) for pair in BIG], "channel": "mail"},
    "results": {"A": Result("Yes", TEXT, trace={"matches": BIG})},
}
_LOOP = "{% for w in text.split() %}BODY{% endfor %}"
_DOUBLED = reduce(lambda made, n: f"[[v{n}, v{n}] for v{n} in {made}]", range(30), "[1]")

EXPRESSIONS = {
    "contains in a loop": "[contains(text, w) for w in words(text)]",
    "contains of new texts": "[contains(text + w, w) for w in words(text)]",
    "upper in a loop": "[text.upper() for w in words(text)]",
    "title in a loop": "[text.title() == w for w in words(text)]",
    "in a text, in a loop": "[w + '!' in text for w in words(text)]",
    "in a list, in a loop": "[w + '!' in words(text) for w in words(text)]",
    "split in a loop": "[len(text.split('w')) for w in words(text)]",
    "kept pieces": "[words(text) for w in words(text)]",
    "sorted in a loop": "[sorted(words(text))[0] for w in words(text)]",
    "fold in a loop": "[fold(text + w) == w for w in words(text)]",
    "fold that grows eighteenfold": "fold(arabic)",
    "contains that grows eighteenfold": "contains(arabic, 'x')",
    "count in a loop": "[text.count('w' + w) for w in words(text)]",
    "find in a loop": "[text.find('w' + w) for w in words(text)]",
    "compared in a loop": "[text + 'a' == text + w for w in words(text)]",
    "slices in a loop": "[letters[1:] for w in words(text)]",
    "slices that die": "[len(letters[1:]) for w in words(text)]",
    "joined in a loop": "[letters + w for w in words(text)]",
    "joined many times": " + ".join(["letters"] * 200),
    "repetition": "letters * 1000000",
    "strip of every letter": "(letters + 'b').strip(letters[1:] + 'c')",
    "strip in a loop": "[text.strip(text) for w in words(text)]",
    "startswith in a loop": "[letters.startswith(letters) for w in words(text)]",
    "sum of lists": "sum([[w] for w in words(text)], [])",
    "sum of long lists": "sum([words(text) for w in [1, 2, 3, 4, 5, 6, 7, 8, 9]], [])",
    "text of a list in a loop": "[str(metadata['big']) == w for w in words(text)]",
    "text of a result in a loop": "[str(results) == w for w in words(text)]",
    "text of control characters": "[str([controls]), str([controls, controls])]",
    "f-strings in a loop": "[f'{text}{text}{w}' for w in words(text)]",
    "f-string of many": "f'{letters}" + "{letters}" * 400 + "'",
    "format width": "f'{letters:>1000000000}'",
    "lists compared in a loop": "[metadata['big'] == metadata['same'] for w in words(text)]",
    "lists that double": f"str({_DOUBLED})",
    "list of many texts": "[" + ", ".join(["letters + 'a'"] * 300) + "]",
    "arguments of many texts": "max(" + ", ".join(["letters + 'a'"] * 300) + ")",
    "map of many texts": "{" + ", ".join(f"{n}: emoji + 'a'" for n in range(200)) + "}",
    "huge integers": "[999999999999999999 * 999999999999999999 * int(w[1:]) for w in words(text)]",
    "digits": "int(digits) > 1",
    "many patterns": "[matches(text, w + '(.{0,900}y){1}') for w in words(text)]",
    "pattern in a loop": "[matches(emoji, '(a+)+(b|.*c){9}$') for w in words(text)]",
    "pattern of a text": "matches(text, letters)",
    "three loops": "[1 for a in text for b in text for c in text]",
}
TEMPLATES = {
    "wordcount": _LOOP.replace("BODY", "{% if text|wordcount < 5 %}x{% endif %}"),
    "list and sort": _LOOP.replace("BODY", "{% if text|list|sort|first == w %}x{% endif %}"),
    "tojson": _LOOP.replace("BODY", "{% set x = text|tojson %}"),
    "tojson of tojson": "{{ controls" + "|tojson" * 30 + " }}",
    "tojson with an indent": "{{ [[1]]|tojson(indent=1000000000) }}",
    "upper": _LOOP.replace("BODY", "{% if text|upper == w %}x{% endif %}"),
    "title": _LOOP.replace("BODY", "{% if text|title == w %}x{% endif %}"),
    "escape": _LOOP.replace("BODY", "{% if text|e == w %}x{% endif %}"),
    "unique": _LOOP.replace("BODY", "{% if text|unique|list == w %}x{% endif %}"),
    "select": _LOOP.replace("BODY", "{% if text|select('eq', text)|list == w %}x{% endif %}"),
    "replace": _LOOP.replace("BODY", "{% if text|replace(w, '') == w %}x{% endif %}"),
    "trim": _LOOP.replace("BODY", "{% if text|trim(text) == w %}x{% endif %}"),
    "in": _LOOP.replace("BODY", "{% if w ~ '!' in text %}x{% endif %}"),
    "chain": _LOOP.replace("BODY", "{% if w in text in text %}x{% endif %}"),
    "equal": _LOOP.replace("BODY", "{% if letters == letters ~ '' %}x{% endif %}"),
    "is lower": _LOOP.replace("BODY", "{% if text is upper %}x{% endif %}"),
    "slice": _LOOP.replace("BODY", "{% if letters[::-1] == w %}x{% endif %}"),
    "split": _LOOP.replace("BODY", "{% if text.split('w')|length < 3 %}x{% endif %}"),
    "method": _LOOP.replace("BODY", "{% if text.upper() == w %}x{% endif %}"),
    "method with a name": _LOOP.replace("BODY", "{% if text.split(maxsplit=90000) == w %}x{% endif %}"),
    "captured": "{% set x %}" + _LOOP.replace("BODY", "{{ text }}") + "{% endset %}{{ x|length }}",
    "captured words of the template": "{% set x %}"
    + _LOOP.replace("BODY", "y" * 100_000)
    + "{% endset %}{{ x|length }}",
    "concatenation": "{{ " + " ~ ".join(["letters"] * 3000) + " }}",
    "concatenation in a loop": _LOOP.replace("BODY", "{% if text ~ w %}{% endif %}"),
    "addition": "{{ " + " + ".join(["letters"] * 300) + " }}",
    "list of many": "{{ [" + ", ".join(["letters|upper"] * 3000) + "]|length }}",
    "map of many": "{{ {" + ", ".join(f"{n}: letters|upper" for n in range(3000)) + "}|length }}",
    "many variables": "".join(f"{{% set x{n} = emoji|upper %}}" for n in range(500)),
    "kept in a loop": "{% set ns = [] %}" + _LOOP.replace("BODY", "{% set x = emoji|upper|list %}{% set y = x|sort %}"),
    "many tests": _LOOP.replace("BODY", "{% if " + " or ".join(["w == text"] * 2000) + " %}x{% endif %}"),
    "sum of lists": "{{ text.split('w')|list|sum(start=[]) }}{{ " + "metadata.big|sum(start=[])|length }}",
    "join": "{{ letters|list|join(text) }}",
    "dictsort": "{% for w in text.split() %}{% if {'a': metadata.big}|dictsort == w %}x{% endif %}{% endfor %}",
    "key of many": "{% set t = (" + "1, " * 5000 + ") %}" + _LOOP.replace("BODY", "{{ metadata[t] is defined }}"),
    "text of a list": _LOOP.replace("BODY", "{% if metadata.big ~ '' == w %}x{% endif %}"),
    "printed in a loop": _LOOP.replace("BODY", "{{ metadata.big }}"),
    "length of a loop": "{% for a in letters %}{{ loop.length }}{% endfor %}",
    "format": "{{ '%1000000000d'|format(1) }}",
    "round": "{{ 5|round(1000000000, 'ceil') }}",
}


@dataclass(frozen=True)
class Card:
    """A score, as YAML, with the text that is hostile to it."""

    score: str
    text: str
    seconds: float | None = None
    metadata: dict[str, object] | None = None


_PHRASE = "ab" * 400
CARDS = {
    "composite": Card("{class: CompositeScore, expression: '[text.upper() for w in words(text)]'}", TEXT),
    "millions of matches": Card("{class: KeywordClassifier, keywords: [a]}", "a " * 4_000_000),
    "millions of pattern matches": Card("{class: KeywordClassifier, patterns: [a]}", "a" * 5_000_000),
    "fuzzy windows": Card(
        f"{{class: KeywordClassifier, keywords: [a], processors: [{{class: RelevantWindows, keywords: ['{_PHRASE}'], "
        "fuzzy: true}]}".replace("processors", "item: {processors").replace("true}]}", "true}]}}"),
        ("ba" * 400 + " ") * 2_000,
        seconds=1.0,
    ),
    "processors past the deadline": Card(
        "{class: KeywordClassifier, keywords: [a], item: {processors: [{class: RemoveStopWords}]}}", TEXT, seconds=0.0
    ),
}


def cases() -> dict[str, tuple[int, Callable[[], object]]]:
    """Return every case by its name: the MiB by which its process may grow, and what it runs."""
    listed: dict[str, tuple[int, Callable[[], object]]] = {}
    for name, source in EXPRESSIONS.items():
        listed[f"expression: {name}"] = EVALUATION_MIB, partial(_evaluate, source)
    for name, source in TEMPLATES.items():
        listed[f"template: {name}"] = EVALUATION_MIB, partial(_render, source)
    for name, card in CARDS.items():
        listed[f"card: {name}"] = SCORE_MIB, partial(_score, card)
    return listed


def _evaluate(source: str) -> object:
    return Expression(source)(VALUES)


def _render(source: str) -> str:
    return Template(source).render(VALUES)


def _score(card: Card) -> object:
    loaded = plexus.load(f"name: n\nkey: k\nscores: [{card.score.replace('{', '{name: S, ', 1)}]")
    deadline = None if card.seconds is None else time.monotonic() + card.seconds
    return plexus.score(
        loaded, "S", plexus.Item(card.text, card.metadata or {}), context=plexus.Context(deadline=deadline)
    )


def run(name: str, mib: int, case: Callable[[], object]) -> dict[str, object]:
    """Run a case in a fork; returns its outcome, `growth` in MiB, and the work and looks of its dearest meter."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            json.dump(_measure(mib, case), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    ended = json.loads(text) if text else {"error": f"killed: {os.waitstatus_to_exitcode(status)}", "message": ""}
    return {"name": name, "limit": mib, **ended}


def _measure(mib: int, case: Callable[[], object]) -> dict[str, object]:
    meters: list[Meter] = []
    create = Meter.__init__

    def record(meter: Meter, *arguments: Any, **named: Any) -> None:
        create(meter, *arguments, **named)
        if len(meters) < 1000:
            meters.append(meter)

    # A process of its own, in which nothing is restored.
    Meter.__init__ = record  # type: ignore[method-assign, assignment]
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + mib * MIB, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    error, message = "none", ""
    try:
        message = str(case())[:60]
    except BaseException as raised:
        error, message = type(raised).__name__, str(raised)
    used = resource.getrusage(resource.RUSAGE_SELF)
    dearest = max(meters, key=lambda meter: meter.work, default=Meter("none"))
    return {
        "error": error,
        "message": message,
        "growth": (used.ru_maxrss - before) / 1024,
        "cpu": used.ru_utime + used.ru_stime,
        "work": dearest.work,
        "checks": dearest.checks,
        "maximum_work": dearest.maximum_work,
    }


def lines() -> Iterator[str]:
    """Yield one line of JSON for each case."""
    Template("{{ text|upper }}").render(VALUES)  # imports Jinja2 once, before the forks
    Expression("matches(text, 'a')")(VALUES)
    for name, (mib, case) in cases().items():
        yield json.dumps(run(name, mib, case))


if __name__ == "__main__":
    assert limits.EVALUATION_BYTES < EVALUATION_MIB * MIB
    for line in lines():
        print(line, flush=True)
    sys.exit(0)
