"""Run the image as a function on this machine, behind the interface of AWS's Runtime Interface Emulator.

score-processor run, then:
curl http://127.0.0.1:9000/2015-03-31/functions/function/invocations -d '{"source": "smoke"}'
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from .aws import logs
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .console.interrupts import end_by_ctrl_c
from .console.output import print_json
from .images.local_run import (
    create_settings,
    create_variables,
    engine_option,
    find_endpoint,
    find_layout,
    image_option,
    translate_local_errors,
    variables_option,
)

PORT = 9000


def free(port: int) -> int:
    """Return the port if it is free, any free port for 0; OperationFailed, with the owner's name, if it is in use.

    Another process may take the port before it is used.
    """
    from local_aws.ports import find_owner, free_port, is_free

    if port == 0:
        return free_port()
    if not is_free(port):
        raise OperationFailed(
            f"port {port} is in use by {find_owner(port)}", "choose another port; make run PORT=0 uses a free one"
        )
    return port


@verb()
@image_option
@variables_option(envvar="SCORE_PROCESSOR_RUN_ENV")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Port on 127.0.0.1; 0: any free port.",
)
@engine_option("the function")
def main(shell: Shell, image: Path | None, assignments: tuple[str, ...], port: int, engine: str | None) -> None:
    """Run the image as a function until Ctrl-C: POST an event to invoke it; its log is printed on standard output.

    It gets the stage's variables. In the local stage it uses the local AWS if that runs.
    """
    from local_aws import engine_choice
    from local_aws.emulator import Emulator
    from local_aws.run_image import run_image

    layout, port, endpoint = find_layout(image), free(port), find_endpoint(shell)
    values = create_variables(shell.stage, assignments, endpoint)

    def log(line: str) -> None:
        click.echo(line if shell.as_json else logs.render(line))

    with translate_local_errors():
        isolation = engine_choice.choose(engine)
        function_settings = create_settings(shell.stage, values, endpoint)
        with (
            run_image(layout, function_settings, isolation, log) as function,
            Emulator(function, port) as at,
        ):
            if shell.as_json:
                print_json({"url": at.url, "port": at.port, "engine": isolation.name, "local_aws": endpoint})
            shell.say(f"ready (engine {isolation.name}; local AWS: {endpoint or 'not running'}); Ctrl-C ends it")
            shell.say(f'curl {at.url} -d \'{{"source": "smoke"}}\'')
            sys.stdout.flush()
            with end_by_ctrl_c():
                while True:
                    signal.pause()
    shell.say("stopped")
