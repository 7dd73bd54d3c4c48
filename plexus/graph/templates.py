"""Jinja2 templates in a sandbox: they can read what they are given and do nothing else."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from plexus.exceptions import ScoringFailed


@functools.cache
def environment() -> Any:
    """One environment for all templates; a name that nothing defines is an error, never an empty string."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    made.globals.clear()
    return made


class Template:
    """A compiled template. Raises ScoringFailed when it is not one."""

    def __init__(self, source: str) -> None:
        from jinja2 import TemplateError

        try:
            self._template = environment().from_string(source)
        except TemplateError as error:
            raise ScoringFailed(f"not a template: {error.message}") from None

    def render(self, values: Mapping[str, Any]) -> str:
        """The text. Raises ScoringFailed for a variable that has no value."""
        from jinja2 import TemplateError
        from jinja2.exceptions import UndefinedError

        try:
            rendered: str = self._template.render(values)
        except UndefinedError as error:
            # Jinja2 names the variable here, never a value.
            raise ScoringFailed(f"a template uses what is not there: {error.message}") from None
        except (TemplateError, TypeError, ValueError, OverflowError) as error:
            raise ScoringFailed(f"a template failed: {type(error).__name__}") from None
        return rendered


def variables(source: str) -> set[str]:
    """The names that a template needs. Raises ScoringFailed when it is not a template."""
    from jinja2 import TemplateError, meta

    try:
        return set(meta.find_undeclared_variables(environment().parse(source)))
    except TemplateError as error:
        raise ScoringFailed(f"not a template: {error.message}") from None
