"""Undefined names in templates: false in a condition, and an error that names them wherever they would be printed."""

import pytest

from plexus.exceptions import ScoringFailed
from plexus.language.templates import Template


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if metadata.x %}a{% else %}b{% endif %}", "b"),
        ("{% if metadata.x.y.z %}a{% else %}b{% endif %}", "b"),
        ("{% if not metadata['x'] %}a{% endif %}", "a"),
        ("{% if metadata.x == 'y' %}a{% else %}b{% endif %}", "b"),
        ("{% if metadata.x != 'y' %}a{% else %}b{% endif %}", "a"),
        ("{% if metadata.x in ['y'] %}a{% else %}b{% endif %}", "b"),
        ("{% if metadata.x is defined %}a{% else %}b{% endif %}", "b"),
        ("{{ 'a' if metadata.x else 'b' }}", "b"),
        ("{{ metadata.x or 'b' }}", "b"),
        ("{{ metadata.x | default('b') }}", "b"),
        ("{{ metadata.x.y | default('b') }}", "b"),
        ("{% if x %}a{% else %}b{% endif %}", "b"),
    ],
)
def test_an_undefined_name_is_false_in_a_condition(source: str, text: str) -> None:
    """A condition on a field that does not exist is not met, whatever it compares the field with."""
    assert Template(source).render({"metadata": {}}) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ metadata.x }}",
        "{{ metadata.x.y }}",
        "{{ metadata.x[0] }}",
        "{{ metadata.x | upper }}",
        "{{ metadata.x | length }}",
        "{{ metadata.x ~ 'a' }}",
        "{{ metadata.x + 1 }}",
        "{{ 1 + metadata.x }}",
        "{{ metadata.x > 1 }}",
        "{{ metadata.x.startswith('a') }}",
        "{{ [metadata.x] }}",
        "{{ {'a': metadata.x} }}",
        "{% set y = metadata.x %}{{ y }}",
        "{% for y in metadata.x %}{{ y }}{% endfor %}",
    ],
)
def test_an_undefined_name_is_an_error_where_it_is_printed(source: str) -> None:
    """A text that would contain a field that does not exist fails, and the message names the field."""
    with pytest.raises(ScoringFailed, match=r"undefined value: .*'x'"):
        Template(source).render({"metadata": {}})


@pytest.mark.parametrize("source", ["{{ metadata.x.__class__ }}", "{{ metadata.x['__class__'].mro() }}"])
def test_an_undefined_name_leads_nowhere(source: str) -> None:
    """The fields of an undefined name are undefined, and none of Python's own can be reached."""
    with pytest.raises(ScoringFailed):
        Template(source).render({"metadata": {}})
