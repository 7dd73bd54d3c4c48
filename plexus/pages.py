"""HTML pages that the library writes: their templates are escaped and strict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def create_environment(folder: Path) -> jinja2.Environment:
    """Create the environment of a folder of HTML templates.

    Every value is escaped, and an undefined name raises UndefinedError. Lines of a statement alone leave no blank line.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
