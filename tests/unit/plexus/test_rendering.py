"""A rendering counts every part of a template that can take long or create large values."""

from typing import Any

import pytest
from jinja2 import nodes

from plexus.exceptions import LimitExceeded, PlexusError
from plexus.language import sandbox
from plexus.language.prices import PART, STEP
from plexus.language.rendering import Rendering, rendering
from plexus.language.templates import Template, get_environment
from tests.unit.plexus.test_limits import LARGE, meter_of


def counts_of(source: str, values: dict[str, Any]) -> tuple[object, ...]:
    """Return what a rendering counted: work, turns, captured and kept bytes, and how it ended."""
    now, ended = Rendering(), ""
    mark = rendering.set(now)
    try:
        "".join(get_environment().from_string(source).generate(values))
    except (TypeError, PlexusError) as error:
        ended = str(error)
    finally:
        rendering.reset(mark)
    return now.meter.work, now.turns, now.captured, now.kept, now.meter.held, ended


_WRAPPED = {
    "For": "{% for a in x[:9] %}{% endfor %}",
    "If": "{% if x|upper %}{% endif %}",
    "Assign": "{% set y = x|upper %}{{ 1 }}",
    "With": "{% with y = x|upper %}{{ 1 }}{% endwith %}",
    "AssignBlock": "{% set y %}{{ x }}words{% endset %}",
    "Output": "{{ n }}",
    "Concat": "{% if x ~ x %}{% endif %}",
    "Compare": "{% if x == z %}{% endif %}{% if 1 < 2 < x %}{% endif %}",
    "Getitem": "{% if x[1:] %}{% endif %}",
    "List": "{% set y = [x, x] %}",
    "Dict": "{% set y = {'a': x} %}",
    "Tuple": "{% set y = (x, x) %}",
}


@pytest.mark.parametrize("kind", sorted(_WRAPPED))
def test_every_wrapped_node_is_counted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that leaves one kind of node as Jinja2 parsed it counts differently: none is wrapped for nothing."""
    values = {"x": LARGE, "z": LARGE + "!", "n": list(range(1000))}
    counted = counts_of(_WRAPPED[kind], values)
    monkeypatch.delattr(sandbox._Metering, f"visit_{kind}")
    assert counts_of(_WRAPPED[kind], values) != counted
    wrapped = {name.removeprefix("visit_") for name in vars(sandbox._Metering) if name.startswith("visit_")}
    assert wrapped | {kind} == set(_WRAPPED)


@pytest.mark.parametrize(
    ("source", "work"),
    [
        ("{% for a in n %}{% endfor %}", 5_000 * STEP),
        ("{% for a in n %}{% if a %}{% endif %}{% endfor %}", 5_000 * (STEP + 100)),
        ("{% if n|select|list %}{% endif %}", 5_000 * 2_000),
        ("{% if m[t] is defined %}{% endif %}", 5_000 * PART),
    ],
)
def test_a_rendering_counts_its_own_work(source: str, work: int) -> None:
    """Turns with the nodes of their body, values that one filter draws from another, and hashed keys are counted."""
    values = {"n": list(range(5_000)), "t": tuple(range(5_000)), "m": {}}
    assert meter_of(source, values, is_template=True).work >= work


def test_the_values_of_a_loop_die_with_it() -> None:
    """Sixty loops one after the other take no more memory than one."""
    loop = "{% for i in [1, 2] %}{% set y = x|lower %}{% endfor %}{% if x|upper %}{% endif %}"
    assert Template(loop * 30).render({"x": "\N{GRINNING FACE}" * 900_000}) == ""


def test_room_is_needed_before_a_filter_runs() -> None:
    """A filter that would take too much memory is refused before it runs."""
    with pytest.raises(LimitExceeded, match="too much memory"):
        Template("{{ n|tojson(indent=100000000) }}").render({"n": [[1]]})


def test_an_unknown_node_is_refused() -> None:
    """A kind of node that nobody has classified does not compile."""
    assert sandbox.find_problem(nodes.Continue(lineno=1)) == "line 1: continue is not part of the template language"
