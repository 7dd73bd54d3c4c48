"""Sends responses that a crash left in the outbox: the rare case that no message comes back for."""

from dataclasses import dataclass

from handler.clock import Clock, Deadline
from handler.exceptions import HandlerError
from handler.logs import Log
from handler.queues import Queues, Response
from handler.steps import Observer, Step
from handler.store import Store

OLDEST_UNDER_WAY = 60.0  # seconds: younger entries belong to invocations that are about to send them
_EVERY = 300.0  # seconds between the sweeps of one execution environment
_AT_ONCE = 50
_COST = 5.0  # seconds that must be left before the reserve


@dataclass
class Sweep:
    """At most one a few minutes, after an invocation's own work; or when asked for."""

    store: Store
    queues: Queues
    clock: Clock
    observe: Observer
    log: Log
    last: float = float("-inf")

    def when_due(self, deadline: Deadline) -> int:
        """How many responses were sent; 0 where it is not due, or there is no time. Never raises."""
        if self.clock.monotonic() - self.last < _EVERY or not deadline.allows(_COST):
            return 0
        try:
            return self.run()
        except HandlerError as error:
            self.log.warning("the sweep failed", error=str(error))
            return 0

    def run(self) -> int:
        """Send what is older than a minute, and mark it; how many that were."""
        self.last = self.clock.monotonic()
        oldest = self.clock.wall() - OLDEST_UNDER_WAY
        entries = self.store.unsent_before(oldest, _AT_ONCE)
        responses = [Response(entry.scoring_job_id, entry.score_result_id) for entry in entries]
        if not responses:
            return 0
        sent = self.queues.respond(responses)
        self.observe(Step.RESPOND, ",".join(sorted(sent)))
        if sent:
            self.store.mark_sent(sent)
            self.observe(Step.MARK, ",".join(sorted(sent)))
        self.log.info("sent responses that a crash had left", count=len(sent))
        return len(sent)
