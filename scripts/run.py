"""Run the image as a function on this machine, at the path where AWS's emulator takes events; no LocalStack, no engine.

python -m scripts.run, then:
curl http://127.0.0.1:9000/2015-03-31/functions/function/invocations -d '{"source": "smoke"}'
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import click

from . import _logs
from ._command import INTERRUPTED, Shell, print_json, verb
from ._errors import OperationFailed
from ._local_image import endpoint_of, layout_folder, settings, told, variables

PORT = 9000


def free(port: int) -> int:
    """The port, if a server may listen there; 0 is any free one. OperationFailed names who has it."""
    from local_aws.ports import free_port, is_free, owner

    if port == 0:
        return free_port()
    if not is_free(port):
        raise OperationFailed(
            f"port {port} belongs to {owner(port)}", "choose another: make run PORT=0 takes a free one"
        )
    return port


def ended(_: int, __: FrameType | None) -> None:
    """End as after Ctrl-C, so that the container goes too."""
    raise KeyboardInterrupt


@verb()
@click.option("--image", type=click.Path(path_type=Path), help="An OCI layout folder (default: build/image).")
@click.option("--env", "given", multiple=True, metavar="NAME[=VALUE]", help="A variable; without =, this shell's own.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen on 127.0.0.1; 0: any free port.",
)
@click.option("--engine", type=click.Choice(["bubblewrap", "plain"]), help="How to run it (default: what works here).")
def main(shell: Shell, image: Path | None, given: tuple[str, ...], port: int, engine: str | None) -> None:
    """Run the image behind a Runtime API until Ctrl-C; events come by POST, log lines go to standard output.

    The variables are the stage's. In the local stage the function reaches the local AWS, where it runs.
    """
    from local_aws import engines
    from local_aws.emulator import Emulator
    from local_aws.run_image import run_image

    layout, port, endpoint = layout_folder(image), free(port), endpoint_of(shell)
    values = variables(shell.stage, given, endpoint)

    def log(line: str) -> None:
        click.echo(line if shell.as_json else _logs.render(line))

    signal.signal(signal.SIGTERM, ended)
    try:
        with told():
            chosen = engines.choose(engine)
            with (
                run_image(layout, settings(shell.stage, values), chosen, log) as function,
                Emulator(function, port) as at,
            ):
                if shell.as_json:
                    print_json({"url": at.url, "port": at.port, "engine": chosen.name, "local_aws": endpoint})
                shell.say(f"ready ({chosen.name}); local AWS: {endpoint or 'not running'}; Ctrl-C ends it")
                shell.say(f'curl {at.url} -d \'{{"source": "smoke"}}\'')
                sys.stdout.flush()
                while True:
                    signal.pause()
    except KeyboardInterrupt:
        shell.say("stopped")
        raise click.exceptions.Exit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
