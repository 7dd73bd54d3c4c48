"""Render the playground's page, which contains its script and style; its security policy allows nothing else."""

from __future__ import annotations

from dataclasses import replace

from plexus.evaluation.explorer import embed, hash_source
from plexus.evaluation.page import TEMPLATES, create_environment
from plexus.exceptions import PlexusError
from plexus.playground.answers import Playground
from plexus.running.refusals import is_live
from plexus.scorecard import load, read_text


def render(playground: Playground, key: str) -> tuple[str, str]:
    """Return the page as HTML, and its content security policy. Raises InvalidScorecard if the card is unreadable.

    The policy allows the page's own script by its hash, and requests to the page's own server. Call it for each
    request: the file may have changed.
    """
    script = (TEMPLATES / "playground.js").read_text(encoding="utf-8")
    card = read_text(playground.path)
    content = (
        create_environment()
        .get_template("playground.html.j2")
        .render(
            name=playground.path.name,
            data=embed({"card": card, "key": key}),
            script=script,
            calls=_describe_calls(playground, card),
        )
    )
    allowed = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src '{hash_source(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, allowed


def _describe_calls(playground: Playground, card: str) -> str:
    """Return whether scoring calls providers; a card that does not load may become one that does."""
    if playground.context.offline:
        return "Language models are replayed; no provider is called."
    try:
        scorecard = load(card, name=playground.path.name, folder=playground.path.parent)
        graphs = [score for score in scorecard.scores if score.configuration.class_name == "LangGraphScore"]
        if not is_live(scorecard, graphs, replace(playground.context, folder=scorecard.folder)):
            return "No score of this card calls a provider. One that you add may, with your keys and at your cost."
    except PlexusError:
        pass  # a model, a key or the card itself is not ready yet
    return "Scoring may call providers, with your keys and at your cost."
