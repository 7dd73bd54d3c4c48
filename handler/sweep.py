"""Sends the responses that a crash left in the outbox of jobs whose message is not delivered again."""

from dataclasses import dataclass

from handler.clock import Clock
from handler.crash_points import Observer, Step
from handler.exceptions import HandlerError
from handler.invocation import Invocation
from handler.message import ScoringResponse
from handler.queues import Queues
from handler.store import Store

OLDEST_UNDER_WAY = 60.0  # seconds; younger entries belong to invocations that are about to send them
_EVERY = 300.0  # seconds between the sweeps of one execution environment
_MAXIMUM_ENTRIES = 50  # per sweep
_COST = 5.0  # seconds that must be left before the reserve


@dataclass
class Sweep:
    """Runs after an invocation's own work, at most every five minutes, or when an event asks for it.

    `last` is when this environment swept last, on the monotonic clock.
    """

    store: Store
    queues: Queues
    clock: Clock
    observe: Observer
    last: float = float("-inf")

    def run_if_due(self, invocation: Invocation) -> int:
        """Sweep if it is due and time is left; returns the number of responses sent. Never raises an `Exception`.

        Due means that the last sweep of this environment was `_EVERY` seconds ago; it needs `_COST` seconds.
        """
        if self.clock.monotonic() - self.last < _EVERY or not invocation.deadline.allows(_COST):
            return 0
        try:
            return self.run(invocation)
        except Exception as error:
            reason = str(error) if isinstance(error, HandlerError) else type(error).__name__
            invocation.log.warning("the sweep failed", error=reason)
            return 0

    def run(self, invocation: Invocation) -> int:
        """Send the responses of entries older than a minute, and delete the entries; returns how many were sent.

        Safe to repeat: a response that is sent twice is the same response. Raises `HandlerError`.
        """
        self.last = self.clock.monotonic()
        account_id, created = invocation.account.id(), self.clock.wall() - OLDEST_UNDER_WAY
        entries = self.store.list_outbox_entries(account_id, created, _MAXIMUM_ENTRIES)
        responses = [ScoringResponse(entry.scoring_job_id, entry.score_result_id) for entry in entries]
        if not responses:
            return 0
        sent = self.queues.respond(responses)
        self.observe(Step.RESPOND, ",".join(sorted(sent)))
        if sent:
            self.store.mark_sent(sent)
            self.observe(Step.MARK, ",".join(sorted(sent)))
        invocation.log.info("sent responses that a crash had left", count=len(sent))
        return len(sent)
