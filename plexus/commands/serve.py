"""`plexus serve`: a page on this machine to try a scorecard on texts."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from plexus.commands import options


@click.command(name="serve", short_help="Serve a page to try a scorecard.")
@options.card
@click.option("--port", type=click.IntRange(1, 65535), help="Port of 127.0.0.1. Default: 8766, or a free one.")
@options.store
@options.model_options
def command(card: Path, port: int | None, store: Path, **model_options: Unpack[options.ModelOptions]) -> None:
    """Serve a page on this machine: type a text, see each score's value, its reasons, and the path through its graph.

    The card is edited beside it and linted as you type; no file is written. The address contains a key, without which
    no request is answered. Ctrl-C stops the server.
    """
    from plexus.playground.answers import Playground
    from plexus.playground.server import listen
    from plexus.scorecard import read_text

    read_text(card)  # fails here, and not at the first request
    store = options.find_store(store, [card])
    with listen(Playground(card, options.create_context(store, **model_options), store), port) as server:
        click.echo(f"{card}: {server.address}\nCtrl-C stops the server")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            options.print_notes("stopped")
