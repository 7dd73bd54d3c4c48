"""Extends the leases and hides the messages of long jobs."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from handler.attempt import Attempt
from handler.crash_points import Observer, Step
from handler.invocation import Invocation
from handler.logs import Log
from handler.message import Message
from handler.queues import Queues
from handler.settings import Settings
from handler.store import Store
from handler.threads import Threads

_THREADS = 11  # one for each job of a batch, and one for its messages


@dataclass
class Heartbeat:
    """Renews leases concurrently, in threads of its own: a call that hangs delays no other call and no job.

    One instance serves all invocations of an execution environment.
    """

    store: Store
    queues: Queues
    settings: Settings
    observe: Observer
    threads: Threads = field(default_factory=lambda: Threads(_THREADS, "heartbeat"), init=False)

    @property
    def interval(self) -> float:
        """Seconds between two beats: a lease survives two that fail."""
        return self.settings.lease / 3

    def beat(
        self, running: Sequence[Attempt], messages: Sequence[Message], wall: float, invocation: Invocation
    ) -> list[Future[None]]:
        """Start to extend the leases of running jobs, and to hide all messages of the batch until just after them.

        Messages of finished jobs too: they are deleted with the batch only, and would otherwise be delivered again.
        `wall` is the current time in Unix seconds. Returns at once; `join` waits for the calls.
        """
        until, hidden = wall + self.settings.lease, self.settings.lease + self.settings.clock_skew
        calls = [self.threads.start(self._renew, attempt, until, invocation) for attempt in running]
        hide = self.threads.start(_try, invocation.log, lambda: self.queues.set_visibility(messages, hidden))
        return [*calls, hide]

    def join(self, calls: Sequence[Future[None]], seconds: float) -> None:
        """Wait for a beat's calls for at most `seconds`; those that did not begin by then are dropped."""
        done, late = wait(calls, timeout=max(0.0, seconds))
        for call in late:
            call.cancel()
        for call in done:
            call.result()  # re-raises anything but an `Exception`

    def _renew(self, attempt: Attempt, until: float, invocation: Invocation) -> None:
        log = attempt.log(invocation)

        def renew() -> None:
            if attempt.job and not self.store.renew(attempt.job.id, attempt.token, until):
                log.warning("the lease was not renewed")
            self.observe(Step.RENEW, attempt.scoring_job_id or "")

        _try(log, renew)


def _try(log: Log, call: Callable[[], object]) -> None:
    """Call a function; an error is logged, and only costs a repetition of work."""
    try:
        call()
    except Exception as error:
        log.warning("heartbeat failed", error=type(error).__name__)
