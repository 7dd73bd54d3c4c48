"""Templates of messages and explanations (Jinja2), bounded in time and in the size of their text."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from plexus.exceptions import LimitExceeded, PlexusError, ScoringFailed, UnsafeCode
from plexus.language.operators import MAXIMUM_LENGTH

if TYPE_CHECKING:
    from jinja2 import nodes

    from plexus.language.sandbox import Environment


@functools.cache
def get_environment() -> Environment:
    """Return the one environment of all templates; the first call imports Jinja2."""
    from plexus.language import sandbox

    return sandbox.create_environment()


class Template:
    """A compiled template; several threads may share it. Raises UnsafeCode or ScoringFailed if it does not compile."""

    def __init__(self, source: str) -> None:
        environment = get_environment()
        from jinja2 import TemplateError

        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise ScoringFailed(f"not a template: {error.message}") from None
        except (RecursionError, MemoryError, SyntaxError):
            # Jinja2 writes Python, whose own parser has limits: 200 parentheses, and its stack.
            raise UnsafeCode("not a template: it is nested too deeply") from None

    def render(self, values: Mapping[str, object]) -> str:
        """Render the template.

        Raises ScoringFailed for an undefined variable or a failed filter, UnsafeCode for access that the sandbox
        denies, LimitExceeded, and DeadlineExceeded. No message quotes a value.
        """
        from jinja2 import TemplateError
        from jinja2.exceptions import SecurityError, UndefinedError

        from plexus.language.rendering import Rendering, rendering

        token = rendering.set(Rendering())
        try:
            return _join(self._template.generate(values))
        except UndefinedError as error:
            # Jinja2 names the variable in this message, never a value.
            raise ScoringFailed(f"a template uses an undefined value: {error.message}") from None
        except SecurityError:
            raise UnsafeCode("a template calls or reads what the sandbox denies") from None
        except PlexusError:
            raise
        except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ScoringFailed(f"a template failed: {type(error).__name__}") from None
        finally:
            rendering.reset(token)


def _join(parts: Iterable[str]) -> str:
    texts, size = [], 0
    for part in parts:
        texts.append(part)
        size += len(part)
        if size > MAXIMUM_LENGTH:
            message = f"a template's text is too long: more than {MAXIMUM_LENGTH:,} characters"
            raise LimitExceeded(f"{message}. next: shorten the item's text with a processor")
    return "".join(texts)


def find_variables(source: str) -> set[str]:
    """Return the names that a template needs. Raises UnsafeCode or ScoringFailed if it does not parse."""
    tree = parse_template(source)
    from jinja2 import meta

    return set(meta.find_undeclared_variables(tree))


def parse_template(source: str) -> nodes.Template:
    """Return the template's tree. Raises UnsafeCode or ScoringFailed if it does not parse, and nothing else."""
    environment = get_environment()
    from jinja2 import TemplateError

    try:
        return environment.parse(source)
    except TemplateError as error:
        raise ScoringFailed(f"not a template: {error.message}") from None
    except RecursionError:
        raise UnsafeCode("not a template: it is nested too deeply") from None
