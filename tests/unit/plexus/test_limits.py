"""Every operation has a price: the lists of operations are walked, and one without a price fails."""

import ast
import contextlib
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from jinja2 import nodes

import plexus
from plexus import limits, passages, patterns, processors
from plexus.configuration.processors import Processor
from plexus.exceptions import DeadlineExceeded, LimitExceeded, PlexusError
from plexus.language import filters, sandbox
from plexus.language.expression import Expression
from plexus.language.functions import FUNCTIONS, TEMPLATE_METHODS
from plexus.language.operators import BINARY, COMPARE, COMPARE_BY_NAME, INDEX, SLICE, UNARY
from plexus.language.prices import PART, STEP, Operation
from plexus.language.rendering import Rendering, rendering
from plexus.language.templates import Template, get_environment
from plexus.limits import CHECK_EVERY, EVALUATION_WORK, Meter

#: Nodes of Jinja2 that only an extension of it, or its own compiler, makes.
_NEVER_PARSED = {
    *("Break", "Continue", "ExprStmt", "Scope", "OverlayScope", "EvalContextModifier", "ScopedEvalContextModifier"),
    *("ContextReference", "DerivedContextReference", "EnvironmentAttribute", "ExtensionAttribute", "ImportedName"),
    *("InternalName", "MarkSafe", "MarkSafeIfAutoescape"),
}
_ABSTRACT = {"Stmt", "Helper", "Expr", "BinExpr", "UnaryExpr", "Literal", "_FilterTestCommon"}
#: Operations that take the same time for any operands.
_CONSTANT = {
    *("len", "abs", "round", "bool", "get", "items", "keys", "values", "count", "d", "default", "first", "last"),
    *("length", "isdigit"),
}
LARGE = "ab " * 30_000


def kinds(base: type[Any]) -> Iterator[str]:
    """Yield the names of all classes below a class."""
    for kind in base.__subclasses__():
        yield kind.__name__
        yield from kinds(kind)


def is_accepted(source: str) -> bool:
    """Return whether a source is an expression of the language."""
    try:
        Expression(source)
    except PlexusError:
        return False
    return True


def test_every_operator_of_python_has_a_price_or_is_refused() -> None:
    """Each of Python's operators either has a price or does not parse."""
    for base, table in ((ast.operator, BINARY), (ast.unaryop, UNARY), (ast.cmpop, COMPARE)):
        for kind in base.__subclasses__():
            sources: dict[Any, Callable[[Any], ast.expr]] = {
                ast.operator: lambda node: ast.BinOp(ast.Constant(1), node, ast.Constant(2)),
                ast.unaryop: lambda node: ast.UnaryOp(node, ast.Constant(1)),
                ast.cmpop: lambda node: ast.Compare(ast.Constant(1), [node], [ast.Constant(2)]),
            }
            source = ast.unparse(sources[base](kind()))
            assert is_accepted(source) == (kind in table), source
    listed: list[object] = [*BINARY.values(), *UNARY.values(), *COMPARE.values(), *COMPARE_BY_NAME.values()]
    listed += [*FUNCTIONS.values(), *TEMPLATE_METHODS.values(), INDEX, SLICE]
    assert all(isinstance(operation, Operation) for operation in listed)


def test_every_node_of_jinja_is_classified() -> None:
    """A node of a later Jinja2 is refused by the sandbox, and fails here until somebody has priced it."""
    classified = [sandbox.REFUSED, sandbox.PRICED, sandbox.FREE, frozenset(_NEVER_PARSED), frozenset(_ABSTRACT)]
    assert set(kinds(nodes.Node)) == set().union(*classified)
    assert sum(map(len, classified)) == len(set().union(*classified))
    environment = get_environment()
    assert set(environment.binop_table) == environment.intercepted_binops
    assert set(environment.unop_table) == environment.intercepted_unops


def test_no_filter_or_test_runs_without_a_meter() -> None:
    """Each filter and test asks for the meter of a rendering before it does anything."""
    environment = get_environment()
    listed: dict[str, Any] = {**environment.filters, **environment.tests}
    assert {name for name in environment.filters if not name.startswith("_")} == filters.FILTERS
    for name, function in listed.items():
        operands = [environment, LARGE] if hasattr(function, "jinja_pass_arg") else [LARGE]
        needed: dict[str, list[Any]] = {"_bound_loop": [1], "_compare": ["eq", 1], "_slice": [None, None, None]}
        with pytest.raises(LookupError, match="rendering"):
            list(function(*operands, *needed.get(name, [])))


def meter_of(source: str, values: dict[str, Any], *, is_template: bool) -> Meter:
    """Return the meter of an evaluation, whether it succeeded or not."""
    if not is_template:
        meters: list[Meter] = []

        def create(name: str) -> Meter:
            meters.append(Meter(name))
            return meters[-1]

        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(PlexusError):
            patch.setattr("plexus.language.expression.Meter", create)
            Expression(source)(values)
        return meters[-1]
    now = Rendering()
    mark = rendering.set(now)
    try:
        with contextlib.suppress(TypeError, ValueError, PlexusError):
            "".join(get_environment().from_string(source).generate(values))
    finally:
        rendering.reset(mark)
    return now.meter


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_paid_by_its_operand(name: str) -> None:
    """A function of a text of 90,000 characters costs at least as many units, unless its time is constant."""
    more = {"contains": ", 'zz'", "matches": ", 'zz'"}.get(name, "")
    meter = meter_of(f"{name}(x{more})", {"x": LARGE}, is_template=False)
    assert (meter.work >= len(LARGE)) != (name in _CONSTANT), meter.work


@pytest.mark.parametrize("name", sorted(TEMPLATE_METHODS))
def test_a_method_is_paid_by_its_operand(name: str) -> None:
    """The same of the methods of texts; those of maps, and those that read the end of a text, take constant time."""
    operand = {
        "startswith": "x",
        "endswith": "x",
        "count": "'zz'",
        "find": "'zz'",
        "join": "['a', 'b']",
        "replace": "'zz', 'y'",
    }.get(name, "")
    owner: Any = {} if name in ("get", "items", "keys", "values") else LARGE
    meter = meter_of(f"{{{{ x.{name}({operand}) }}}}", {"x": owner}, is_template=True)
    assert meter.work >= len(LARGE) or owner == {}, meter.work


@pytest.mark.parametrize("name", sorted(filters.FILTERS))
def test_a_filter_is_paid_by_its_operand(name: str) -> None:
    """The same of filters; `abs` and its like fail on a text before they read it."""
    more = {"replace": "('zz', 'y')", "reject": "('eq', 'a')", "select": "('eq', 'a')"}.get(name, "")
    value: Any = dict.fromkeys(map(str, range(2_000)), 1) if name in ("dictsort", "items") else LARGE
    meter = meter_of(f"{{% if x|{name}{more} is defined %}}{{% endif %}}", {"x": value}, is_template=True)
    least = 2_000 if name == "dictsort" else len(LARGE)
    assert (meter.work >= least) != (name in _CONSTANT | {"items"}), meter.work


def test_every_processor_has_a_price() -> None:
    """The prices are those of exactly the processors that a scorecard can name."""
    named = {get_args(kind.model_fields["class_name"].annotation)[0] for kind in get_args(get_args(Processor)[0])}
    assert set(processors.PRICES) == named


def past() -> float:
    """Return a deadline that has passed."""
    return time.monotonic() - 1


_CARD = "name: n\nkey: k\nscores: [{name: S, class: %s}]"
_FUZZY = "{processors: [{class: RelevantWindows, keywords: [b], fuzzy: true}]}"
_CARDS = {
    "expression": 'CompositeScore, expression: "[w.upper() for w in words(text)]"',
    "template": 'CompositeScore, expression: "\'Yes\'", explanation: "{{ text|upper }}"',
    "processor": "KeywordClassifier, keywords: [a], item: {processors: [{class: RemoveStopWords}]}",
    "fuzzy": f"KeywordClassifier, keywords: [a], item: {_FUZZY}",
    "keywords": "KeywordClassifier, keywords: [b]",
}


@pytest.mark.parametrize("kind", sorted(_CARDS))
def test_the_deadline_ends_a_computation(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline that passes while a score computes is noticed by the computation itself, as its own error type."""
    card = plexus.load(_CARD % _CARDS[kind])
    deadline = time.monotonic() + 3600
    monkeypatch.setattr("plexus.limits.time", SimpleNamespace(monotonic=lambda: deadline + 1))
    with pytest.raises(DeadlineExceeded, match=r"before the (expression|template|processors|search) was finished"):
        plexus.score(card, "S", plexus.Item(LARGE), context=plexus.Context(deadline=deadline))


def test_searches_pay() -> None:
    """The search for a similar passage, and for the matches of a long text, look at the deadline."""
    with limits.apply_deadline(past()), pytest.raises(DeadlineExceeded):
        passages.find_similar(LARGE, "abc abd")
    with limits.apply_deadline(past()), pytest.raises(DeadlineExceeded):
        patterns.find_spans(patterns.compile_pattern("a"), LARGE)
    with limits.apply_deadline(past()), pytest.raises(DeadlineExceeded):
        patterns.is_found(patterns.compile_pattern("zz"), LARGE)


def test_a_meter_looks_every_million_units() -> None:
    """The deadline is checked once for each CHECK_EVERY units, and for every operation that is dearer."""
    meter = Meter("it")
    for _ in range(1_000):
        meter.pay(CHECK_EVERY // 10)
    assert 99 <= meter.checks <= 102
    with pytest.raises(LimitExceeded, match="it took too much work: more than 1,000,000,000 units"):
        meter.pay(EVALUATION_WORK)


def test_a_meter_refuses_what_stays_and_what_is_about_to_be_taken() -> None:
    """Bytes that are held, and bytes that an operation needs beside them, are refused above the limit."""
    meter = Meter("it", maximum_bytes=2**20)
    meter.hold(2**20)
    meter.need(0)
    for refused in (meter.need, meter.hold):
        with pytest.raises(LimitExceeded, match="it took too much memory: more than 1 MiB at a time"):
            refused(1)


def test_values_that_die_are_given_back() -> None:
    """A hundred texts of a megabyte, one at a time, fit into 64 MiB; kept in a list they do not."""
    values = {"x": "a" * 999_999, "n": list(range(100))}
    assert Expression("[len(x + '') for i in n]")(values) == [999_999] * 100
    source = "{% for i in n %}{% if x|upper == '' %}y{% endif %}{% set z = x|lower %}{% endfor %}"
    assert Template(source).render(values) == ""
    with pytest.raises(LimitExceeded, match="the expression took too much memory: more than 64 MiB at a time"):
        Expression("[x + '' for i in n]")(values)


def test_a_long_word_is_expanded_in_linear_time() -> None:
    """A word of a million letters has no contraction; trying from each of its letters would take hours."""
    item = plexus.Item("a" * 1_000_000 + " don't rock'n'roll")
    assert processors.create_processor(_expand())(item).endswith(" do not rock'n'roll")


def _expand() -> Any:
    from plexus.configuration.processors import ExpandContractions

    return ExpandContractions.model_validate({"class": "ExpandContractions"})


def test_the_memory_of_a_loop_is_that_of_one_turn() -> None:
    """Assigned values die with their turn, captured ones stay; an inner list dies with its inner loop."""
    values = {"x": "\N{GRINNING FACE}" * 900_000, "n": list(range(60))}
    assert Template("{% for i in n %}{% set y = x|lower %}{% set z = y ~ '' %}{% endfor %}").render(values) == ""
    assert Expression("len([1 for i in n for w in [x + 'a'] if x.lower() == w])")(values) == 0
    with pytest.raises(LimitExceeded, match="too much memory"):
        Template("{% set y %}{% for i in n %}{{ x }}{% endfor %}{% endset %}").render(values)
    with pytest.raises(LimitExceeded, match="too much memory"):
        Template("{{ [" + "x|lower, " * 60 + "]|length }}").render(values)
    with pytest.raises(LimitExceeded, match="too much memory"):
        Template("".join(f"{{% set y{i} = x|lower %}}{{{{ 1 }}}}" for i in range(60))).render(values)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x.strip(x[1:] + 'c')", "too much work"),
        ("sum([[w] for w in words(x)], [])", "too much work"),
        ("[sorted(words(x)) == 1 for w in words(x)]", "too much work"),
        ("str([x, x, x, x, x, x, x, x, x, x, x, x])", "too long"),
        ("f'" + "{x}" * 12 + "'", "too long"),
        ("[contains(x + w, w) for w in words(x)]", "too much work"),
    ],
)
def test_a_price_grows_as_its_operation_does(source: str, message: str) -> None:
    """Operations that take more than one look at each character are priced so: they are refused, not begun."""
    with pytest.raises(LimitExceeded, match=message):
        Expression(source)({"x": "abcdefg " * 12_000})


def test_a_text_is_folded_once() -> None:
    """Ten thousand keywords in a text of 90,000 characters cost one folding and their searches."""
    meter = meter_of("[contains(x, 'zz') for i in n]", {"x": LARGE, "n": [0] * 500}, is_template=False)
    assert meter.work < 500 * 9 * len(LARGE)


def test_few_computed_patterns_are_kept() -> None:
    """An expression's own patterns do not displace those of scorecards, and few of them take memory."""
    from plexus.language import functions

    Expression("[matches(x, 'a' + str(i)) for i in n]")({"x": "a", "n": list(range(100))})
    assert functions.compile_computed.cache_info().currsize <= 16


@pytest.mark.parametrize(
    ("source", "work", "held"),
    [
        ("1 + 1", 3 * STEP, 0),
        ("[n]", 20_000 * PART, 20_000 * 28),
        ("x.upper()", 0, len(LARGE)),
        ("[1 for i in [1, 2, 3]]", 3 * 500 * PART, 0),
        ("{t: 1}", 20_000 * PART, 0),
    ],
)
def test_an_evaluation_counts_its_own_work(source: str, work: int, held: int) -> None:
    """Steps, created lists, texts that methods make, the names of a loop and hashed keys are counted."""
    names = {f"name{number}": number for number in range(500)}
    values = {"n": list(range(20_000)), "t": tuple(range(20_000)), "x": LARGE, **names}
    meter = meter_of(source, values, is_template=False)
    assert (meter.work >= work, meter.held >= held) == (True, True), (meter.work, meter.held)


def test_what_a_condition_makes_is_given_back() -> None:
    """The texts that the conditions of a loop make do not add up."""
    values = {"x": "\N{GRINNING FACE}" * 900_000, "n": list(range(60))}
    assert Expression("len([1 for i in n if x.lower()])")(values) == 60


def test_a_text_that_is_too_long_for_a_prompt_is_no_unsafe_code() -> None:
    """The error names the limit that the text exceeds, and the remedy; the scorecard is not at fault."""
    with pytest.raises(
        LimitExceeded, match=r"too long: more than 1,000,000 characters\. next: shorten the item's text"
    ):
        Template("Judge: {{ text }}").render({"text": "long " * 250_000})
