"""A thread pool that is created when it is first needed, and kept between invocations."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_T = TypeVar("_T")


class Threads:
    """A pool of up to `size` threads, created on first use; `name` prefixes the names of its threads."""

    def __init__(self, size: int, name: str):
        self._size, self._name = size, name
        self._pool: ThreadPoolExecutor | None = None

    def start(
        self, function: Callable[_Parameters, _T], *values: _Parameters.args, **named: _Parameters.kwargs
    ) -> Future[_T]:
        """Call the function in a thread, as soon as one is free."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._size, thread_name_prefix=self._name)
        return self._pool.submit(function, *values, **named)

    def for_each(self, function: Callable[[_T], None], values: Sequence[_T]) -> None:
        """Call the function with each value, concurrently if there are several, and wait for all calls."""
        if len(values) < 2:
            for value in values:
                function(value)
        else:
            join([self.start(function, value) for value in values])

    def shutdown(self, wait: bool = True) -> None:
        """Cancel the calls that wait for a thread; the next call starts a new pool.

        Without `wait`, returns at once: calls that run already continue in threads that are never used again.
        """
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait, cancel_futures=True)


def join(calls: Iterable[Future[None]]) -> None:
    """Wait for calls; re-raises the first error."""
    for call in calls:
        call.result()
