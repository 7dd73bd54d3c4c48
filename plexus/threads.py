"""Threads that a process does not wait for when it ends.

The interpreter joins the threads of `concurrent.futures` before it exits, so that Ctrl-C would wait for the reply of a
provider. Daemon threads end with the process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import ParamSpec, TypeVar

from typing_extensions import override

Value = TypeVar("Value")
Parameters = ParamSpec("Parameters")


class DaemonExecutor(Executor):
    """Runs calls in up to `workers` daemon threads, which are started as they are needed.

    Left by an exception, such as a KeyboardInterrupt, it cancels the calls that wait and returns at once.
    """

    def __init__(self, workers: int, name: str) -> None:
        self._workers, self._name = workers, name
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._futures: list[Future[object]] = []
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    @override
    def submit(
        self, fn: Callable[Parameters, Value], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Value]:
        """Return the future of a call. Raises RuntimeError after a shutdown."""
        if self._is_closed:
            raise RuntimeError("the executor has been shut down")
        future: Future[Value] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        self._futures.append(future)  # type: ignore[arg-type]  # Future is invariant, and is only cancelled here
        self._waiting.put(call)
        if len(self._threads) < self._workers:
            name = f"{self._name}-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()
        return future

    def _work(self) -> None:
        while (call := self._waiting.get()) is not None:
            call()

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End each thread after its call; with `cancel_futures`, calls that have not begun are not made."""
        self._is_closed = True
        if cancel_futures:
            for future in self._futures:
                future.cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    @override
    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.shutdown(wait=exc_type is None, cancel_futures=exc_type is not None)
