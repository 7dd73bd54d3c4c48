"""Loops in the original's Python: the translated expressions give what Python gives, or the loop is refused."""

import textwrap
from typing import Any

import pytest

from plexus.exceptions import ScoringFailed
from plexus.language.expression import Expression
from plexus.original.python_code import read_classifier, read_node
from plexus.original.python_names import Names, UnsupportedCode

TEXTS = (
    "",
    "Flight: SK 12\nEvidence: the agent said SK 12\nFlight: SK 14",
    "Seat: 4A\n\nFlight:  SK 9 \nnote, long enough to count\nFlight:",
    "Evidence: none\nBag: 2\nBag: 3\nskip this\nBag: x",
)
LOOPS = {
    "keys of a map": """
        result = {}
        for line in context['text'].split('\\n'):
            if line.startswith('Flight:'):
                result['flight'] = line.replace('Flight:', '').strip()
            elif line.startswith('Evidence:'):
                result['evidence'] = line.replace('Evidence:', '').strip()
        return result""",
    "names with a value before": """
        flight = None
        evidence = "none"
        if context['text']:
            lines = context['text'].strip().split('\\n')
            for line in lines:
                line = line.strip()
                if line.startswith('Flight:'):
                    flight = line.replace('Flight:', '').strip()
                elif line.startswith('Evidence:'):
                    evidence = line.replace('Evidence:', '').strip()
        return {"flight": flight, "evidence": evidence}""",
    "two values of one name": """
        kind = "none"
        for line in context['text'].split('\\n'):
            if 'Flight' in line:
                kind = "flight"
            elif 'Bag' in line:
                kind = "bag"
            elif 'Seat' in line:
                kind = line
        return {"flight": kind, "evidence": len(kind)}""",
    "lists, in the order of the turns": """
        seen = []
        for line in context['text'].split('\\n'):
            if 'Bag' in line:
                seen.append('b' + line)
            if len(line) > 7:
                seen.append(line)
            else:
                seen.append('short')
        return {"flight": ", ".join(seen), "evidence": len(seen)}""",
    "counts and texts": """
        count = 0
        words = ""
        for line in context['text'].split('\\n'):
            if not line:
                continue
            count += 1
            label = line.split(':')[0]
            if len(label) < 7:
                words += label + ";"
        return {"flight": count, "evidence": words}""",
    "the first only": """
        first = "none"
        for line in context['text'].split('\\n'):
            if line.startswith('Flight'):
                first = line
                break
        return {"flight": first, "evidence": first.lower()}""",
    "a return in the loop": """
        for line in context['text'].split('\\n'):
            label = line.split(':')[0]
            if label == 'Bag':
                size = len(line)
                return {"flight": line.upper(), "evidence": size}
        return {"flight": "none", "evidence": 0}""",
    "a loop behind another": """
        lines = []
        for line in context['text'].split('\\n'):
            lines.append(line.strip())
        bags = []
        for line in lines:
            if line.startswith('Bag'):
                bags.append(line)
        return {"flight": ",".join(bags), "evidence": len(lines)}""",
}


def run_python(code: str, text: str) -> dict[str, Any]:
    """Return what Python itself makes of the code, with None for a key that it does not set."""
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102 - this file's own code
    return {"flight": None, "evidence": None, **space["execute"]({"text": text, "metadata": {}})}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_gives_what_python_gives(name: str) -> None:
    """For every text, each value is that of the Python."""
    code = "def execute(context):" + textwrap.indent(textwrap.dedent(LOOPS[name]), "    ")
    wanted = {"flight": "flight", "evidence": "evidence"}
    expressions = {key: Expression(source) for key, source in read_node(code, "execute", wanted, Names(())).items()}
    for text in TEXTS:
        values = {key: each({"text": text, "metadata": {}}) for key, each in expressions.items()}
        assert values == run_python(code, text)


def test_a_loop_of_a_classifier_that_returns_is_the_first_match() -> None:
    """`for … if … return Score.Result(…)` is the result of the first turn that returns, else of what follows."""
    code = textwrap.dedent("""
        def score(parameters, input):
            for passenger in input.metadata.get('passengers', []):
                if passenger.get('age', 99) < 18:
                    return Score.Result(parameters=parameters, value="Minor", explanation=passenger['name'])
            return Score.Result(parameters=parameters, value="Adults", explanation="")
    """)
    value, metadata, _ = read_classifier(code, Names(()))
    passengers = [{"name": "A", "age": 40}, {"name": "B", "age": 9}, {"name": "C", "age": 3}]
    for listed, wanted in ((passengers, ("Minor", "B")), (passengers[:1], ("Adults", "")), ([], ("Adults", ""))):
        values = {"text": "", "metadata": {"passengers": listed}}
        assert (Expression(value)(values), Expression(metadata["explanation"])(values)) == wanted


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("last = ''\nfor line in text.split(','):\n    if line != last:\n        last = line", "reads 'last'"),
        ("n = 0\nfor line in text.split(','):\n    while n:\n        n += 1", "more than collecting"),
        ("n = 0\nfor i, line in enumerate(text):\n    n += i", "of the kind For"),
        ("n = 0\nfor line in text.split(','):\n    n += 1\n    if n > 2:\n        break", "reads 'n'|in several ways"),
        (
            "n = {}\nfor line in text.split(','):\n    n['a'] = line\nn = n.get('a', 'none')",
            "some keys on some paths only",
        ),
    ],
)
def test_a_loop_that_is_more_than_collecting_is_refused(body: str, problem: str) -> None:
    """What a turn takes from an earlier one, nested loops without an end, and maps that may lack a key are refused."""
    code = "def execute(context):\n    text = context['text']\n" + textwrap.indent(body, "    ")
    name = "last" if "last" in body else "n"
    with pytest.raises(UnsupportedCode, match=problem):
        read_node(f"{code}\n    return {{'x': {name}}}", "execute", {}, Names(()))


def test_an_empty_first_match_never_becomes_a_value() -> None:
    """An index that does not exist fails as in Python, where the loop reads one."""
    code = textwrap.dedent("""
        def execute(context):
            names = []
            for x in context['text']:
                if x == 'y':
                    names.append(x)
            return {'x': names[0]}
    """)
    (source,) = read_node(code, "execute", {}, Names(())).values()
    with pytest.raises(ScoringFailed):
        Expression(source)({"text": "abc", "metadata": {}})
