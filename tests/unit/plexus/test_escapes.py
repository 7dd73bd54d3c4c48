"""Hostile expressions and templates: no access beyond their values, and bounded time and size."""

import functools
import os
from typing import Any

import pytest

from plexus.exceptions import LimitExceeded, PlexusError, ScoringFailed
from plexus.language.expression import MAXIMUM_STEPS, Expression
from plexus.language.rendering import MAXIMUM_TURNS
from plexus.language.templates import Template
from plexus.values import Result

SECRET = "a-secret-of-the-environment"
VALUES: dict[str, Any] = {
    "text": "some text of a customer " * 50,
    "metadata": {"channel": "mail"},
    "results": {"A": Result("Yes", "because")},
}

#: Lists of lists that share their parts: 30 steps, and a billion values where it is written out or compared.
DOUBLED = functools.reduce(lambda made, n: f"[[v{n}, v{n}] for v{n} in {made}]", range(30), "[1]")
EXPRESSIONS = [
    "().__class__",
    "''.__class__.__mro__[1].__subclasses__()",
    "text.__len__()",
    "results['A'].__class__",
    "results['A'].__dict__",
    "results['A'].trace",
    "metadata.__init__.__globals__",
    "getattr(text, 'upper')",
    "vars()",
    "globals()",
    "locals()",
    "dir()",
    "type(text)",
    "open('/etc/passwd')",
    "__import__('os').environ",
    "__builtins__",
    "exec('1')",
    "eval('1')",
    "compile('1', '', 'eval')",
    "input()",
    "breakpoint()",
    "memoryview(text)",
    "lambda: 1",
    "(x := 1)",
    "[x for x in (1).__class__.__bases__]",
    "(x for x in text).gi_frame",
    "[g.gi_frame for g in [(x for x in text)]]",
    "'{0.__class__}'.format(text)",
    "'{0.__class__}'.format_map(metadata)",
    "f'{text.__class__}'",
    "f'{text!r:>10000000000}'",
    "f'{1:1000000000}'",
    "'%1000000000d' % 1",
    "'x' * 1000000000",
    "[0] * 1000000000",
    "text.ljust(1000000000)",
    "text.center(1000000000)",
    "text.zfill(1000000000)",
    "text.replace('e', text).replace('e', text).replace('e', text)",
    "text.replace('', text).replace('', text)",
    "text.join([a for a in text for b in text])",
    "text.encode()",
    "text.translate(metadata)",
    "9 ** 9 ** 9",
    "1 << 100000000",
    "10 ** 18 * 10",
    "999999999999999999 * 999999999999999999",
    "range(10 ** 9)",
    "list(range(10 ** 9))",
    "[1 for a in text for b in text for c in text for d in text]",
    "sum([1 for a in text for b in text for c in text])",
    "{**metadata}",
    "max(*[1, 2])",
    "sorted(text, key=len)",
    "print(text)",
    "text.upper.__self__",
    "await text",
    "yield text",
    "import os",
    "text; text",
    "assert text",
    "-" * 3000 + "1",
    "(" * 300 + "1" + ")" * 300,
    "int('9' * 5000)",
    "matches(text, '(')",
    "1 / 0",
    "metadata['no']",
    "text[10 ** 9]",
    "round(5, -100000000)",
    f"str({DOUBLED})",
    f"{{({DOUBLED}): 1}}",
    "results.clear()",
    "metadata.pop('channel')",
    "metadata.update({'a': 1})",
]


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_a_hostile_expression_fails_with_a_library_error(source: str) -> None:
    """A hostile expression fails with a library error that quotes no value of the text."""
    with pytest.raises(PlexusError) as caught:
        Expression(source)(VALUES)
    assert isinstance(caught.value, ScoringFailed)
    assert "customer" not in str(caught.value)


def test_an_expression_has_a_budget_of_steps() -> None:
    """Loops are bounded by steps, not by a clock."""
    with pytest.raises(LimitExceeded, match=f"more than {MAXIMUM_STEPS} steps"):
        Expression("[a for a in text for b in text]")(VALUES)


def test_a_loop_keeps_its_variable_to_itself() -> None:
    """A comprehension's variable does not change the name outside it."""
    assert Expression("len([text for text in words(text)]) == 200 + 50 and 'of a customer' in text")(VALUES) is True


def test_the_budget_covers_a_loop_over_a_long_call() -> None:
    """The step budget covers a loop over 20,000 words."""
    assert Expression("any(w == 'refund' for w in words(t))")({"t": "word " * 19_999 + "refund"}) is True


def test_a_missing_result_is_named() -> None:
    """Reading the result of a skipped score fails with that score's name."""
    with pytest.raises(ScoringFailed, match=r"\['B'\], which does not exist"):
        Expression("results['B'].value")(VALUES)


def test_a_hard_pattern_takes_linear_time() -> None:
    """A pattern that hangs backtracking engines matches in linear time."""
    assert Expression("matches(t, '(a+)+$')")({"t": "a" * 50_000 + "b"}) is False


TEMPLATES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ text.__class__.__mro__[1].__subclasses__() }}",
    "{{ results['A'].__init__.__globals__ }}",
    "{{ results['A'].as_dict() }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ range(1000000000) }}",
    "{{ dict(a=1) }}",
    "{{ config }}",
    "{{ request }}",
    "{{ get_flashed_messages() }}",
    "{{ url_for('x') }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import environ %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% call text.upper() %}{% endcall %}",
    "{% for each in [text] recursive %}{{ loop([text]) }}{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{0.__class__}'.format(text) }}",
    "{{ text.format_map(metadata) }}",
    "{{ text|center(1000000000) }}",
    "{{ text|indent(1000000000) }}",
    "{{ text|batch(1, 'x')|list }}",
    "{{ text|wordwrap(1) }}",
    "{{ text|replace('', text * 1) }}",
    "{{ text|replace('e', text)|replace('e', text)|replace('e', text) }}",
    "{{ text.replace('e', text).replace('e', text).replace('e', text) }}",
    "{{ text.ljust(1000000000) }}",
    "{{ text.zfill(1000000000) }}",
    "{{ text.expandtabs(1000000000) }}",
    "{{ text.join(text) }}",
    "{{ text.encode() }}",
    "{% for a in text %}{% for b in text %}{% for c in text %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in text %}{% for b in text %}{{ text }}{% endfor %}{% endfor %}",
    "".join(f"{{% set x{n + 1} = x{n} ~ x{n} %}}" for n in range(1, 40)).replace("x1 ~ x1", "text ~ text", 1),
    "{% set x0 = [1] %}" + "".join(f"{{% set x{n + 1} = [x{n}, x{n}] %}}" for n in range(30)) + "{{ x30 }}",
    "{{ text.split()|join(text ~ text ~ text ~ text ~ text) }}",
    "{{ 5|round(-100000000) }}",
    "{{ 5|round(100000000, 'ceil') }}",
    "{{ metadata.update({'a': 1}) }}",
    "{{ metadata.clear() }}",
    "{{ metadata.pop('channel') }}",
    "{{ text|map(attribute='__class__')|list }}",
    "{{ text.upper.__self__ }}",
    "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "{{ 1 / 0 }}",
    "{{ nothing }}",
    "{{ metadata.nothing }}",
    "{{",
]


@pytest.mark.parametrize("source", TEMPLATES, ids=range(len(TEMPLATES)))
def test_a_hostile_template_fails_with_a_library_error(source: str) -> None:
    """A hostile template fails with a library error that quotes no value of the text."""
    with pytest.raises(PlexusError) as caught:
        Template(source).render(VALUES)
    assert isinstance(caught.value, ScoringFailed)
    assert "customer" not in str(caught.value)


def test_a_template_has_a_budget_of_turns() -> None:
    """Loops that print nothing are bounded by their number of turns."""
    with pytest.raises(LimitExceeded, match=f"more than {MAXIMUM_TURNS} turns"):
        Template("{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}").render(VALUES)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ text[:9] }}, {{ metadata.channel|upper }}", "some text, MAIL"),
        ("{% for word in text.split()[:2] %}{{ loop.index }}{{ word }} {% endfor %}", "1some 2text "),
        ("{% set n = 2 %}{{ n * 3 + 1 }} {{ 'a' ~ n }} {{ 'a' + 'b' }}", "7 a2 ab"),
        ("{% if results['A'].value == 'Yes' %}{{ results['A'].explanation|replace('b', 'B') }}{% endif %}", "Because"),
        ("{{ metadata.get('x', 'none') }} {{ metadata|length }} {{ metadata|tojson }}", 'none 1 {"channel": "mail"}'),
        ("{% for key, value in metadata.items() %}{{ key }}={{ value }}{% endfor %}", "channel=mail"),
        ("{{ 2.345|round(2) }} {{ 2.1|round(0, 'ceil') }} {{ 7|round }}", "2.35 3.0 7"),
        ("{% for a, b in [(1, 2)] %}{{ a + b }}{% endfor %}{{ 'x' in ('x', 'y') }}{{ {'a': 1}.a }}", "3True1"),
        ("{{ unknown|default('-') }}{{ ['b', 'a']|sort|join('+') }}", "-a+b"),
    ],
)
def test_the_features_that_prompts_need_work(source: str, wanted: str) -> None:
    """Slices, loops, conditions, arithmetic, filters and methods of texts and maps work."""
    assert Template(source).render(VALUES) == wanted


def test_neither_sees_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither language can read a variable of the process."""
    monkeypatch.setenv("PLEXUS_TEST_SECRET", SECRET)
    assert SECRET in os.environ.values()
    for name in ("environ", "os", "PLEXUS_TEST_SECRET"):
        with pytest.raises(PlexusError):
            Expression(name)(VALUES)
        with pytest.raises(PlexusError):
            Template(f"{{{{ {name} }}}}").render(VALUES)
