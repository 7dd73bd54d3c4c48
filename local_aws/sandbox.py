"""A container that runs a function's image, together with its Runtime API and log."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local_aws import platform_log
from local_aws.engine import Container, Engine, Running
from local_aws.exceptions import StartFailed
from local_aws.image import Image
from local_aws.logs import LinePipe, Sink
from local_aws.network import Service
from local_aws.runtime_api import Event, Invocation, RuntimeApi

LATE_S = 10.0  # a busy machine notices a container's exit, and lets a runtime ask for its next invocation, this late


@dataclass(frozen=True)
class FunctionSettings:
    """A function's configuration. `environment` extends the image's; the last three replace the image's if set.

    `services` are all that the function reaches beside its Runtime API; None is the machine's whole network.
    """

    name: str = "function"
    version: str = "$LATEST"
    arn: str = "arn:aws:lambda:us-west-2:000000000000:function:function"
    timeout_s: float = 3.0
    memory_mb: int = 128
    tmp_mb: int = 512
    environment: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Service, ...] | None = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""


class Sandbox:
    """A running container with its Runtime API and log."""

    def __init__(self, image: Image, settings: FunctionSettings, engine: Engine, sink: Sink, name: str) -> None:
        self.api = RuntimeApi(inside=engine.guarantees.own_network and settings.services is not None)
        self.pipe = LinePipe(sink)
        self._exit_status: int | None = None
        self._lock = threading.Lock()
        self._exited = False
        self._when_idle: Callable[[Sandbox], None] | None = None
        try:
            what = create_container(image, settings, self.api, name)
            self.running: Running = engine.start(what, self.pipe.write_end)
        except BaseException as error:
            self.api.close()
            self.pipe.close()
            if isinstance(error, OSError):
                raise StartFailed(f"execution environment of {settings.name}: {error}") from error
            raise
        self._watcher = threading.Thread(target=self._watch, name=f"container-{name[:8]}", daemon=True)
        self._watcher.start()

    def call(self, invocation: Invocation, limit_s: float) -> Event | None:
        """Send an invocation. Return its response or the container's exit, or None after `limit_s` seconds."""
        self.running.thaw()
        self.api.send(invocation)
        return self.api.wait(limit_s)

    def busy(self) -> bool:
        """Report the container's exit to `call` from now on. Return False if it has already exited."""
        if not self.running.pids():  # already exited; the waiting thread notices at once
            self._watcher.join(LATE_S)
        with self._lock:
            self._when_idle = None
            return not self._exited

    def idle(self, ended: Callable[["Sandbox"], None]) -> None:
        """Call `ended(self)` when the container exits, since no invocation waits for it."""
        with self._lock:
            self._when_idle = ended
            exited = self._exited
        if exited:
            ended(self)

    def is_ready(self) -> bool:
        """Return whether the runtime requests its next invocation, for which it has LATE_S."""
        event = self.api.wait(LATE_S)
        return event is not None and event.kind == "ready"

    def exit_failure(self) -> platform_log.Failure:
        """Return why the container exited."""
        return platform_log.exit_failure(self._exit_status, out_of_memory=self.running.out_of_memory())

    def stop(self) -> None:
        """Stop the container and release its resources. Idempotent."""
        self.running.kill()
        self.pipe.close()
        self.api.close()

    def _watch(self) -> None:
        self._exit_status = self.running.wait()
        with self._lock:
            self._exited, ended = True, self._when_idle
        self.api.events.put(Event("exit"))
        if ended:
            ended(self)


def create_container(image: Image, settings: FunctionSettings, runtime_api: RuntimeApi, name: str) -> Container:
    """Combine the image's configuration with the function's, which wins.

    Raises StartFailed if neither has a command. The function's entry point also drops the image's command, as on
    Lambda.
    """
    entrypoint = settings.entrypoint or image.entrypoint
    command = settings.command or (() if settings.entrypoint else image.command)
    if not (*entrypoint, *command):
        raise StartFailed(f"image {image.digest} has neither an entry point nor a command")
    environment = {**image.environment, **settings.environment}
    environment |= {"AWS_LAMBDA_RUNTIME_API": runtime_api.address, "_HANDLER": (command or ("",))[0]}
    return Container(
        name=name,
        layers=image.layers,
        command=(*entrypoint, *command),
        environment=environment,
        working_directory=settings.working_directory or image.working_directory,
        memory_mb=settings.memory_mb,
        tmp_mb=settings.tmp_mb,
        services=None if settings.services is None else (runtime_api.service, *settings.services),
    )
