"""Templates of messages and explanations: they read what they are given, and end soon with a text of bounded size."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from plexus.exceptions import PlexusError, ScoringFailed, UnsafeCode
from plexus.expression_operators import MAXIMUM_LENGTH


@functools.cache
def environment() -> Any:
    """One environment for all templates."""
    from plexus.graph import sandbox

    return sandbox.made()


class Template:
    """A compiled template. Raises UnsafeCode or ScoringFailed when it is not one."""

    def __init__(self, source: str) -> None:
        from jinja2 import TemplateError

        try:
            self._template = environment().from_string(source)
        except TemplateError as error:
            raise ScoringFailed(f"not a template: {error.message}") from None
        except RecursionError:
            raise UnsafeCode("not a template: it is nested too deeply") from None

    def render(self, values: Mapping[str, Any]) -> str:
        """The text. Raises ScoringFailed for a variable that has no value, UnsafeCode for what grows too large."""
        from jinja2 import TemplateError
        from jinja2.exceptions import SecurityError, UndefinedError

        from plexus.graph.sandbox import MAXIMUM_TURNS, turns

        mark = turns.set([MAXIMUM_TURNS])
        try:
            return _joined(self._template.generate(values))
        except UndefinedError as error:
            # Jinja2 names the variable here, never a value.
            raise ScoringFailed(f"a template uses what is not there: {error.message}") from None
        except SecurityError:
            raise UnsafeCode("a template calls or reads what templates may not") from None
        except PlexusError:
            raise
        except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ScoringFailed(f"a template failed: {type(error).__name__}") from None
        finally:
            turns.reset(mark)


def _joined(parts: Iterable[str]) -> str:
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > MAXIMUM_LENGTH:
            raise UnsafeCode(f"a template's text has more than {MAXIMUM_LENGTH} characters")
    return "".join(found)


def variables(source: str) -> set[str]:
    """The names that a template needs. Raises UnsafeCode or ScoringFailed when it is not a template."""
    from jinja2 import TemplateError, meta

    try:
        return set(meta.find_undeclared_variables(environment().parse(source)))
    except TemplateError as error:
        raise ScoringFailed(f"not a template: {error.message}") from None
    except RecursionError:
        raise UnsafeCode("not a template: it is nested too deeply") from None
