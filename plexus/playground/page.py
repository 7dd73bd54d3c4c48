"""Render the playground's page, which contains its script and style; its security policy allows nothing else."""

from __future__ import annotations

from plexus.evaluation.explorer import embed, hash_source
from plexus.evaluation.page import TEMPLATES, create_environment
from plexus.playground.answers import Playground
from plexus.scorecard import read_text


def render(playground: Playground, key: str) -> tuple[str, str]:
    """Return the page as HTML, and its content security policy. Raises InvalidScorecard if the card is unreadable."""
    script = (TEMPLATES / "playground.js").read_text(encoding="utf-8")
    card = read_text(playground.path)
    content = (
        create_environment()
        .get_template("playground.html.j2")
        .render(
            name=playground.path.name,
            data=embed({"card": card, "key": key}),
            script=script,
            is_live=not playground.context.offline,
        )
    )
    allowed = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src '{hash_source(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, allowed
